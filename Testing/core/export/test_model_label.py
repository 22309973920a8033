"""A model that must be called something is called that beside each of its sentences, in whatever leaves the tool."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_import import import_sr_seg
from RegionReportLib.export.fhir import report_bundle
from RegionReportLib.export.html import report_html
from RegionReportLib.export.standing import authorship, short_authorship
from RegionReportLib.export.text import report_text
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import Author, Origin

SHORT, LABEL = "demonstration model", "demonstration model, trained on phantoms, not for patients"
KINDS = ("DiagnosticReport", "Device", "Provenance")


@pytest.fixture(scope="module")
def report(dicom_case: Any) -> Report:
    """The report of the series; its three sentences of a model, one edited and one rejected, are a demonstration."""
    origin = Origin(Author.MODEL, f"{SHORT} 0123456789ab", LABEL)
    made = dicom_case.report
    return made.with_sentences(
        replace(s, origin=origin, support=0.5, asked_about="lungs") if s.origin.author is Author.MODEL else s
        for s in made.sentences
    )


def test_a_narrow_column_gets_the_label_up_to_its_first_comma(report: Report) -> None:
    told = {s.id: (authorship(s), short_authorship(s)) for s in report.sentences}
    assert told["s1"] == ("measured", ("measured", ""))
    assert told["s2"] == (f"{LABEL}, edited by the reader", (SHORT, "edited"))
    assert told["s3"] == (LABEL, (SHORT, ""))


def test_the_text_for_the_ris_says_it_behind_each_sentence_and_whole_at_the_end(report: Report) -> None:
    text = report_text(report)
    assert f"Aorta of normal width. [{SHORT}]" in text
    assert f"größer als 4 mm. [{SHORT}]" in text
    assert "310 mL. [" not in text and "no change. [" not in text
    assert f"Language model: {LABEL}." in text.splitlines()[-2]


def test_the_web_page_says_it_beside_each_sentence(report: Report) -> None:
    page = report_html(report)
    lines = {m[1]: m[2] for m in re.finditer(r"<li[^>]* id='(s\d)'>(.*?)</li>", page)}
    assert {name for name, line in lines.items() if LABEL in line} == {"s2", "s3"}


def test_dicom_sr_says_it_below_each_finding_and_it_comes_back(report: Report, dicom_case: Any, tmp_path: Path) -> None:
    seg, sr = finish(export_dicom(report, dicom_case.masks, tmp_path, grouping="structure"))
    back, _ = import_sr_seg(sr, seg)
    assert back == carried(report)
    assert {s.id: s.origin.label for s in back.sentences} == {
        s.id: s.origin.label for s in report.sentences if s.id != "s5"
    }
    assert {s.id for s in back.sentences if s.origin.label} == {"s2", "s3"}

    def comments(item: Dataset) -> list[str]:
        inner = item.get("ContentSequence", ())
        return [
            i.TextValue for i in inner if i.ValueType == "TEXT" and i.ConceptNameCodeSequence[0].CodeValue == "121106"
        ]

    def walk(item: Dataset) -> list[Dataset]:
        return [item, *(one for child in item.get("ContentSequence", ()) for one in walk(child))]

    said = {
        i.TextValue: comments(i)
        for i in walk(pydicom.dcmread(sr))
        if i.ValueType == "TEXT" and i.ConceptNameCodeSequence[0].CodeValue == "121071"
    }
    assert {text for text, told in said.items() if told == [LABEL]} == {
        "Aorta of normal width.",
        "No nodule on the left – größer als 4 mm.",
    }


def test_fhir_says_it_in_the_narrative_and_of_the_writing_device(report: Report) -> None:
    source = replace(report.study.dicom, patient_id="P-17")  # type: ignore[type-var]
    bundle = report_bundle(replace(report, study=replace(report.study, dicom=source)))
    found = {kind: [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind] for kind in KINDS}
    (narrative,) = (one["text"]["div"] for one in found["DiagnosticReport"])
    lines = re.findall(r'<p id="sentence-\d+">(.*?)</p>', narrative)
    assert [LABEL in line for line in lines].count(True) == 2
    assert all(("Aorta" in line or "No nodule" in line) == (LABEL in line) for line in lines)
    assert {one["deviceName"][0]["name"] for one in found["Device"]} >= {f"{SHORT} 0123456789ab"}
    assert f"Sentences: {LABEL}, edited by the reader" in {
        one["activity"]["text"] for one in found["Provenance"] if "activity" in one
    }
