"""Confidence of boxes: hits and bins counted by hand on cubes of 10 mm."""

from __future__ import annotations

import pytest

from RegionReportLib.evaluate.existence import ConfidentBox, calibration, hits_of
from RegionReportLib.imaging.box import Box


def cube(x: float) -> Box:
    return Box((x, 0.0, 0.0), (x + 10.0, 10.0, 10.0))


def test_the_surest_box_takes_the_true_one_and_a_second_on_it_hits_nothing() -> None:
    # Shifted by 2 mm: IoU 8/12 = 0.67; by 1 mm: 9/11 = 0.82. The surer one chooses first though it lies less well.
    found = [ConfidentBox(cube(1), 0.4), ConfidentBox(cube(2), 0.9), ConfidentBox(cube(50), 0.8)]
    assert hits_of([cube(0), cube(50)], found) == (False, True, True)


def test_too_little_overlap_is_no_hit_and_leaves_the_true_box_free() -> None:
    # Shifted by 6 mm: 4/16 = 0.25, under 0.3; by 5 mm: 5/15 = 0.33.
    found = [ConfidentBox(cube(6), 0.9), ConfidentBox(cube(5), 0.5)]
    assert hits_of([cube(0)], found) == (False, True)
    assert hits_of([], found) == (False, False) and hits_of([cube(0)], []) == ()


def test_bins_hold_their_upper_end_and_the_first_one_nought() -> None:
    told = calibration([0.0, 0.1, 0.95, 1.0, 0.91], [False, True, True, True, False])
    assert [b.hits.total for b in told.bins] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    first, last = told.bins[0], told.bins[-1]
    assert (first.confidence, first.hits.right) == (pytest.approx(0.05), 1)
    assert last.confidence == pytest.approx(2.86 / 3) and last.hits.right == 2
    assert told.bins[4].confidence is None and told.bins[4].hits.percent is None
    # |1 - 0.1| of the first bin and |2 - 2.86| of the last one, over five boxes.
    assert told.error == pytest.approx((0.9 + 0.86) / 5)


def test_without_boxes_there_is_no_error_and_no_confidence_beyond_one() -> None:
    assert calibration([], []).error is None
    with pytest.raises(ValueError, match=r"got 1\.5"):
        ConfidentBox(cube(0), 1.5)
