"""A signed report is locked, its trail tells everything and is checked, and a change is an addendum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import ROW, opened, until

from RegionReportLib.grounding.contradictions import check
from RegionReportLib.report.document import Status
from RegionReportLib.report.edits import Accept, AnswerFlag, ChangeText, MarkPlaceless, MarkViewed, Reject
from RegionReportLib.report.store import open_draft, view_draft

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def signed(report: Path) -> Path:
    """The draft, judged and signed without the page."""
    with open_draft(report, actor="Dr A", check=check) as draft:
        first = draft.report.sentences[0].id
        draft.apply(ChangeText(first, "Lungs <i>of</i> normal volume."))
        draft.apply(Reject(draft.report.sentences[-1].id))
        for one in draft.report.sentences[:-1]:
            draft.apply(MarkViewed(one.id) if one.anchors else MarkPlaceless(one.id))
            draft.apply(Accept(one.id))
        flags = [(s.id, f) for s in draft.report.sentences for f in s.flags] + [(None, f) for f in draft.report.flags]
        for owner, flag in flags:
            if flag.blocking:
                draft.apply(AnswerFlag(owner, flag.key, "seen"))
        draft.sign("Dr A. Reader")
    return report


def test_a_signed_report_offers_an_addendum_that_is_written_and_signed(page: Page, server: Any, signed: Path) -> None:
    opened(page, server, signed)
    page.wait_for_selector("body.signed")
    first = view_draft(signed).report
    assert page.is_hidden("#sign")
    page.click("#addend")
    page.click("#addending button[data-value=yes]")
    page.wait_for_selector("#notes li:has-text('Addendum to report')")
    until(page, server, lambda session: session.report.predecessor == first.id)
    assert "Dr A. Reader" in page.inner_text("#notes")
    page.keyboard.press("n")
    page.fill("#words", "On second look a small nodule in the left upper lobe.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"{ROW}[data-state=added]")
    until(page, server, lambda session: session.report.sentences[0].viewed)
    page.click("#sign")
    page.fill("#who", "Dr B")
    page.click("#signing button[data-value=yes]")
    until(page, server, lambda session: session.report.status is Status.SIGNED)
    folder = server.do(lambda door: door.desk.folder)
    assert folder.parent == server.do(lambda door: door.place.drafts)
    assert view_draft(folder).report.predecessor == first.id
    assert view_draft(signed).report == first, "what was signed stays as it is"


def test_the_trail_tells_every_act_and_whether_it_was_tampered_with(page: Page, server: Any, signed: Path) -> None:
    opened(page, server, signed)
    page.click("#trail")
    page.wait_for_selector("#history td")
    rows = page.locator("#history tbody tr")
    assert rows.count() == len(view_draft(signed).history())
    changed = rows.nth(1).inner_text()
    assert "Dr A" in changed
    assert "Lungs <i>of</i> normal volume." in changed
    assert rows.nth(1).locator("del").inner_text().startswith("Total lung volume")
    assert "by Dr A. Reader" in rows.last.inner_text()
    assert page.inner_text("#history .about").startswith("Intact")
    page.keyboard.press("Escape")
    told = json.loads((signed / "report.json").read_text(encoding="utf-8"))
    told["sentences"][0]["text"] = "Something else."
    (signed / "report.json").write_text(json.dumps(told), encoding="utf-8")
    page.click("#trail")
    page.wait_for_function("() => document.querySelector('#history .about').textContent.startsWith('Not intact')")
