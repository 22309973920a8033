"""From a DICOM series to SEG and SR and back, with the commands that users type."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.cli.main import main
from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_sr_reading import segment_links
from RegionReportLib.imaging.mask_files import read_masks
from RegionReportLib.imaging.seg_nrrd import read_segmentation
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.signing import sign


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, store_series: Callable[..., None]) -> Path:
    """A chest phantom on a turned and tipped table: its series in `ct`, its draft in `draft`."""
    made = finish(make_case(Recipe(5, scan=Scan(rows=64, step_mm=8.0))))
    spacing = made.volume.grid.spacing_mm
    a, b = 0.12, -0.08
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    signs = np.sign(np.diag(made.volume.grid.affine)[:3]) * (-1, -1, 1)
    affine[:3, :3] = turn @ tip @ np.diag(spacing) @ np.diag(signs)
    affine[:3, 3] = (12.5, -30.25, 80.125)
    at = tmp_path_factory.mktemp("phantom")
    store_series(at / "ct", made.volume.hu.astype(np.int16), affine)
    assert main(["draft", str(at / "ct"), "-o", str(at / "draft")]) == 0
    assert main(["export", str(at / "draft"), "--format", "dicom", "-o", str(at / "out")]) == 0
    return at


def test_an_oblique_phantom_goes_out_and_comes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sr, seg = folder / "out" / "report.dcm", folder / "out" / "segmentation.dcm"
    assert main(["import-dicom", str(sr), str(seg), "-o", str(folder / "back")]) == 0

    original = report_from_json((folder / "draft" / "report.json").read_bytes())
    back = report_from_json((folder / "back" / "report.json").read_bytes())
    plain = replace(back, flags=(), sentences=tuple(replace(s, flags=()) for s in back.sentences))
    assert plain == carried(original)
    assert f"{len(original.sentences)} sentences. DRAFT, not signed" in capsys.readouterr().out
    assert main(["verify", str(folder / "back")]) == 0
    before, after = (read_segmentation(folder / d / "segmentation.seg.nrrd") for d in ("draft", "back"))
    for region in REGION_IDS:  # by region is what is written unless structures are asked for
        assert np.array_equal(before.region(region), after.region(region))


def test_structures_leave_as_segments_of_their_own_and_come_back(folder: Path) -> None:
    assert main(["export", str(folder / "draft"), "--format", "dicom", "--structures", "-o", str(folder / "fine")]) == 0
    sr, seg = folder / "fine" / "report.dcm", folder / "fine" / "segmentation.dcm"
    assert main(["import-dicom", str(sr), str(seg), "-o", str(folder / "fine-back")]) == 0

    before, after = (read_masks(folder / d) for d in ("draft", "fine-back"))
    held = {name for name in before.structures if before.structure(name).any()}
    assert held == set(after.structures) and {"trachea", "vertebrae", "costal_cartilages"} <= held
    for name in held:
        assert np.array_equal(before.structure(name), after.structure(name))
    numbers = {s.TrackingID: s.SegmentNumber for s in pydicom.dcmread(seg).SegmentSequence}
    assert set(numbers) == held
    links = segment_links(sr)
    assert all(links.values())
    report = report_from_json((folder / "draft" / "report.json").read_bytes())
    narrow = [s for s in report.sentences if {a.place.structure for a in s.anchors} & held]
    assert narrow
    for sentence in narrow:
        assert set(links[sentence.id]) >= {numbers[a.place.structure] for a in sentence.anchors if a.place.structure}


def test_every_sentence_of_the_phantom_has_its_segment(folder: Path) -> None:
    links = segment_links(folder / "out" / "report.dcm")
    assert len(links) >= 12 and all(links.values())


def test_dciodvfy_finds_nothing_in_the_phantoms_report(folder: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    told = subprocess.run(
        ["dciodvfy", "-new", str(folder / "out" / "report.dcm")], capture_output=True, text=True, check=False
    ).stderr
    lines = [line for line in told.splitlines() if line.startswith(("Error", "Warning"))]
    assert [line for line in lines if not line.endswith("<99REGIONREPORT>")] == []  # see test_dicom_validators


def test_the_series_may_lie_elsewhere_by_now(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder / "ct", tmp_path / "moved")
    shutil.copytree(folder / "draft", tmp_path / "draft")
    written = [str(tmp_path / "draft"), "--format", "dicom", "-o", str(tmp_path / "out")]
    assert main(["export", *written, "--series", str(tmp_path / "moved")]) == 0
    assert pydicom.dcmread(tmp_path / "out" / "report.dcm").PatientID == "P-17"

    assert main(["export", *written, "--series", str(tmp_path / "nowhere")]) == 3
    assert "is not there; say where the DICOM series of the report lies now" in capsys.readouterr().err


def test_a_draft_without_masks_says_so(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder / "draft", tmp_path / "draft")
    (tmp_path / "draft" / "segmentation.seg.nrrd").unlink()
    assert main(["export", str(tmp_path / "draft"), "--format", "dicom"]) == 3
    assert "has no segmentation.seg.nrrd" in capsys.readouterr().err


def test_a_signed_report_comes_back_signed_to_be_read(folder: Path, dicom_case: Any, tmp_path: Path) -> None:
    report = sign(dicom_case.report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    seg, sr = finish(export_dicom(report, dicom_case.masks, tmp_path))
    assert main(["import-dicom", str(sr), str(seg), "-o", str(tmp_path / "back")]) == 0

    assert report_from_json((tmp_path / "back" / "report.json").read_bytes()) == carried(report)
    assert "Signed by Dr. Ä" in (tmp_path / "back" / "report.txt").read_text(encoding="utf-8")
    assert main(["show", str(tmp_path / "back")]) == 0


def test_an_import_never_writes_over_a_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / "out" / name) for name in ("report.dcm", "segmentation.dcm")]
    before = (folder / "draft" / "report.json").read_bytes()
    assert main(["import-dicom", *files, "-o", str(folder / "draft")]) == 3
    assert (folder / "draft" / "report.json").read_bytes() == before
    assert "holds a report already" in capsys.readouterr().err


def test_files_in_the_wrong_order_are_refused_in_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(folder / "out" / name) for name in ("segmentation.dcm", "report.dcm")]
    assert main(["import-dicom", *files, "-o", str(tmp_path / "back")]) == 3
    assert "is no report that RegionReport wrote as DICOM SR" in capsys.readouterr().err
    assert not (tmp_path / "back" / "report.json").exists()
