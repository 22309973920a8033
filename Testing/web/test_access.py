"""The page for everybody: any usual screen, keyboard alone, readable contrast, names for who listens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import ROW, opened, sentences, settled, until, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ASKING = (Path(__file__).parent / "access.js").read_text(encoding="utf-8")
FLAGGED = "Large left pleural effusion of 900 mL, unchanged."


@pytest.fixture
def usual(page: Page) -> Iterator[Page]:
    """A page whose size is put back: the browser gives the next tab the same one."""
    yield page
    page.set_viewport_size({"width": 1280, "height": 720})


def asked(page: Page, what: str) -> Any:
    """Ask the page for texts that are `faint`, parts that are `clipped`, or controls that are `nameless`."""
    page.evaluate(ASKING)
    return page.evaluate(f"access.{what}()")


def flagged(page: Page, server: Any) -> None:
    """Add a sentence that contradicts the measurements."""
    page.keyboard.press("n")
    page.fill("#words", FLAGGED)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".flag.blocking")


@pytest.mark.parametrize("size", [(1280, 720), (1366, 768), (1920, 1080), (3840, 2160)])
def test_nothing_is_clipped_or_covered(usual: Page, server: Any, report: Path, size: tuple[int, int]) -> None:
    usual.set_viewport_size({"width": size[0], "height": size[1]})
    opened(usual, server, report)
    flagged(usual, server)
    assert asked(usual, "clipped") == []
    assert usual.evaluate("document.getElementById('list').scrollWidth <= document.getElementById('list').clientWidth")
    assert usual.evaluate("document.getElementById('list').clientHeight") > 0.45 * size[1]
    for button, dialog in (("#settings", "#setting"), ("#export", "#exporting"), ("#open", "#opening")):
        usual.click(button)
        usual.wait_for_selector(f"{dialog}[open]")
        box = usual.locator(dialog).bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= size[1]
        usual.keyboard.press("Escape")
        usual.wait_for_selector(dialog, state="hidden")


def test_every_text_stands_out_from_its_ground(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    flagged(page, server)
    assert asked(page, "faint") == {}
    for button in ("#settings", "#export", "#trail", "#open", "#sign", "[data-do=start-retie]"):
        page.click(button)
        page.wait_for_selector("dialog[open]")
        assert asked(page, "faint") == {}
        assert asked(page, "nameless") == []
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('dialog[open]')")


def test_who_listens_is_told_of_the_choice_and_of_flags(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.keyboard.press("ArrowDown")
    first = sentences(server)[0]
    page.wait_for_function("(text) => document.getElementById('spoken').textContent.startsWith(text)", arg=first.text)
    assert page.get_attribute("#list", "aria-activedescendant") == f"s-{first.id}"
    flagged(page, server)
    page.wait_for_function("() => document.getElementById('spoken').textContent.includes('Flag: ')")
    assert asked(page, "nameless") == []
    roles = page.evaluate("[...document.querySelectorAll('[aria-live], [role=alert]')].map(e => e.id)")
    assert {"state", "message", "spoken", "lost"} <= set(roles)


def test_everything_is_reached_with_the_tab_key(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.keyboard.press("ArrowDown")
    until(page, server, lambda session: session.chosen is not None)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.id || document.activeElement.dataset.do || '')"))
    acts = {"accept", "reject", "start-edit", "start-retie", "start-split", "merge", "start-add", "undo"}
    assert acts - {"undo"} <= reached
    assert {"list", "open", "filter", "copy", "export", "trail", "settings", "sign"} <= reached


def test_slices_are_scrolled_and_searched_without_a_mouse(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    settled(page)
    before = server.do(lambda door: door.views.offsets())["axial"]
    page.focus(".view[data-view='0']")
    for _ in range(3):
        page.keyboard.press("PageDown")
    within(page, lambda: abs(server.do(lambda door: door.views.offsets())["axial"] - before) > 2)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.getElementById('message').textContent.includes('about this place')")
    page.wait_for_selector(f"{ROW}.found")
