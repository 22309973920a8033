"""The place of a sentence found by its words from the page: offered beside its own, taken back, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import opened, within

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.store import view_draft
from RegionReportLib.web.finding import sentence_wished

from voxtell_stand_in import report_folder, use_stand_in

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_what_a_page_asks_for_is_checked() -> None:
    assert sentence_wished({"id": "lungs-1"}) == "lungs-1"
    for message, words in (({"id": ""}, "choose a sentence first"), ({"id": 7}, "no text for 'id'")):
        with pytest.raises(InputRefused, match=words):
            sentence_wished(message)


def told(page: Page, words: str) -> None:
    """Wait until the page says it; a worker may have to start for it."""
    page.wait_for_selector(f"#message:has-text('{words}')", timeout=120_000)


@pytest.fixture
def fresh_worker(server: Any) -> Iterator[Callable[[], None]]:
    """Let the next job start a worker that sees this test's environment, and none keep it afterwards."""

    def end() -> None:
        server.do(lambda door: door._client.close())

    yield end
    end()


def test_the_words_of_a_sentence_find_its_place(
    page: Page, server: Any, fresh_worker: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_in(tmp_path, monkeypatch)
    folder = report_folder(tmp_path)
    fresh_worker()
    opened(page, server, folder)
    page.click(".one[data-id='imported-001']")
    page.keyboard.press("p")
    told(page, "Found for “right nodule”: right lung")
    place = page.locator(".one[data-id='imported-001'] .place")
    assert "VoxTell, weights 44136fa355b3, for “right nodule”" in place.inner_text()
    one = view_draft(folder).report.sentence("imported-001")
    assert [a.source for a in one.anchors] == [AnchorSource.WORDING, AnchorSource.VOXTELL]
    at = -server.do(lambda door: door.views.offsets()["sagittal"])  # counted to the left
    assert at == pytest.approx(one.anchors[1].place.point_mm[0], abs=3), "the view has gone to what was found"
    assert at != pytest.approx(one.anchors[0].place.point_mm[0], abs=6)
    page.click("#trail")
    page.wait_for_selector("#history[open] td:has-text('given places that VoxTell found')")
    page.keyboard.press("Escape")
    page.click("[data-do=undo]")
    within(page, lambda: "VoxTell" not in place.inner_text())

    page.click(".one[data-id='imported-002']")
    page.click(".one[data-id='imported-002'] .place .again")
    told(page, "affirms no finding")
    use_stand_in(tmp_path, monkeypatch, "killed")
    page.click(".one[data-id='imported-003']")
    page.keyboard.press("p")
    told(page, "VoxTell was killed, most likely for want of memory")
