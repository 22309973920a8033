"""A scan becomes a report on the page: progress while it is drafted, a pasted report tied, an upload, a cancel."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.seg_nrrd import read_segmentation, write_segmentation
from RegionReportLib.web.drafting import Wish

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROW = ".one[data-id]"


def drafts(server: Any) -> list[Path]:
    """The report folders that the server made."""
    found: list[Path] = server.do(lambda door: door.drafts())
    return found


def test_a_scan_is_drafted_while_the_page_tells_how_far_it_is(page: Page, server: Any, scan: Path) -> None:
    page.goto(server.url)
    page.wait_for_selector("#list .none")
    page.evaluate(
        """() => { window.stages = new Set(); window.most = 0; new MutationObserver(() => {
        window.stages.add(document.getElementById('stage').textContent.split(' · ')[0]);
        window.most = Math.max(window.most, document.querySelectorAll('.one').length);
        }).observe(document.body, {subtree: true, childList: true, characterData: true}); }"""
    )
    before = len(drafts(server))
    server.do(lambda door: door.start(door.draft(scan, Wish())))
    page.wait_for_selector("#busy:visible")
    page.wait_for_selector(ROW, timeout=60_000)
    assert len(page.evaluate("[...window.stages]")) >= 3
    assert page.evaluate("window.most") > 5
    page.wait_for_selector("#busy", state="hidden")
    assert len(drafts(server)) == before + 1


def test_a_pasted_report_is_tied_to_the_open_scan(page: Page, server: Any, report: Path) -> None:
    server.open(report)
    page.goto(server.url)
    page.wait_for_selector(ROW)
    page.click("#open")
    page.fill("#paste", "LUNGS: Small nodule in the left upper lobe.\nHEART: The heart is normal in size.")
    page.click("#opening button[data-value=paste]")
    page.wait_for_selector(".one:has-text('Small nodule in the left upper lobe')", timeout=60_000)
    page.wait_for_selector(".one .author:has-text('imported')")
    tied = server.do(lambda door: door.desk.session.report.sentences[0])
    assert tied.anchors[0].place.region_id == "lungs"
    assert tied.anchors[0].place.side.value == "left"


def test_a_scan_can_be_sent_from_the_page(page: Page, server: Any, scan: Path) -> None:
    page.goto(server.url)
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#file", scan)
    page.wait_for_selector(ROW, timeout=60_000)
    name = page.inner_text("#name")
    assert name.endswith("ct.nii.gz")
    made = drafts(server)[0]
    server.clear()
    server.open(made)  # what was sent stays, so the draft can be opened again
    page.wait_for_selector(ROW)


def test_regions_that_are_there_already_are_taken(
    page: Page, server: Any, scan: Path, report: Path, tmp_path: Path
) -> None:
    own = read_segmentation(report / "segmentation.seg.nrrd")
    labels = own.labels.copy()
    labels[len(labels) // 2 :] = 0  # nobody would find these regions
    given = RegionMasks(labels, own.grid, own.structures, "a reader", own.coverage, {})
    sent = tmp_path / "Segmentation of a reader.seg.nrrd"
    write_segmentation(given, sent)
    page.goto(server.url)
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#masks", sent)
    page.set_input_files("#file", scan)
    page.wait_for_selector(ROW, timeout=60_000)
    folder = server.do(lambda door: door.desk.folder)
    kept = read_segmentation(folder / "segmentation.seg.nrrd")
    assert np.array_equal(kept.labels > 0, given.labels > 0)
    assert "a reader" in server.do(lambda door: door.desk.session.report.segmenter)


def test_masks_of_another_scan_are_refused_and_nothing_is_kept(
    page: Page, server: Any, scan: Path, tmp_path: Path
) -> None:
    grid = Grid((20, 20, 20), np.diag([4.0, 4.0, 4.0, 1.0]))
    labels = np.zeros(grid.shape_kji, np.uint8)
    labels[5:9, 5:9, 5:9] = 1
    coverage = dict.fromkeys(REGION_IDS, Coverage.ABSENT) | {"lungs": Coverage.COMPLETE}
    sent = tmp_path / "elsewhere.seg.nrrd"
    write_segmentation(RegionMasks(labels, grid, ("lung_right",), "a reader", coverage, {}), sent)
    page.goto(server.url)
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#masks", sent)
    page.set_input_files("#file", scan)
    page.wait_for_function("() => document.getElementById('message').textContent.includes('elsewhere')")
    assert page.locator(ROW).count() == 0
    kept = server.do(lambda door: [f.name for f in door.place.scans.iterdir()])
    assert not [name for name in kept if "elsewhere" in name]


def test_rubbish_in_a_file_or_an_archive_is_refused_with_its_reason(page: Page, server: Any, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.nii.gz"
    rubbish.write_bytes(np.random.default_rng(1).bytes(2000))
    page.goto(server.url)
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#file", rubbish)
    page.wait_for_function("() => document.getElementById('message').textContent.includes('-rubbish.nii.gz')")
    archive = tmp_path / "series.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("readme.txt", "no DICOM at all")
    page.click("#open")
    page.wait_for_selector("#opening[open]")
    page.set_input_files("#file", archive)
    page.wait_for_function("() => document.getElementById('message').textContent.includes('DICOM')")
    assert page.locator(ROW).count() == 0
    kept = server.do(lambda door: [f.name for f in door.place.scans.iterdir()])
    assert not [name for name in kept if "rubbish" in name or "series" in name], "what cannot be used is not kept"


def test_a_cancelled_draft_leaves_nothing(page: Page, server: Any, scan: Path) -> None:
    page.goto(server.url)
    page.wait_for_selector("#list .none")
    before = drafts(server)
    server.do(lambda door: door.start(door.draft(scan, Wish())))
    page.wait_for_selector("#busy:visible")
    page.wait_for_timeout(1200)
    page.click("#cancel")
    page.wait_for_function("() => document.getElementById('message').textContent.startsWith('Cancelled')")
    assert drafts(server) == before
    left = [f for f in server.do(lambda door: door.place.drafts).iterdir() if f.name.startswith(".")]
    assert not left


def test_a_report_whose_scan_was_moved_or_changed_says_so(
    page: Page, server: Any, report: Path, tmp_path: Path
) -> None:
    from RegionReportLib.imaging.read import read_volume
    from RegionReportLib.imaging.volume import Volume
    from RegionReportLib.imaging.write import write_nifti
    from RegionReportLib.progress import finish
    from RegionReportLib.report.store import view_draft

    scan = Path(view_draft(report).report.study.path)
    moved = tmp_path / "elsewhere.nii.gz"
    shutil.copy(scan, moved)
    page.goto(server.url)
    server.do(lambda door: door.start(door.open(report, moved)))
    page.wait_for_selector(ROW)
    server.clear()
    volume = finish(read_volume(moved))
    hu = volume.hu.copy()
    hu[0, 0, 0] += 1
    other = tmp_path / "other.nii.gz"
    write_nifti(Volume(hu, volume.grid, volume.provenance), other)
    server.do(lambda door: door.start(door.open(report, other)))
    page.wait_for_function("() => document.getElementById('message').textContent.includes('its voxels differ')")
