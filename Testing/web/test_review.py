"""A reader reviews a draft in a real browser: what is clicked is shown, what is done is on the disk."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Status
from RegionReportLib.report.sentence import Verdict
from RegionReportLib.report.store import view_draft
from RegionReportLib.report.verify import verify

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROW = ".one[data-id]"
MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>5 mm</b> & <script>document.title='owned'</script> nodule"


def opened(page: Page, server: Any, report: Path) -> None:
    """Open a report in the page and wait until its sentences are there."""
    server.open(report)
    page.goto(server.url)
    page.wait_for_selector(ROW, timeout=30_000)


def settled(page: Page) -> None:
    """Wait until no new picture has come for a while, counted from now."""
    page.evaluate("() => { window.since = performance.now(); }")
    page.wait_for_function(
        """() => { const now = [...document.querySelectorAll('.view img')].map(i => i.dataset.frame).join();
        if (now !== window.before) { window.before = now; window.since = performance.now(); }
        return performance.now() - window.since > 350; }""",
        timeout=20_000,
    )


def pixels(page: Page, view: int) -> Any:
    """Return the picture that a view of the page shows now, as grey values."""
    data = page.evaluate(
        """(view) => { const image = document.querySelector(`.view[data-view="${view}"] img`);
        const canvas = document.createElement('canvas'); canvas.width = image.naturalWidth;
        canvas.height = image.naturalHeight; canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL('image/png').split(',')[1]; }""",
        view,
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"), dtype=float)


def sentences(server: Any) -> Any:
    """Return the sentences of the open report."""
    return server.do(lambda door: door.desk.session.report.sentences)


def until(page: Page, server: Any, true: Any) -> None:
    """Wait until something is true of the session."""
    for _ in range(200):
        if server.do(lambda door: true(door.desk.session)):
            return
        page.wait_for_timeout(25)
    pytest.fail("the session did not get there")


def within(page: Page, true: Any) -> None:
    """Wait until something is true of what the page or the door shows."""
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(50)
    pytest.fail("the page did not get there")


def test_each_sentence_brings_its_place_into_all_views(page: Page, server: Any, report: Path, scan: Path) -> None:
    opened(page, server, report)
    settled(page)
    volume = finish(read_volume(scan))
    tied = [s for s in sentences(server) if s.anchors]
    assert len(tied) > 10
    regions = set()
    for sentence in tied:
        page.click(f"#s-{sentence.id} .text")
        until(page, server, lambda session, wanted=sentence.id: session.chosen and session.chosen.id == wanted)
        point = sentence.anchors[0].place.point_mm
        offsets = server.do(lambda door: door.views.offsets())
        assert offsets["axial"] == pytest.approx(point[2], abs=0.1)
        assert abs(offsets["coronal"]) == pytest.approx(abs(point[1]), abs=0.1)
        assert abs(offsets["sagittal"]) == pytest.approx(abs(point[0]), abs=0.1)
        if sentence.regions[0] not in regions:
            regions.add(sentence.regions[0])
            window = _window(server)
            for view, name in enumerate(("axial", "coronal", "sagittal")):
                within(page, lambda v=view, n=name, w=window: _is_there(server, n, pixels(page, v), (volume, w)))
    assert len(regions) >= 4
    assert all(s.viewed for s in sentences(server) if s.anchors)


def _window(server: Any) -> tuple[float, float]:
    display = server.do(lambda door: door.desk._volume_node.GetDisplayNode())
    return display.GetWindow(), display.GetLevel()


def _is_there(server: Any, name: str, picture: Any, scan: tuple[Any, tuple[float, float]]) -> bool:
    """Tell whether a picture shows the voxels where the view says that it looks, and not those 25 mm beside them."""
    here, below, above = (_likeness(server, name, picture, scan, away) for away in (0.0, -25.0, 25.0))
    return here > 0.75 and here > max(below, above)


def _likeness(server: Any, name: str, picture: Any, scan: tuple[Any, tuple[float, float]], away_mm: float) -> float:
    """Correlate a picture with the scan's voxels in the plane of its view, or in a parallel one."""
    volume, (width, level) = scan
    steps = np.linspace(0.12, 0.88, 40)
    grid = [(x, y) for y in steps for x in steps]
    world = np.array(server.do(lambda door: [door.views.point_at(name, x, y) for x, y in grid]))
    world[:, ("sagittal", "coronal", "axial").index(name)] += away_mm
    index = np.rint(np.c_[world, np.ones(len(world))] @ np.linalg.inv(volume.grid.affine).T)[:, 2::-1].astype(int)
    inside = ((index >= 0) & (index < volume.grid.shape_kji)).all(axis=1)
    if inside.sum() < 300:
        return -1.0
    expected = np.clip((volume.hu[tuple(index[inside].T)].astype(float) - level) / width + 0.5, 0, 1)
    rows, columns = picture.shape
    shown = np.array([picture[int(y * rows), int(x * columns)] for x, y in grid])[inside]
    return float(np.corrcoef(shown, expected)[0, 1])


def test_the_left_nodule_is_shown_left_and_boxed(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    settled(page)
    left = next(s for s in sentences(server) if s.text.startswith("Dense lung") and "left lung" in s.text)
    before = pixels(page, 3)
    page.click(f"#s-{left.id} .text")
    until(page, server, lambda session: session.chosen is not None)
    assert left.anchors[0].place.point_mm[0] < 0  # RAS: left is negative x
    within(page, lambda: np.abs(pixels(page, 3) - before).mean() > 2)  # the 3D view turned to it
    with Image.open(io.BytesIO(page.locator(".view[data-view='0']").screenshot())) as shot:
        colours = np.asarray(shot.convert("RGB"), dtype=int)
    yellow = (colours[..., 0] > 150) & (colours[..., 1] > 140) & (colours[..., 2] < 110)
    assert yellow.sum() > 30, "the box is drawn"
    assert np.nonzero(yellow)[1].mean() > colours.shape[1] / 2, "the patient's left is on the right of the picture"


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
    _answer_flags(page, server)
    page.click("#sign")
    page.fill("#who", "Dr A. Reader")
    page.click("#signing button[data-value=yes]")
    until(page, server, lambda session: session.report.status is Status.SIGNED)
    page.wait_for_selector("body.signed")
    assert "Signed by Dr A. Reader" in page.inner_text("#state")
    assert page.is_disabled("button[data-do=accept]")
    server.clear()
    assert not [finding for finding in verify(report) if finding.serious]


def _answer_flags(page: Page, server: Any) -> None:
    for _ in range(20):
        buttons = page.locator("text=keep with a reason")
        if not buttons.count():
            return
        buttons.first.click()
        page.fill("#why", "seen and accepted")
        page.click("#reason button[data-value=yes]")
        page.wait_for_timeout(150)


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
    page.wait_for_timeout(300)
    assert page.title() != "owned"
    answer = page.request.get(server.url + "export/report.html")
    assert "&lt;script&gt;" in answer.text()
    assert "<script" not in answer.text()


def test_all_exports_are_there_and_say_what_they_are(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    with page.expect_download() as download:
        page.select_option("#export", "report.html")
    assert download.value.suggested_filename == "report.html"
    text = page.request.get(server.url + "export/report.txt")
    assert "DRAFT, not signed" in text.text()
    assert "attachment" in text.headers["content-disposition"]
    assert json.loads(page.request.get(server.url + "export/report.json").body())["status"] == "draft"
    masks = page.request.get(server.url + "export/segmentation.seg.nrrd").body()
    assert masks == (report / "segmentation.seg.nrrd").read_bytes()


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
    page.select_option("#filter", "open")
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


def test_the_wheel_scrolls_and_a_drag_is_no_click(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    settled(page)
    before = server.do(lambda door: door.views.offsets())["axial"]
    box = page.locator(".view[data-view='0']").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -240)
    within(page, lambda: abs(server.do(lambda door: door.views.offsets())["axial"] - before) > 1)
    window = _window(server)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    within(page, lambda: _window(server) != window)  # a drag sets the CT window
    settled(page)
    assert server.do(lambda door: door.desk.session.found) == ()


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


def test_another_writer_keeps_the_draft(page: Page, server: Any, report: Path) -> None:
    from RegionReportLib.report.store import open_draft

    with open_draft(report, actor="colleague"):
        server.open(report)
        page.goto(server.url)
        page.wait_for_function(
            "() => document.getElementById('message').textContent.includes('is being edited by colleague')"
        )
        assert page.locator(ROW).count() == 0
