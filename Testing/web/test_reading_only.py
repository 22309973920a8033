"""A draft that somebody else holds, or that lies where nothing can be written, is read: pointed at, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import ROW, exported, opened, sentences, until

from RegionReportLib.report.sentence import Verdict
from RegionReportLib.report.store import open_draft, view_draft

if TYPE_CHECKING:
    from playwright.sync_api import Page

ACTS = ("accept", "reject", "start-edit", "start-retie", "start-split", "merge", "start-add", "undo", "redo")


def test_a_draft_that_a_colleague_writes_is_read_with_its_holder_named(page: Page, server: Any, report: Path) -> None:
    with open_draft(report, actor="colleague"):
        opened(page, server, report)
        page.wait_for_selector("#reading:visible")
        assert "being edited by colleague" in page.inner_text("#reading")
        for act in ACTS:
            assert page.is_disabled(f"button[data-do={act}]")
        assert page.is_disabled("#sign")
        one = next(s for s in sentences(server) if s.anchors)
        page.click(f"#s-{one.id} .text")
        until(page, server, lambda session: session.chosen is not None and session.chosen.id == one.id)
        assert server.do(lambda door: door.views.offsets()["axial"]) - one.anchors[0].place.point_mm[2] < 0.1
        page.keyboard.press("a")  # a key asks the server, which says why not
        page.wait_for_function("() => document.getElementById('message').textContent.includes('for reading only')")
        page.click("#trail")
        page.wait_for_selector("#history td")
        page.keyboard.press("Escape")
        assert "DRAFT" in exported(page, "text").read_text(encoding="utf-8")
        page.click("#reading button")  # still held
        page.wait_for_function("() => document.getElementById('busy').hidden")
        page.wait_for_selector("#reading:visible")
    assert len(view_draft(report).history()) == 1, "nothing of it reached the draft"
    page.click("#reading button")
    page.wait_for_selector("#reading", state="hidden")
    page.click(f"{ROW} >> nth=0")
    page.keyboard.press("a")
    until(page, server, lambda session: session.report.sentences[0].verdict is Verdict.ACCEPTED)


def test_a_folder_that_cannot_be_written_is_read(page: Page, server: Any, report: Path) -> None:
    (report / "lock").unlink(missing_ok=True)
    (report / "lock").mkdir()  # whoever may write everywhere cannot write here either
    opened(page, server, report)
    page.wait_for_selector("#reading:visible")
    assert "for writing" in page.inner_text("#reading")
    assert page.is_disabled("button[data-do=start-add]")
