"""Text and HTML of a report: complete, escaped, honest about who wrote what."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.export.html import report_html
from RegionReportLib.export.text import report_text
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.report.document import Report, Signature, Status, Study
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict

HOSTILE = "<script>alert(1)</script> \"quoted\" & 'single' <img src=x onerror=y>"
GRID = Grid((10, 40, 40), np.diag([5.0, 5, 10, 1]))


def report() -> Report:
    lungs = Place("lungs", Box((0, 0, 0), (200, 200, 100)), (100, 100, 50))
    spot = Place("lungs", Box((20, 20, 20), (60, 60, 60)), (40, 40, 40), side=Side.RIGHT)
    measured, model = Origin(Author.MEASURED), Origin(Author.MODEL, "demo@1")
    sentences = (
        Sentence("lungs-1", "Lung volume 4.9 L.", ("lungs",), (Anchor(lungs, AnchorSource.MEASUREMENT),),
                 Polarity.PRESENT, measured, ("m1",), (0, 11)),
        Sentence("lungs-2", HOSTILE, ("lungs",), (Anchor(spot, AnchorSource.MODEL),), Polarity.PRESENT, model,
                 verdict=Verdict.EDITED, flags=(Flag(FlagKind.SIDE, "left <b>here</b>"),)),
        Sentence("heart-1", "Rejected words.", ("heart_great_vessels",), (), Polarity.PRESENT, model,
                 verdict=Verdict.REJECTED),
        Sentence("free-1", "Without any place.", (), (), Polarity.UNCERTAIN, Origin(Author.READER),
                 verdict=Verdict.ADDED, placeless=True),
    )  # fmt: skip
    measurement = Measurement("m1", "volume", "lungs", 4900, "mL", "voxels counted & summed")
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL}
    return Report(
        "r", Study("ct <1>.nii.gz", "0" * 64, GRID), coverage, {"upper_abdomen": "cut at the bottom"}, (lungs, spot),
        (measurement,), sentences, "measured", "classical", "2026-01-01T00:00:00+00:00", ("Padding at the rim.",),
    )  # fmt: skip


class Reader(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_text_has_one_paragraph_per_region_and_leaves_rejected_sentences_out() -> None:
    text = report_text(report())
    assert text.startswith("LUNGS\nLung volume 4.9 L. <script>")
    assert "Rejected words" not in text
    assert "WITHOUT A PLACE\nWithout any place." in text
    assert text.endswith(
        "Padding at the rim.\n"
        "Sentences: 1 written by measurement software; 1 written by a language model, edited by the reader; "
        "1 written by the reader. Writer: measured. Segmentation: classical.\n"
        "DRAFT, not signed: 2 of 3 sentences judged by a reader.\n"
    )


def test_a_signed_report_says_who_signed_and_what_it_amends() -> None:
    signed = replace(
        report(), status=Status.SIGNED, signature=Signature("Dr Åse", "2026-01-02T10:00:00+00:00", "0" * 64),
        predecessor="r0",
    )  # fmt: skip
    assert "Signed by Dr Åse, 2026-01-02 10:00 UTC. Addendum to report r0." in report_text(signed)
    assert "class='signed'" in report_html(signed)


def test_html_escapes_every_text_and_needs_no_script() -> None:
    page = report_html(report())
    reader = read(page)
    assert HOSTILE in reader.text
    assert "left <b>here</b>" in reader.text
    assert "ct <1>.nii.gz" in reader.text
    assert not {"script", "iframe", "object", "form", "input"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]


def test_html_loads_nothing_from_anywhere() -> None:
    reader = read(report_html(report(), *scan()))
    addresses = [v or "" for n, v in reader.attributes if n in ("src", "href", "srcset", "action")]
    assert addresses
    assert all(a.startswith("data:image/jpeg;base64,") for a in addresses)
    assert "default-src 'none'" in report_html(report())


def scan() -> tuple[Volume, RegionMasks]:
    labels = np.zeros(GRID.shape_kji, np.uint8)
    labels[2:8, 5:35, 5:35] = 1
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    hu = np.full(GRID.shape_kji, -800, np.int16)
    return Volume(hu, GRID, Provenance("x", "phantom")), RegionMasks(labels, GRID, ("lung_right",), "m", coverage, {})


def test_html_shows_the_region_and_the_focal_finding_beside_its_text() -> None:
    page = report_html(report(), *scan())
    assert "id='fig-lungs'" in page
    assert "id='fig-lungs-2'" in page
    assert "id='fig-lungs-1'" not in page  # the whole lungs are no focal finding


def test_html_tells_the_scan_by_its_name_and_not_where_it_lies() -> None:
    made = report()
    page = report_html(replace(made, study=replace(made.study, path="/home/ada/Patients/Doe Jane/ct.nii.gz")))
    assert "ct.nii.gz, voxels of" in page and "Patients" not in page


def test_a_picture_of_a_finding_says_which() -> None:
    made = report()
    made = made.with_sentences(replace(s, key_phrase=(0, 4)) for s in made.sentences)
    words = next(s.text[:4] for s in made.sentences if s.id == "lungs-2")
    assert f"{words}: right lung, axial" in read(report_html(made, *scan())).text


def test_html_names_state_coverage_places_and_origin_of_each_sentence() -> None:
    text = read(report_html(report())).text
    assert "partial: cut at the bottom" in text
    assert "right lung (R 40, A 40, S 40; 40 × 40 × 40 mm) · model, edited by the reader" in text
    assert "no place · reader" in text
    assert "Rejected words" not in text
    assert "No DICOM: patient and study identifiers are not known" in text


@pytest.mark.parametrize("text", ["‮right-to-left", "😀 " * 50, "]]>", "&lt;", "a" * 64_000])
def test_odd_text_is_carried(text: str) -> None:
    base = report()
    odd = base.with_sentences([replace(base.sentences[1], text=text)])
    assert text in read(report_html(odd)).text


def test_characters_that_html_forbids_are_shown_as_replaced() -> None:
    base = report()
    odd = base.with_sentences([replace(base.sentences[1], text="a\x00b\x1bc\ud800d")])
    page = report_html(odd)
    assert "a\ufffdb\ufffdc\ufffdd" in read(page).text
    page.encode("utf-8")
