"""Places that a program found stand beside a sentence's own, never in their stead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.box import Box
from RegionReportLib.report import edits as e
from RegionReportLib.report.apply import apply
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_from_dict, report_to_dict
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.undo import inverse


def found(x_mm: float, region_id: str = "lungs") -> Anchor:
    box = Box((x_mm, 0, 0), (x_mm + 10, 10, 10))
    return Anchor(Place(region_id, box, box.center_mm), AnchorSource.VOXTELL, note="9 mm long")


def test_they_stand_behind_the_present_ones_and_are_to_be_viewed(drafted: Report) -> None:
    seen = apply(drafted, e.MarkViewed("s1"))
    new = apply(seen, e.OfferPlaces("s1", (found(30, "bones"),))).sentence("s1")
    assert new.anchors == (*drafted.sentence("s1").anchors, found(30, "bones"))
    assert new.regions == (*drafted.sentence("s1").regions, "bones")
    assert not new.viewed


def test_they_give_way_to_newer_ones_and_are_taken_back_by_undo(drafted: Report) -> None:
    first, second = e.OfferPlaces("s1", (found(30), found(60))), e.OfferPlaces("s1", (found(90),))
    once = apply(drafted, first)
    twice = apply(once, second)
    assert twice.sentence("s1").anchors == (*drafted.sentence("s1").anchors, found(90))
    assert apply(twice, inverse(once, second)) == once
    assert apply(once, first) is once


def test_the_report_file_keeps_them(drafted: Report) -> None:
    report = apply(drafted, e.OfferPlaces("s1", (found(30),)))
    assert report_from_dict(report_to_dict(report)) == report


@pytest.mark.parametrize(
    ("before", "anchors", "why"),
    [
        ((), (), "got 0 places"),
        ((), (replace(found(30), source=AnchorSource.READER),), "only places that a program found"),
        ((e.MarkPlaceless("s1"),), (found(30),), "declared to have no place"),
        ((e.Reject("s1"),), (found(30),), "is rejected"),
    ],
)
def test_what_the_reader_decided_stands(
    drafted: Report, before: tuple[e.Edit, ...], anchors: tuple[Anchor, ...], why: str
) -> None:
    for edit in before:
        drafted = apply(drafted, edit)
    with pytest.raises(Conflict, match=why):
        apply(drafted, e.OfferPlaces("s1", anchors))
