"""`regionreport export --format fhir`, as users type it: with and without the DICOM SEG, and where it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.export.fhir_check import profile_problems
from RegionReportLib.export.fhir_segments import seg_reference
from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.report.store import create_draft

BASE = "https://pacs.example.org/dicom-web"


@pytest.fixture
def draft(dicom_case: Any, tmp_path: Path) -> Path:
    """A report folder of the small DICOM series."""
    create_draft(tmp_path / "draft", dicom_case.report, actor="writer")
    write_segmentation(dicom_case.masks, tmp_path / "draft" / "segmentation.seg.nrrd", segments="structure")
    return tmp_path / "draft"


def selections(folder: Path) -> list[dict[str, Any]]:
    bundle = json.loads((folder / "report.fhir.json").read_bytes())
    assert profile_problems(bundle) == ()
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "ImagingSelection"]


def test_with_dicom_the_phrases_lead_to_the_segments_that_the_file_holds(draft: Path) -> None:
    words = ["export", str(draft), "--format", "fhir", "--format", "dicom", "--wado-rs", BASE]
    assert main([*words, "--organization", "General Hospital"]) == 0
    seg = pydicom.dcmread(draft / "segmentation.dcm")
    tracked = {str(s.SegmentNumber): s.TrackingID for s in seg.SegmentSequence}
    found = [one["instance"][0] for one in selections(draft)]
    of_seg = [one for one in found if "subset" in one]
    assert {one["uid"] for one in of_seg} == {seg.SOPInstanceUID}
    # The sentences in reading order: right lung; left lung; both lungs and the heart; the aorta, which is of the heart.
    named = [[tracked[number] for number in one["subset"]] for one in of_seg]
    assert named == [
        ["lung_right"],
        ["lung_left"],
        ["lung_right", "lung_left"],
        ["heart_great_vessels"],
        ["heart_great_vessels"],
    ]


def test_without_a_segmentation_the_phrases_lead_to_slices_only(draft: Path, tmp_path: Path) -> None:
    assert main(["export", str(draft), "--format", "fhir", "-o", str(tmp_path / "out")]) == 0
    assert not any("subset" in one["instance"][0] for one in selections(tmp_path / "out"))
    first = (tmp_path / "out" / "report.fhir.json").read_bytes()
    assert main(["export", str(draft), "--format", "fhir", "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "report.fhir.json").read_bytes() == first


def test_progress_is_told_in_json_lines_when_asked_for(
    draft: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(draft), "--format", "dicom", "--format", "fhir", "-o", str(tmp_path / "out")]
    assert main([*words, "--json-progress"]) == 0
    *steps, done = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["progress"] for one in steps] == sorted(one["progress"] for one in steps)
    assert {"laying out the DICOM SEG", "packing the DICOM SR", "checking the FHIR bundle"} <= {
        s["stage"] for s in steps
    }
    names = ("report.dcm", "segmentation.dcm", "report.fhir.json")
    assert done == {"done": [str(tmp_path / "out" / name) for name in names]}


def test_a_segmentation_from_before_is_pointed_at_while_it_is_of_the_masks(dicom_case: Any, draft: Path) -> None:
    for words in (["--format", "seg"], ["--format", "fhir"]):
        assert main(["export", str(draft), *words]) == 0
    uid = pydicom.dcmread(draft / "segmentation.dcm").SOPInstanceUID
    assert uid in {one["instance"][0]["uid"] for one in selections(draft)}

    labels = dicom_case.masks.labels.copy()
    labels[labels == 1] = 2  # a reader changed the masks since
    write_segmentation(replace(dicom_case.masks, labels=labels), draft / "segmentation.seg.nrrd", segments="structure")
    assert main(["export", str(draft), "--format", "fhir"]) == 0
    assert not any("subset" in one["instance"][0] for one in selections(draft))


def test_a_report_without_dicom_is_refused_in_one_line(
    dicom_case: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = replace(dicom_case.report.study, dicom=None)
    create_draft(tmp_path / "plain", replace(dicom_case.report, study=study), actor="writer")
    assert main(["export", str(tmp_path / "plain"), "--format", "fhir"]) == 3
    told = capsys.readouterr().err
    assert "did not come from DICOM" in told and told.count("\n") == 1
    assert not list(tmp_path.rglob("report.fhir.json"))


def test_an_address_with_a_password_is_refused_without_showing_it(
    draft: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(draft), "--format", "fhir", "--wado-rs", "https://me:hidden@host/x"]) == 3
    assert "hidden" not in capsys.readouterr().err


def test_a_file_that_is_no_segmentation_of_ours_is_refused(draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(draft), "--format", "dicom"]) == 0
    (draft / "segmentation.dcm").write_bytes((draft / "report.dcm").read_bytes())
    assert main(["export", str(draft), "--format", "fhir"]) == 3
    assert "is no DICOM SEG" in capsys.readouterr().err


def test_a_segmentation_by_structure_is_read_by_structure(dicom_case: Any, tmp_path: Path) -> None:
    from RegionReportLib.export.dicom_export import export_dicom
    from RegionReportLib.progress import finish

    seg, _ = finish(export_dicom(dicom_case.report, dicom_case.masks, tmp_path, grouping="structure"))
    reference = seg_reference(seg)
    tracked = {s.TrackingID: s.SegmentNumber for s in pydicom.dcmread(seg).SegmentSequence}
    assert {name: reference.numbers[name] for name in tracked} == tracked
    assert set(tracked) == set(dicom_case.masks.structures)
