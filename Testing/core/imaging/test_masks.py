"""Region masks: one label map, many views of it."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks, joined
from RegionReportLib.progress import finish

GRID = Grid((2, 3, 4), np.diag([1, 1, 2, 1.0]))
COVERAGE = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
NAMES = ("lung_right", "lung_left", "trachea")


def masks(labels: np.ndarray, names: tuple[str, ...] = NAMES) -> RegionMasks:
    return RegionMasks(labels, GRID, names, "by hand", COVERAGE, {})


def three_voxels() -> RegionMasks:
    labels = np.zeros((2, 3, 4), np.uint8)
    labels[0, 0, 0], labels[1, 2, 3], labels[0, 1, 1] = 1, 2, 3
    return masks(labels)


def test_a_region_is_the_union_of_its_structures() -> None:
    m = three_voxels()
    assert np.argwhere(m.region("lungs")).tolist() == [[0, 0, 0], [1, 2, 3]]
    assert np.argwhere(m.region("airways")).tolist() == [[0, 1, 1]]
    assert not m.region("bones").any()


def test_a_side_holds_its_structures_only() -> None:
    m = three_voxels()
    assert np.argwhere(m.side("lungs", Side.LEFT)).tolist() == [[1, 2, 3]]
    assert np.argwhere(m.structure("lung_right")).tolist() == [[0, 0, 0]]


def test_bounds_surround_each_present_structure() -> None:
    bounds = three_voxels().bounds()
    assert bounds["lung_left"] == (slice(1, 2), slice(2, 3), slice(3, 4))
    box = three_voxels().box(bounds["lung_left"])
    assert (box.min_mm, box.max_mm) == ((2.5, 1.5, 1), (3.5, 2.5, 3))
    assert joined(bounds.values()) == (slice(0, 2), slice(0, 3), slice(0, 4))
    assert joined([]) is None


@pytest.mark.parametrize("slices", [1, 2, 16])
def test_bounds_are_the_same_however_many_slices_are_looked_at_at_once(slices: int) -> None:
    assert finish(three_voxels().bounds_by_slab(slices)) == three_voxels().bounds()


def test_a_block_of_a_mask_equals_the_mask_of_the_block() -> None:
    where = (slice(0, 1), slice(0, 2), slice(0, 2))
    m = three_voxels()
    assert np.array_equal(m.region("lungs", where), m.region("lungs")[where])


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (np.full((2, 3, 4), 4, np.uint8), NAMES, "value 4"),
        (np.zeros((2, 3, 4), np.int16), NAMES, "uint8"),
        (np.zeros((2, 3, 5), np.uint8), NAMES, "shape"),
        (np.zeros((2, 3, 4), np.uint8), ("tail",), "tail"),
        (np.zeros((2, 3, 4), np.uint8), ("trachea", "trachea"), "unique"),
    ],
)
def test_masks_that_contradict_themselves_are_refused(labels: np.ndarray, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        masks(labels, names)


def test_coverage_must_name_all_six_regions() -> None:
    with pytest.raises(ValueError, match="coverage"):
        RegionMasks(np.zeros((2, 3, 4), np.uint8), GRID, NAMES, "by hand", {"lungs": Coverage.ABSENT}, {})


def test_labels_cannot_be_changed_behind_the_back() -> None:
    with pytest.raises(ValueError, match="read-only"):
        three_voxels().labels[0, 0, 0] = 0
