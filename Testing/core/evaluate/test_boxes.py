"""Shares of places by boxes and masks, on boxes of whole millimetres and an oblique, left-handed grid."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.evaluate.boxes import (
    ClaimScores,
    GroundedClaim,
    claim_scores,
    covered_by_boxes,
    covered_by_masks,
    covered_share,
)
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid

# Voxels of 2 × 3 × 5 mm, turned by a 3-4-5 triangle; j runs against the right hand.
OBLIQUE = Grid((2, 3, 4), np.array([[1.2, 2.4, 0, 10], [1.6, -1.8, 0, 20], [0, 0, 5, 30], [0, 0, 0, 1]], dtype=float))


def along_x(start: float, stop: float) -> Box:
    return Box((start, 0, 0), (stop, 1, 1))


def test_half_a_box_is_covered_by_a_box_shifted_by_half() -> None:
    assert covered_share([along_x(0, 2)], [along_x(1, 3)]) == pytest.approx(0.5)
    assert covered_share([Box((0, 0, 0), (2, 2, 2))], [Box((1, 1, 1), (9, 9, 9))]) == pytest.approx(1 / 8)


def test_boxes_that_overlap_count_once_on_either_side() -> None:
    assert covered_share([along_x(0, 2), along_x(1, 3)], [along_x(0, 1)]) == pytest.approx(1 / 3)
    assert covered_share([along_x(0, 4)], [along_x(0, 2), along_x(1, 3), along_x(0, 2)]) == pytest.approx(3 / 4)


def test_boxes_that_only_touch_or_miss_cover_nothing() -> None:
    assert covered_share([along_x(0, 1)], [along_x(1, 2)]) == 0.0
    assert covered_share([along_x(0, 1)], []) == 0.0


def test_a_place_without_volume_has_no_share() -> None:
    assert covered_share([], [along_x(0, 1)]) is None and covered_share([], []) is None
    assert covered_share([Box((0, 0, 0), (5, 5, 0))], [along_x(0, 1)]) is None


def test_masks_are_covered_by_their_union() -> None:
    place = np.array([[[1, 1, 1, 1]]], dtype=bool)
    one, two = np.array([[[1, 1, 0, 0]]], dtype=bool), np.array([[[0, 1, 1, 0]]], dtype=bool)
    assert covered_by_masks(place, [one, two]) == pytest.approx(3 / 4)
    assert covered_by_masks(place, []) == 0.0
    assert covered_by_masks(~place, [one]) is None
    with pytest.raises(ValueError, match="resample first"):
        covered_by_masks(place, [one[..., :2]])


def test_voxels_of_a_turned_grid_are_judged_by_their_centres_in_millimetres() -> None:
    mask = np.zeros(OBLIQUE.shape_kji, dtype=bool)
    mask[0, 0, 1] = mask[0, 1, 0] = True  # centres (11.2, 21.6, 30) and (12.4, 18.2, 30)
    first = Box((11, 21, 29), (12, 22, 31))
    assert covered_by_boxes(mask, OBLIQUE, [first]) == pytest.approx(1 / 2)
    assert covered_by_boxes(mask, OBLIQUE, [first, Box((12, 18, 30), (13, 19, 30))]) == 1.0
    assert covered_by_boxes(mask, OBLIQUE, [Box((11, 21, 31), (12, 22, 33))]) == 0.0
    assert covered_by_boxes(np.zeros_like(mask), OBLIQUE, [first]) is None
    with pytest.raises(ValueError, match="shape"):
        covered_by_boxes(mask[:1], OBLIQUE, [first])


def test_words_and_places_are_scored_apart_and_together() -> None:
    claims = [
        GroundedClaim(True, 0.9),  # both right
        GroundedClaim(True, 0.5),  # not more than half
        GroundedClaim(False, 1.0),  # right place, wrong words
        GroundedClaim(True, None),  # no place: counts for words only
    ]
    assert claim_scores(claims) == ClaimScores(logical=3 / 4, grounding=1 / 2, spatial=1 / 3)


def test_scores_of_no_claims_and_of_claims_without_places_are_undefined() -> None:
    assert claim_scores([]) == ClaimScores(None, None, None)
    assert claim_scores([GroundedClaim(False, None)]) == ClaimScores(0.0, None, None)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        GroundedClaim(True, 1.5)
