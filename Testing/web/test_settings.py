"""The reader's settings: CT windows, how places are shown, which views there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import opened, sentences, settled, until, window_of, within

if TYPE_CHECKING:
    from playwright.sync_api import Page


def frames(page: Page) -> list[int]:
    """How many pictures each view has shown."""
    told: list[int] = page.evaluate(
        "[0, 1, 2, 3].map(n => Number(document.querySelector(`.view[data-view='${n}'] img`).dataset.frame || 0))"
    )
    return told


def test_windows_are_set_by_name_and_by_number(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.click("#settings")
    page.click("#presets button:has-text('Lung')")
    within(page, lambda: window_of(server) == (1500, -600))
    page.fill("#width", "1234")
    page.fill("#level", "-56")
    page.keyboard.press("Enter")
    within(page, lambda: window_of(server) == (1234, -56))
    page.fill("#width", "0")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('message').textContent.includes('between 1 and 10000')")
    assert window_of(server) == (1234, -56)


def test_the_window_follows_the_region_only_as_long_as_that_is_wished(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    bone = next(s for s in sentences(server) if s.anchors and s.regions[0] == "bones")
    page.click(f"#s-{bone.id} .text")
    within(page, lambda: window_of(server) == (1500, 400))
    page.click("#settings")
    page.uncheck("#follow_window")
    until(page, server, lambda session: not session.viewer.manner.follow_window)
    page.click("#presets button:has-text('Vessels')")
    within(page, lambda: window_of(server) == (600, 200))
    page.keyboard.press("Escape")
    lung = next(s for s in sentences(server) if s.anchors and s.regions[0] == "lungs")
    page.click(f"#s-{lung.id} .text")
    until(page, server, lambda session: session.chosen.id == lung.id)
    assert window_of(server) == (600, 200)
    other = server.do(lambda door: door.settings)
    assert not other.follow_window
    page.click("#settings")
    page.check("#follow_window")
    within(page, lambda: window_of(server) == (1500, -600))
    page.keyboard.press("Escape")


def test_hidden_views_are_not_drawn_and_come_back(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.click("#settings")
    page.uncheck("#with3d")
    page.wait_for_selector(".view[data-view='3']", state="hidden")
    until(page, server, lambda session: True)
    within(page, lambda: server.do(lambda door: "space" in next(iter(door.hub.pages)).hidden))
    page.keyboard.press("Escape")
    settled(page)
    before = frames(page)
    tied = [s for s in sentences(server) if s.anchors]
    for one in (tied[0], tied[-1]):
        page.click(f"#s-{one.id} .text")
    within(page, lambda: all(now > then for now, then in zip(frames(page)[:3], before[:3], strict=True)))
    settled(page)
    assert frames(page)[3] == before[3]
    page.reload()  # this page's layout is kept by the browser
    page.wait_for_selector(".one[data-id]")
    assert not page.is_visible(".view[data-view='3']")
    page.click("#settings")
    page.check("#with3d")
    page.select_option("#layout", "large")
    page.wait_for_selector(".view[data-view='3']", state="visible")
    within(page, lambda: frames(page)[3] > 0)
    axial, coronal = (page.locator(f".view[data-view='{n}']").bounding_box() for n in (0, 1))
    assert axial and coronal
    assert axial["height"] > 2.5 * coronal["height"]
    page.select_option("#layout", "four")
