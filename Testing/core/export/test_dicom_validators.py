"""What independent programs say of our files: dciodvfy (dicom3tools) and dsrdump (DCMTK).

dciodvfy has a fixed list of coding schemes and warns of every other private one, which PS3.16 §8 allows; that warning
cannot be avoided and is taken out. Its Debian build reads no deflated files, so the SEG is checked unpacked.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_import import import_sr_seg
from RegionReportLib.export.dicom_seg import write_seg
from RegionReportLib.export.dicom_series import read_source_headers
from RegionReportLib.export.dicom_sr import write_sr
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.sentence import Verdict
from RegionReportLib.report.signing import addendum, sign

_PRIVATE_SCHEME = "Unrecognized defined term = <99REGIONREPORT>"
_AT = datetime(2026, 1, 2, 3, 4, 5)


def complaints(path: Path) -> list[str]:
    """Return dciodvfy's errors and warnings."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    told = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False).stderr
    lines = [line for line in told.splitlines() if line.startswith(("Error", "Warning"))]
    assert "Segmentation" in told or "Comprehensive3DSR" in told, told  # it knew what it looked at
    return [line for line in lines if not line.endswith(_PRIVATE_SCHEME)]


def outline(path: Path) -> str:
    """Return dsrdump's listing in full."""
    if shutil.which("dsrdump") is None:
        pytest.skip("dsrdump is not installed (Debian package dcmtk)")
    listing = subprocess.run(["dsrdump", "+Pl", str(path)], capture_output=True, check=False)
    assert listing.returncode == 0, listing.stderr
    return listing.stdout.decode("utf-8")


def kinds(report: Report) -> dict[str, Report]:
    """The same report in each state of its life."""
    first = sign(report, "Dr. Żaneta O’Brien 山田", "2026-01-02T09:00:00+01:00")
    second = addendum(first, "report-2", "2026-01-03T10:00:00+01:00")
    second = second.with_sentences([replace(report.sentence("s6"), id="a1", text="Ergänzung: größer als 4 mm – 肺")])
    return {"draft": report, "signed": first, "addendum": sign(second, "Doe^Jane", "2026-01-03T11:00:00+01:00")}


@pytest.mark.parametrize("grouping", ["region", "structure"])
def test_dciodvfy_finds_nothing_in_the_seg(dicom_case: Any, tmp_path: Path, grouping: Any) -> None:
    path = tmp_path / "seg.dcm"
    finish(write_seg(dicom_case.masks, dicom_case.headers, path, made_at=_AT, grouping=grouping, deflate=False))
    assert complaints(path) == []


@pytest.mark.parametrize("kind", ["draft", "signed", "addendum"])
def test_dciodvfy_finds_nothing_in_the_sr(dicom_case: Any, tmp_path: Path, kind: str) -> None:
    seg = finish(write_seg(dicom_case.masks, dicom_case.headers, tmp_path / "seg.dcm", made_at=_AT))
    finish(write_sr(kinds(dicom_case.report)[kind], dicom_case.headers, seg, tmp_path / "sr.dcm"))
    assert complaints(tmp_path / "sr.dcm") == []


def test_dciodvfy_does_find_what_is_wrong(dicom_case: Any, tmp_path: Path) -> None:
    """The check is worth something only if it can fail."""
    import pydicom

    seg = finish(write_seg(dicom_case.masks, dicom_case.headers, tmp_path / "seg.dcm", made_at=_AT))
    finish(write_sr(dicom_case.report, dicom_case.headers, seg, tmp_path / "sr.dcm"))
    document = pydicom.dcmread(tmp_path / "sr.dcm")
    document.VerificationFlag = "VERIFIED"
    document.save_as(tmp_path / "wrong.dcm")
    assert any("VerifyingObserverSequence" in line for line in complaints(tmp_path / "wrong.dcm"))


def test_dsrdump_shows_every_sentence_with_its_segments(dicom_case: Any, tmp_path: Path) -> None:
    _, sr = finish(export_dicom(dicom_case.report, dicom_case.masks, tmp_path, grouping="structure"))
    shown = linked(outline(sr))
    assert shown == {
        "Right pleural fluid 310 mL.": ["1"],
        "No nodule on the left – größer als 4 mm.": ["2"],
        "Both lungs and the heart: no change.": ["1,2", "5,6"],
        "Aorta of normal width.": ["6"],
        "Compared with nothing.": [],
    }


def test_another_reader_reads_both(dicom_case: Any, tmp_path: Path) -> None:
    """By highdicom; it cannot read a measurement of unknown value, which DICOM writes as an empty sequence."""
    import highdicom

    known = tuple(m for m in dicom_case.report.measurements if m.value is not None)
    ids = {m.id for m in known}
    said = (replace(s, evidence=tuple(e for e in s.evidence if e in ids)) for s in dicom_case.report.sentences)
    report = replace(dicom_case.report.with_sentences(said), measurements=known)
    seg, sr = finish(export_dicom(report, dicom_case.masks, tmp_path))
    document = highdicom.sr.srread(sr)
    words = {item.TextValue for item in texts_of(document) if item.name.meaning == "Finding"}
    assert words == {s.text for s in report.sentences if s.verdict is not Verdict.REJECTED}
    assert highdicom.seg.segread(seg).number_of_segments == 7


def texts_of(item: Any) -> list[Any]:
    below = [one for child in item.get("ContentSequence", ()) for one in texts_of(child)]
    return [*([item] if item.get("ValueType") == "TEXT" else []), *below]


def linked(listing: str) -> dict[str, list[str]]:
    """Return by sentence the segment numbers in dsrdump's lines below it."""
    found: dict[str, list[str]] = {}
    words = ""
    for line in listing.splitlines():
        if match := re.search(r'contains TEXT:\(,,"Finding"\)="(.*)">$', line):
            words = match[1]
            found[words] = []
        elif match := re.search(r'inferred from IMAGE:\(,,"Illustration of ROI"\)=\(SG image,.*?,([\d,]+)\)>$', line):
            found[words].append(match[1])
    return found


@pytest.mark.real_data
def test_a_real_series_goes_out_and_comes_back(dicom_case: Any, real_data: Path, tmp_path: Path) -> None:
    """A CT whose patient and physician are single words, which dciodvfy warns of: those stand in the source."""
    folder = real_data / "cip-64" / "dicom"
    volume = finish(read_volume(folder))
    labels = np.where(volume.hu < -700, 1, np.where(volume.hu > 250, 2, 0)).astype(np.uint8)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, volume.grid, ("lung_right", "bone"), "classical 1", coverage, {})
    study = Study(str(folder), volume.digest(), volume.grid, volume.provenance.dicom)
    headers = finish(read_source_headers(study))
    report = replace(dicom_case.report, study=study, coverage=coverage, coverage_notes={})
    seg = finish(write_seg(masks, headers, tmp_path / "seg.dcm", made_at=_AT, deflate=False))
    for kind, one in kinds(report).items():
        finish(write_sr(one, headers, seg, tmp_path / f"{kind}.dcm"))
        ours = [line for line in complaints(tmp_path / f"{kind}.dcm") if "Retired Person Name form" not in line]
        assert ours == [], kind
    assert [line for line in complaints(tmp_path / "seg.dcm") if "Retired Person Name form" not in line] == []
    back, masks_back = import_sr_seg(tmp_path / "draft.dcm", tmp_path / "seg.dcm")
    assert replace(back.study, path=str(folder)) == study
    assert (masks_back.structure("bone") == masks.structure("bone")).all()
