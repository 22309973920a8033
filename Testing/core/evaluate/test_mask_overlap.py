"""Dice, hits and instances of masks, counted voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.evaluate.findings import Confusion
from RegionReportLib.evaluate.mask_overlap import dice, finding_overlap, grounding_scores, region_dice
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import BoolArray, RegionMasks

OBLIQUE = np.array([[1.2, 2.4, 0, 10], [1.6, -1.8, 0, 20], [0, 0, 5, 30], [0, 0, 0, 1]], dtype=float)


def row(voxels: str) -> BoolArray:
    return np.array([[[v == "#" for v in voxels]]])


def masks(labels: list[int], affine: np.ndarray = OBLIQUE) -> RegionMasks:
    array = np.array(labels, dtype=np.uint8).reshape(1, 2, 3)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    return RegionMasks(array, Grid((1, 2, 3), affine), ("lung_right", "lung_left", "heart"), "hand", coverage, {})


def test_dice_is_twice_the_common_over_both() -> None:
    assert dice(row("###.."), row(".####")) == pytest.approx(4 / 7)
    assert dice(row("#."), row(".#")) == 0.0
    assert dice(row(".."), row("..")) is None
    with pytest.raises(ValueError, match="one shape"):
        dice(row("."), row(".."))


def test_regions_are_compared_as_unions_of_their_structures_on_an_oblique_grid() -> None:
    found = region_dice(masks([1, 1, 2, 3, 3, 0]), masks([2, 1, 0, 3, 0, 0]))
    assert found["lungs"] == pytest.approx(4 / 5)  # sides do not matter to the region
    assert found["heart_great_vessels"] == pytest.approx(2 / 3)
    assert found["bones"] is None
    shifted = OBLIQUE.copy()
    shifted[0, 3] += 1
    with pytest.raises(ValueError, match="one grid"):
        region_dice(masks([0] * 6), masks([0] * 6, shifted))


def test_a_finding_is_hit_from_a_tenth_and_an_instance_found_from_a_fifth() -> None:
    assert finding_overlap(row("#" * 19), row("#" + "." * 18)).hit  # 2 / 20
    assert not finding_overlap(row("#" * 20), row("#" + "." * 19)).hit  # 2 / 21
    assert finding_overlap(row("#" * 9), row("#" + "." * 8)).instances == Confusion(1, 0, 0)  # 2 / 10
    assert finding_overlap(row("#" * 10), row("#" + "." * 9)).instances == Confusion(0, 1, 1)  # 2 / 11


def test_instances_are_matched_one_to_one() -> None:
    found = finding_overlap(row("##.##.#..."), row("##.....#.#"))
    assert found.instances == Confusion(1, 2, 2)
    # One long prediction over two instances finds one of them only.
    assert finding_overlap(row("##.##"), row("#####")).instances == Confusion(1, 0, 1)


def test_a_worse_match_is_taken_where_it_lets_both_be_found() -> None:
    # The first prediction overlaps both instances, the second only the right one.
    reference, prediction = row("####.######"), row("..######.##")
    assert finding_overlap(reference, prediction).instances == Confusion(2, 0, 0)


def test_voxels_that_touch_by_a_corner_are_one_instance() -> None:
    diagonal = np.zeros((2, 2, 2), dtype=bool)
    diagonal[0, 0, 0] = diagonal[1, 1, 1] = True
    assert finding_overlap(diagonal, diagonal).instances == Confusion(1, 0, 0)


def test_scores_are_means_over_findings_and_sums_over_instances() -> None:
    findings = [
        finding_overlap(row("##.#"), row("##.#")),
        finding_overlap(row("####"), row("....")),
        finding_overlap(row("...."), row("....")),  # nothing to find, nothing found: left out
    ]
    scores = grounding_scores(findings)
    assert (scores.count, scores.dice, scores.hit_rate) == (2, 0.5, 0.5)
    assert (scores.instances.precision, scores.instances.recall) == (1.0, pytest.approx(2 / 3))
    assert scores.instances.f1 == pytest.approx(4 / 5)
    nothing = grounding_scores([])
    assert (nothing.dice, nothing.hit_rate, nothing.instances.f1) == (None, None, None)
