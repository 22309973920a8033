"""What a model says of its own words is kept as values, and reports from before these values keep their digests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.canonical import canonical, sha256
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_from_dict, report_to_dict
from RegionReportLib.report.sentence import Author, Origin, Sentence

LABEL = "demonstration model, not for patients"
BEFORE = "e044958a40c44cea60e3ffc3c6113d997b125301275765813c97e253e6d689c3"
"""SHA-256 of the canonical form of the fixture, taken with the program as it was before there were such values."""


def with_values(report: Report) -> Report:
    old = report.sentence("s2")
    anchor = replace(old.anchors[0], confidence=0.75, dispersion_mm=12.5)
    origin = Origin(Author.MODEL, "demo 0123", LABEL)
    new = replace(old, origin=origin, anchors=(anchor,), asked_about="bones", support=0.25)
    return report.with_sentences(new if s.id == "s2" else s for s in report.sentences)


def test_a_report_without_them_is_written_as_before_so_that_signatures_still_hold(drafted: Report) -> None:
    assert sha256(canonical(report_to_dict(drafted))) == BEFORE


def test_they_survive_the_round_trip(drafted: Report) -> None:
    report = with_values(drafted)
    written = report_to_dict(report)
    sentence = next(s for s in written["sentences"] if s["id"] == "s2")
    assert (sentence["asked_about"], sentence["support"]) == ("bones", 0.25)
    assert sentence["origin"] == {"author": "model", "model": "demo 0123", "label": LABEL}
    assert sentence["anchors"][0]["dispersion_mm"] == 12.5
    assert report_from_dict(written) == report


@pytest.mark.parametrize(
    ("key", "value"), [("support", 1.5), ("support", "high"), ("asked_about", "brain"), ("dispersion_mm", -1.0)]
)
def test_values_that_cannot_be_are_refused(drafted: Report, key: str, value: Any) -> None:
    written = report_to_dict(with_values(drafted))
    sentence = next(s for s in written["sentences"] if s["id"] == "s2")
    (sentence["anchors"][0] if key == "dispersion_mm" else sentence)[key] = value
    with pytest.raises(InputRefused, match="sentences/1"):
        report_from_dict(written)


def test_they_check_themselves_when_they_are_made(drafted: Report) -> None:
    old: Sentence = drafted.sentence("s2")
    for change in ({"support": -0.1}, {"asked_about": "brain"}):
        with pytest.raises((ValueError, KeyError)):
            replace(old, **change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        replace(old.anchors[0], dispersion_mm=-1.0)
    with pytest.raises(ValueError, match="only a model has a label"):
        Origin(Author.MEASURED, label=LABEL)
