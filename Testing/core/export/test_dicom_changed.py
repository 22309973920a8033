"""A DICOM SR that somebody changed on the way: a signed one is refused, a draft is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_sr_reading import as_exported, read_sr
from RegionReportLib.progress import finish
from RegionReportLib.report.signing import sign


@pytest.fixture
def files(dicom_case: Any, tmp_path: Path) -> dict[str, tuple[Path, Path]]:
    """SEG and SR of a draft and of the same report signed."""
    made = {}
    signed = sign(dicom_case.report, "Dr. Ä", "2026-01-02T09:00:00+01:00")
    for name, report in (("draft", dicom_case.report), ("signed", signed)):
        (tmp_path / name).mkdir()
        made[name] = finish(export_dicom(report, dicom_case.masks, tmp_path / name))
    return made


def items(item: Dataset, code: str) -> Iterator[Dataset]:
    """Items below `item` whose name has this code value."""
    for child in item.get("ContentSequence", ()):
        if child.ConceptNameCodeSequence and child.ConceptNameCodeSequence[0].CodeValue == code:
            yield child
        yield from items(child, code)


def first(document: Dataset, code: str) -> Dataset:
    return next(items(document, code))


def without(document: Dataset, code: str) -> None:
    document.ContentSequence = [
        child for child in document.ContentSequence if child.ConceptNameCodeSequence[0].CodeValue != code
    ]


def heading_with_sentences(document: Dataset) -> Dataset:
    return next(child for child in document.ContentSequence if any(items(child, "121071")))


def lose_a_sentence(document: Dataset) -> None:
    heading = heading_with_sentences(document)
    keep = list(heading.ContentSequence)
    keep.remove(next(items(heading, "121071")))
    heading.ContentSequence = keep


CHANGES: dict[str, Callable[[Dataset], Any]] = {
    "other words": lambda d: setattr(first(d, "121071"), "TextValue", "Right pleural fluid 130 mL."),
    "a lost sentence": lose_a_sentence,
    "another number": lambda d: setattr(
        next(n for g in items(d, "125007") for n in g.ContentSequence if n.ValueType == "NUM").MeasuredValueSequence[0],
        "FloatingPointValue",
        311.0,
    ),
    "another verdict": lambda d: setattr(first(d, "VERDICT").ConceptCodeSequence[0], "CodeValue", "ADDED"),
    "another signer": lambda d: setattr(d.VerifyingObserverSequence[0], "VerifyingObserverName", "Doe^Jane"),
    "another time": lambda d: setattr(first(d, "SIGNED_AT"), "TextValue", "2026-01-03T09:00:00+01:00"),
    "another scan": lambda d: setattr(first(d, "SCAN_SHA256"), "TextValue", "0" * 64),
    "no digest": lambda d: without(d, "EXPORT_SHA256"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_signed_report_that_was_changed_is_refused(
    files: dict[str, tuple[Path, Path]], change: Callable[[Dataset], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seg, sr = files["signed"]
    document = pydicom.dcmread(sr)
    change(document)
    document.save_as(sr)
    with pytest.raises(InputRefused, match="signed report that was changed after it was exported"):
        read_sr(sr)
    assert main(["import-dicom", str(sr), str(seg), "-o", str(sr.parent / "back")]) == 3
    assert not (sr.parent / "back").exists()


def test_an_archive_may_store_it_anew_and_correct_the_patient(files: dict[str, tuple[Path, Path]]) -> None:
    _, sr = files["signed"]
    before = read_sr(sr)
    document = pydicom.dcmread(sr)
    document.PatientName, document.AccessionNumber = "Corrected^Name", "A-2"
    document.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    document.save_as(sr, implicit_vr=True, little_endian=True, enforce_file_format=True)
    after = read_sr(sr)
    assert after.sentences == before.sentences and after.signature == before.signature
    assert after.study.dicom is not None and after.study.dicom.patient_name == "Corrected^Name"
    assert as_exported(sr)


def test_a_draft_that_was_changed_is_read_and_told_of(
    files: dict[str, tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    seg, sr = files["draft"]
    assert main(["import-dicom", str(sr), str(seg), "-o", str(sr.parent / "intact")]) == 0
    assert "is what was exported (SHA-256)" in capsys.readouterr().out

    document = pydicom.dcmread(sr)
    first(document, "121071").TextValue = "Right pleural fluid 130 mL."
    document.save_as(sr)
    assert not as_exported(sr)
    assert main(["import-dicom", str(sr), str(seg), "-o", str(sr.parent / "changed")]) == 0
    assert "CHANGED after it was exported" in capsys.readouterr().out


def test_the_command_says_what_of_a_signed_report_can_be_verified(
    files: dict[str, tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    seg, sr = files["signed"]
    back = sr.parent / "back"
    assert main(["import-dicom", str(sr), str(seg), "-o", str(back)]) == 0
    told = capsys.readouterr().out
    assert "Signed by Dr. Ä, 2026-01-02 08:00 UTC" in told
    assert "is what was exported (SHA-256)" in told and "signature itself cannot be verified from DICOM" in told
    assert main(["verify", str(back)]) == 3  # and verify does not claim more
    assert "not what was signed" in capsys.readouterr().out
