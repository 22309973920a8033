"""The SR says what the report says, follows the signing rules, and comes back as it went."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from RegionReportLib.errors import InputRefused
from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_import import import_sr_seg
from RegionReportLib.export.dicom_seg import SegReference
from RegionReportLib.export.dicom_sr import instance_uid, write_sr
from RegionReportLib.export.dicom_sr_reading import read_sr, segment_links
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import Verdict
from RegionReportLib.report.signing import addendum, sign

SEG = SegReference("1.2.826.0.1.55.1", "2.25.5", "2.25.6", {"lung_right": 1, "lung_left": 2, "heart": 5, "aorta": 6})
SIGNED_AT = "2026-01-02T09:00:00+01:00"


def signed(report: Report, name: str = "Dr. Żaneta O’Brien 山田") -> Report:
    return sign(report, name, SIGNED_AT)


def written(case: Any, report: Report, path: Path) -> Dataset:
    finish(write_sr(report, case.headers, SEG, path))
    return pydicom.dcmread(path)


def walk(item: Dataset) -> list[Dataset]:
    below = list(item.get("ContentSequence", ()))
    return below + [one for child in below for one in walk(child)]


def findings(document: Dataset) -> list[Dataset]:
    """TEXT items named 121071 Finding, by pydicom alone."""
    return [i for i in walk(document) if i.ValueType == "TEXT" and i.ConceptNameCodeSequence[0].CodeValue == "121071"]


def below(item: Dataset, kind: str, code: str, relation: str) -> list[Dataset]:
    return [
        child
        for child in item.ContentSequence
        if (child.ValueType, child.RelationshipType) == (kind, relation)
        and child.ConceptNameCodeSequence[0].CodeValue == code
    ]


def test_report_and_masks_come_back(dicom_case: Any, tmp_path: Path) -> None:
    for report in (dicom_case.report, signed(dicom_case.report)):
        seg, sr = finish(export_dicom(report, dicom_case.masks, tmp_path, grouping="structure"))
        back, masks = import_sr_seg(sr, seg)

        assert back == carried(report)
        assert_same_masks(masks, dicom_case.masks)


def assert_same_masks(one: RegionMasks, other: RegionMasks) -> None:
    assert one.grid == other.grid and set(one.structures) == set(other.structures)
    assert (one.method, one.coverage, one.coverage_notes) == (other.method, other.coverage, other.coverage_notes)
    for name in one.structures:
        assert (one.structure(name) == other.structure(name)).all()


def test_carried_is_what_it_says(dicom_case: Any) -> None:
    """Nothing hides behind the measure of equality: only rejected sentences, flags and the path are gone."""
    report = dicom_case.report
    told = carried(report)
    assert carried(told) == told
    assert [s.id for s in told.sentences] == ["s1", "s3", "s6", "s2", "s4"]  # by region, in its order; s5 is rejected
    for sentence in told.sentences:
        was = report.sentence(sentence.id)
        assert replace(sentence, anchors=(), flags=()) == replace(was, anchors=(), flags=())
        for anchor, before in zip(sentence.anchors, was.anchors, strict=True):
            assert anchor.place.box.min_mm == pytest.approx(before.place.box.min_mm, abs=1e-4)
            assert replace(anchor, place=before.place) == before
    assert replace(told.study, path=report.study.path) == report.study
    assert [replace(m, place=None) for m in told.measurements] == [replace(m, place=None) for m in report.measurements]


def test_every_sentence_is_inferred_from_the_segments_of_its_places(dicom_case: Any, tmp_path: Path) -> None:
    document = written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    links = {}
    for item in findings(document):
        images = [p for i in below(item, "IMAGE", "121200", "INFERRED FROM") for p in i.ReferencedSOPSequence]
        assert all(p.ReferencedSOPInstanceUID == SEG.instance_uid for p in images)
        links[item.TextValue] = [p.ReferencedSegmentNumber for p in images]

    assert links == {
        "Right pleural fluid 310 mL.": [1],
        "No nodule on the left – größer als 4 mm.": [2],
        "Both lungs and the heart: no change.": [[1, 2], [5, 6]],
        "Aorta of normal width.": [6],
        "Compared with nothing.": [],
    }
    assert segment_links(tmp_path / "sr.dcm") == {"s1": (1,), "s2": (6,), "s3": (2,), "s4": (), "s6": (1, 2, 5, 6)}


def test_boxes_stand_in_the_space_of_the_scan_in_dicoms_axes(dicom_case: Any, tmp_path: Path) -> None:
    """The box from (5, -60, 0) to (90.1, 60, 200) in RAS, by hand: x and y change their sign."""
    document = written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    site = below(findings(document)[0], "CODE", "363698007", "INFERRED FROM")[0]
    box = next(i for i in site.ContentSequence if i.get("GraphicType") == "POLYLINE")
    points = [tuple(round(float(v), 3) for v in box.GraphicData[n : n + 3]) for n in range(0, len(box.GraphicData), 3)]

    assert box.ReferencedFrameOfReferenceUID == "1.2.826.0.1.55.4"
    assert set(points) == {(x, y, z) for x in (-90.1, -5.0) for y in (-60.0, 60.0) for z in (0.0, 200.0)}
    edges = {frozenset(pair) for pair in pairwise(points)}
    assert len(edges) == 12 and all(sum(a != b for a, b in zip(*edge, strict=True)) == 1 for edge in edges)


def test_who_wrote_a_sentence_is_its_observer(dicom_case: Any, tmp_path: Path) -> None:
    document = written(dicom_case, signed(dicom_case.report, "Reader One"), tmp_path / "sr.dcm")
    seen = {}
    for item in findings(document):
        kinds = [i.ConceptCodeSequence[0].CodeValue for i in below(item, "CODE", "121005", "HAS OBS CONTEXT")]
        names = [str(i.PersonName) for i in below(item, "PNAME", "121008", "HAS OBS CONTEXT")]
        seen[item.TextValue.split()[0]] = (kinds, names)

    device, person = "121007", "121006"
    assert seen["Right"] == ([device], [])  # measured
    assert seen["No"] == ([device], [])  # the model's
    assert seen["Aorta"] == ([device, person], ["Reader One^"])  # the model's, edited
    assert seen["Both"] == ([person], ["Reader One^"])
    assert seen["Compared"] == ([], [])  # imported: not known here
    assert [a.ObserverType for a in document.AuthorObserverSequence] == ["DEV", "PSN"]


def test_flags_follow_the_signing_rules(dicom_case: Any, tmp_path: Path) -> None:
    draft = written(dicom_case, dicom_case.report, tmp_path / "draft.dcm")
    final = written(dicom_case, signed(dicom_case.report), tmp_path / "final.dcm")

    assert (draft.CompletionFlag, draft.VerificationFlag, draft.PreliminaryFlag) == (
        "PARTIAL",
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert "VerifyingObserverSequence" not in draft
    assert (final.CompletionFlag, final.VerificationFlag, final.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    by = final.VerifyingObserverSequence[0]
    assert str(by.VerifyingObserverName) == "Dr. Żaneta O’Brien 山田^"
    assert by.VerificationDateTime == "20260102090000+0100"


def test_what_was_changed_after_signing_is_not_exported_as_verified(dicom_case: Any, tmp_path: Path) -> None:
    report = signed(dicom_case.report)
    forged = report.with_sentences(replace(s, text=f"{s.text} Or not.") for s in report.sentences)
    with pytest.raises(InputRefused, match="not what was signed"):
        finish(write_sr(forged, dicom_case.headers, SEG, tmp_path / "sr.dcm"))
    assert not list(tmp_path.iterdir())


def test_rejected_sentences_are_not_in_the_document(dicom_case: Any, tmp_path: Path) -> None:
    written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    assert b"Wrong and rejected" not in (tmp_path / "sr.dcm").read_bytes()


def test_an_addendum_names_the_document_of_the_report_it_amends(dicom_case: Any, tmp_path: Path) -> None:
    first = signed(dicom_case.report)
    original = written(dicom_case, first, tmp_path / "first.dcm")
    empty = addendum(first, "report-2", "2026-01-03T10:00:00+01:00")
    said = replace(dicom_case.report.sentence("s6"), id="a1")
    second = signed(empty.with_sentences([said]))
    later = written(dicom_case, second, tmp_path / "second.dcm")

    series = later.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == original.SOPInstanceUID != later.SOPInstanceUID
    assert series.SeriesInstanceUID == original.SeriesInstanceUID
    assert read_sr(tmp_path / "second.dcm") == carried(second)
    assert read_sr(tmp_path / "second.dcm").predecessor == "report-1"


def test_the_same_report_again_gives_the_same_bytes_and_another_draft_another_uid(
    dicom_case: Any, tmp_path: Path
) -> None:
    report = dicom_case.report
    written(dicom_case, report, tmp_path / "one.dcm")
    written(dicom_case, report, tmp_path / "two.dcm")
    assert (tmp_path / "one.dcm").read_bytes() == (tmp_path / "two.dcm").read_bytes()
    changed = report.with_sentences(replace(s, verdict=Verdict.PENDING, verdict_before=None) for s in report.sentences)
    assert instance_uid(changed) != instance_uid(report)


def test_patient_and_study_are_those_of_the_scan(dicom_case: Any, tmp_path: Path) -> None:
    document = written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    assert str(document.PatientName) == "Müller^Jörg" and document.SpecificCharacterSet == "ISO_IR 192"
    assert (document.PatientID, document.StudyInstanceUID) == ("P-17", "1.2.826.0.1.55.1")
    assert str(dicom_case.folder) not in (tmp_path / "sr.dcm").read_bytes().decode("latin-1")


def test_a_measurement_without_a_value_says_so(dicom_case: Any, tmp_path: Path) -> None:
    document = written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    item = next(
        i for i in walk(document) if i.ValueType == "NUM" and i.ConceptNameCodeSequence[0].CodeValue == "112181"
    )
    assert not item.MeasuredValueSequence and item.NumericValueQualifierCodeSequence[0].CodeValue == "114010"


HOSTILE = {
    "markup": '<script>alert("x")</script> & ]]> \\ %s {0}',
    "lines": "first\r\nsecond\tthird\fend",
    "right to left": "لا يوجد انصباب جنبي \u202e evil \u202c ‏עברית",
    "64 k": "No nodule. " * 6000,
    "beyond the basic plane": "🫁 𝔏ung \u0301\u200b\ufeff",
    "carets": "a^b=c\\d^e",
    "blanks before": "   x",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_carried_as_it_is(dicom_case: Any, tmp_path: Path, words: str) -> None:
    sentence = replace(dicom_case.report.sentences[0], text=words, key_phrase=None)
    report = replace(dicom_case.report.with_sentences([sentence]), notes=(words,), segmenter=words)
    written(dicom_case, report, tmp_path / "sr.dcm")

    back = read_sr(tmp_path / "sr.dcm")
    assert back.sentences[0].text == words.rstrip(" ") and back.notes == (words.rstrip(" "),)
    assert back == carried(report)


@pytest.mark.parametrize("words", ["a\0b", "bell \x07", "esc \x1b[31m", "c1 \x85", "half \ud800"])
def test_what_dicom_text_cannot_hold_is_refused_and_nothing_is_written(
    dicom_case: Any, tmp_path: Path, words: str
) -> None:
    report = dicom_case.report.with_sentences([replace(dicom_case.report.sentences[0], text=words, key_phrase=None)])
    with pytest.raises(InputRefused):
        finish(export_dicom(report, dicom_case.masks, tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a\\b", "x" * 64, "a^b^c^d^e^f", "a=b=c=d"])
def test_a_name_that_dicom_cannot_hold_is_refused(dicom_case: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused, match="person name"):
        finish(write_sr(signed(dicom_case.report, name), dicom_case.headers, SEG, tmp_path / "sr.dcm"))


def test_a_report_about_another_series_is_refused(dicom_case: Any, tmp_path: Path) -> None:
    source = replace(dicom_case.report.study.dicom, instance_uids=("1.2.3",) * 14)
    other = replace(dicom_case.report, study=replace(dicom_case.report.study, dicom=source))
    with pytest.raises(InputRefused, match="does not hold the slices"):
        finish(write_sr(other, dicom_case.headers, SEG, tmp_path / "sr.dcm"))


def test_other_documents_and_changed_ones_are_refused(dicom_case: Any, tmp_path: Path) -> None:
    document = written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    document.VerificationFlag = "VERIFIED"
    document.save_as(tmp_path / "forged.dcm")
    with pytest.raises(InputRefused, match="verified but not complete"):
        read_sr(tmp_path / "forged.dcm")
    del document.ContentSequence
    document.save_as(tmp_path / "empty.dcm")
    for path in (tmp_path / "empty.dcm", next(dicom_case.folder.iterdir())):
        with pytest.raises(InputRefused, match="no report that RegionReport wrote"):
            read_sr(path)


def test_a_cut_file_is_refused_wherever_it_is_cut(dicom_case: Any, tmp_path: Path) -> None:
    written(dicom_case, dicom_case.report, tmp_path / "sr.dcm")
    content = (tmp_path / "sr.dcm").read_bytes()
    for cut in range(0, len(content), len(content) // 40):
        (tmp_path / "cut.dcm").write_bytes(content[:cut])
        with pytest.raises(InputRefused):
            read_sr(tmp_path / "cut.dcm")
