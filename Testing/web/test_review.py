"""A reader reviews a draft in a real browser: what is done is on the disk, and every tab shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from browsing import ROW, answer_flags, exported, opened, sentences, settled, until

from RegionReportLib.report.document import Status
from RegionReportLib.report.sentence import Verdict
from RegionReportLib.report.store import view_draft
from RegionReportLib.report.verify import verify

if TYPE_CHECKING:
    from playwright.sync_api import Page

MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>5 mm</b> & <script>document.title='owned'</script> nodule"


def test_a_reader_edits_judges_and_signs_by_keyboard_alone(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.keyboard.press("ArrowDown")
    until(page, server, lambda session: session.chosen is not None)
    first = sentences(server)[0].id
    page.keyboard.press("Enter")
    page.fill("#words", "Total lung volume within limits.")
    page.keyboard.press("Control+Enter")
    until(page, server, lambda session: session.report.sentences[0].verdict is Verdict.EDITED)
    page.reload()
    page.wait_for_selector(ROW)
    assert page.inner_text(f"#s-{first} .text") == "Total lung volume within limits."
    page.keyboard.press("Control+z")
    until(page, server, lambda session: session.report.sentences[0].verdict is Verdict.PENDING)
    page.keyboard.press("Control+y")
    until(page, server, lambda session: session.report.sentences[0].verdict is Verdict.EDITED)
    for one in sentences(server)[1:]:
        page.keyboard.press("ArrowDown")
        page.wait_for_selector(f"#s-{one.id}[aria-selected=true]")
        page.keyboard.press("x" if "Not assessed" in one.text else "a")
        page.wait_for_selector(f"#s-{one.id}:not([data-state=open])")
    for one in sentences(server):  # what was looked for and not tied is stated to have no place
        if not one.anchors and not one.placeless and one.verdict is not Verdict.REJECTED:
            page.click(f"#s-{one.id} .text")
            page.keyboard.press("r")
            page.click("#places button[data-value=placeless]")
    answer_flags(page)
    page.click("#sign")
    page.fill("#who", "Dr A. Reader")
    page.click("#signing button[data-value=yes]")
    until(page, server, lambda session: session.report.status is Status.SIGNED)
    page.wait_for_selector("body.signed")
    assert "Signed by Dr A. Reader" in page.inner_text("#state")
    assert page.is_disabled("button[data-do=accept]")
    server.clear()
    assert not [finding for finding in verify(report) if finding.serious]


def test_markup_in_a_sentence_is_text_everywhere(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    page.keyboard.press("n")
    page.fill("#words", MARKUP)
    page.keyboard.press("Control+Enter")
    until(page, server, lambda session: session.chosen is not None and session.chosen.text == MARKUP)
    added = server.do(lambda door: door.desk.session.chosen.id)
    page.wait_for_selector(f"#s-{added}[aria-selected=true]")
    chosen = page.locator(f"#s-{added} .text")
    assert chosen.inner_text() == MARKUP
    assert chosen.locator("img, script").count() == 0
    page.click("#trail")
    page.wait_for_selector("#history td")
    assert MARKUP in page.inner_text("#history")
    page.click("#history button")
    assert page.title() != "owned"
    html = exported(page, "html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_split_merge_retie_filter_and_find_work(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    first = sentences(server)[0]
    page.click(f"#s-{first.id} .text")
    page.keyboard.press("s")
    page.wait_for_selector("#editor:visible")
    page.fill("#words", "Lungs are large. Lungs are clear.")
    page.evaluate("document.getElementById('words').setSelectionRange(17, 17)")
    page.keyboard.press("Control+Enter")
    until(
        page,
        server,
        lambda session: [s.text for s in session.report.sentences[:2]] == ["Lungs are large.", "Lungs are clear."],
    )
    page.keyboard.press("m")
    until(page, server, lambda session: session.report.sentences[0].text == "Lungs are large. Lungs are clear.")
    page.keyboard.press("r")
    page.click("#places .pick >> text=/^right lung$/")
    until(page, server, lambda session: session.chosen.anchors[0].place.name == "right lung")
    page.keyboard.press("a")
    page.keyboard.press("l")
    until(page, server, lambda session: session.filter.value == "open")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(f"#s-{first.id}", state="detached")
    settled(page)
    page.select_option("#filter", "all")
    box = page.locator(".view[data-view='0']").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + box["height"] * 0.5)
    until(page, server, lambda session: len(session.found) > 0)
    page.wait_for_selector(".one.found")
    page.keyboard.press("f")
    until(page, server, lambda session: session.chosen.id == session.found[0] or session.chosen.id in session.found)


def test_two_tabs_show_the_same_review(page: Page, chromium: Any, server: Any, report: Path) -> None:
    opened(page, server, report)
    other = chromium.new_page()
    other.goto(server.url)
    other.wait_for_selector(ROW)
    first = sentences(server)[0].id
    page.click(f"#s-{first} .text")
    other.wait_for_selector(f"#s-{first}[aria-selected=true]")
    other.keyboard.press("a")
    page.wait_for_selector(f"#s-{first}[data-state=accepted]")
    settled(other)
    other.close()
    assert view_draft(report).report.sentence(first).verdict is Verdict.ACCEPTED
