"""A sentence gets another place, by name or by a box that the reader draws, and another place in the order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import opened, pull, sentences, settled, until, within

from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.store import view_draft

if TYPE_CHECKING:
    from playwright.sync_api import Page


def chosen(page: Page, server: Any, number: int) -> str:
    """Choose a sentence by its place in the report and return its id."""
    one: str = sentences(server)[number].id
    page.click(f"#s-{one} .text")
    until(page, server, lambda session: session.chosen is not None and session.chosen.id == one)
    page.wait_for_selector(f"#s-{one}[aria-selected=true]")
    return one


def box_of(server: Any) -> Any:
    """The box that is being drawn."""
    return server.do(lambda door: door.desk.boxing._box)


def test_a_box_is_dragged_in_two_slices_and_becomes_the_place(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    one = chosen(page, server, 1)
    settled(page)
    page.keyboard.press("r")
    page.click("#places section:has(h3:text-is('Lungs')) button:text-is('Draw a box…')")
    page.wait_for_selector("#boxing:visible")
    assert box_of(server).size_mm == pytest.approx((40, 40, 40))
    corners = server.do(lambda door: [door.views.point_at("axial", x, y) for x, y in ((0.3, 0.4), (0.4, 0.6))])
    pull(page, 0, (0.3, 0.4), (0.4, 0.6))
    within(page, lambda: box_of(server).size_mm[0] != pytest.approx(40))
    (x0, y0, z), (x1, y1, _) = corners
    low, high = box_of(server).min_mm, box_of(server).max_mm
    assert (low[0], high[0]) == pytest.approx((min(x0, x1), max(x0, x1)), abs=1.5)
    assert (low[1], high[1]) == pytest.approx((min(y0, y1), max(y0, y1)), abs=1.5)
    assert (low[2], high[2]) == pytest.approx((z - 20, z + 20), abs=0.1), "the depth is still the first one"
    top, bottom = server.do(lambda door: [door.views.point_at("coronal", 0.5, y)[2] for y in (0.3, 0.7)])
    pull(page, 1, (0.3, 0.3), (0.5, 0.7))
    within(page, lambda: box_of(server).max_mm[2] != pytest.approx(high[2]))
    drawn = box_of(server)
    assert (drawn.min_mm[1], drawn.max_mm[1]) == pytest.approx((low[1], high[1])), "a coronal slice has no front"
    assert (drawn.min_mm[2], drawn.max_mm[2]) == pytest.approx((bottom, top), abs=1.5)
    page.click("#boxing button[type=submit]")
    page.wait_for_selector("#boxing", state="hidden")
    (anchor,) = view_draft(report).report.sentence(one).anchors
    assert (anchor.source, anchor.place.region_id, anchor.place.box) == (AnchorSource.READER, "lungs", drawn)
    assert server.do(lambda door: door.views.offsets()["axial"]) == pytest.approx(drawn.center_mm[2], abs=0.1)


def test_a_box_is_given_by_keyboard_alone(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.keyboard.press("ArrowDown")
    until(page, server, lambda session: session.chosen is not None)
    page.keyboard.press("r")
    page.keyboard.type("heart draw")
    page.keyboard.press("Enter")
    page.wait_for_selector("#boxing:visible")
    for value in ("-40", "20", "-30", "50", "-60", "10.5"):
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    within(page, lambda: box_of(server).min_mm == (-40, -30, -60) and box_of(server).max_mm == (20, 50, 10.5))
    page.keyboard.press("Enter")
    page.wait_for_selector("#boxing", state="hidden")
    place = sentences(server)[0].anchors[0].place
    assert (place.region_id, place.box.min_mm, place.box.max_mm) == (
        "heart_great_vessels",
        (-40, -30, -60),
        (20, 50, 10.5),
    )


def test_a_box_that_is_left_changes_nothing(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    one = chosen(page, server, 1)
    before = sentences(server)[1].anchors
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.click(f"#s-{sentences(server)[2].id} .text")):
        page.click(f"#s-{one} .text")
        page.keyboard.press("r")
        page.click("#places button:text-is('Draw a box…') >> nth=0")
        page.wait_for_selector("#boxing:visible")
        leave()
        page.wait_for_selector("#boxing", state="hidden")
        assert box_of(server) is None
    assert sentences(server)[1].anchors == before


def test_places_are_found_by_typing_and_none_is_named_twice_in_a_region(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    chosen(page, server, 0)
    page.keyboard.press("r")
    page.wait_for_selector("#places[open]")
    for group in page.locator("#places section").all():
        names = group.locator(".pick").all_inner_texts()
        assert len(names) == len(set(names))
    every = page.locator("#places .pick").all_inner_texts()
    named = [name for name in every if name != "Draw a box…"]
    assert len(named) == len(set(named)), "one name stands for one place"
    page.keyboard.type("right lung")
    assert set(page.locator("#places .pick:visible").all_inner_texts()) < set(every)
    page.keyboard.press("ArrowDown")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    until(page, server, lambda session: session.chosen.anchors[0].place.name == first)


def test_a_sentence_is_moved_within_its_region(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    first, second = (one.id for one in sentences(server)[:2])
    chosen(page, server, 0)
    page.keyboard.press("Alt+ArrowDown")
    until(page, server, lambda session: [s.id for s in session.report.sentences[:2]] == [second, first])
    page.wait_for_function("(one) => document.querySelectorAll('.one')[1].dataset.id === one", arg=first)
    page.keyboard.press("Alt+ArrowUp")
    until(page, server, lambda session: [s.id for s in session.report.sentences[:2]] == [first, second])
    page.keyboard.press("Alt+ArrowUp")  # the top holds
    page.keyboard.press("Control+z")
    until(page, server, lambda session: [s.id for s in session.report.sentences[:2]] == [second, first])
