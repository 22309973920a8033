"""The shape operations of the built-in segmenter, against SciPy's distance transform over the whole array.

They ask for distances only where these can matter, which must not show: masks at the border, none, full, a voxel.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from RegionReportLib.segment import working
from RegionReportLib.segment.working import Mask

SPACING_MM = 2.5
SHAPE = (14, 17, 20)


def ball() -> Mask:
    z, y, x = np.indices(SHAPE)
    return np.asarray((z - 7) ** 2 + (y - 6) ** 2 + (x - 12) ** 2 <= 16)


def noise(share: float, seed: int) -> Mask:
    return np.asarray(np.random.default_rng(seed).random(SHAPE) < share)


def corner() -> Mask:
    mask = np.zeros(SHAPE, bool)
    mask[-1, 0, :3] = True
    return mask


def through() -> Mask:
    mask = np.zeros(SHAPE, bool)
    mask[:, 4:11, :] = True
    return mask


MASKS = {
    "ball": ball(),
    "sparse": noise(0.02, 1),
    "dense": noise(0.98, 2),
    "corner": corner(),
    "from border to border": through(),
    "none": np.zeros(SHAPE, bool),
    "all": np.ones(SHAPE, bool),
}
RADII_MM = (2.5, 4.0, 7.5)


def distance_to(mask: Mask, axial: bool = False) -> np.ndarray:
    """Millimetres from each voxel to the nearest of `mask`; infinite where there is none."""
    if axial:
        return np.stack([distance_to(plane) for plane in mask])
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=SPACING_MM))


@pytest.fixture(params=MASKS.values(), ids=MASKS)
def mask(request: pytest.FixtureRequest) -> Mask:
    return np.array(request.param)


@pytest.fixture(params=RADII_MM)
def by_mm(request: pytest.FixtureRequest) -> float:
    return float(request.param)


def test_grown_holds_all_within_reach(mask: Mask, by_mm: float) -> None:
    np.testing.assert_array_equal(working.grown(mask, by_mm, SPACING_MM), distance_to(mask) <= by_mm + 1e-3)


def test_shrunk_holds_all_that_is_deeper(mask: Mask, by_mm: float) -> None:
    np.testing.assert_array_equal(working.shrunk(mask, by_mm, SPACING_MM), distance_to(~mask) > by_mm + 1e-3)


def test_axially_grown_reaches_within_the_slice_only(mask: Mask, by_mm: float) -> None:
    reached = working.axially_grown(mask, by_mm, SPACING_MM)
    np.testing.assert_array_equal(reached, distance_to(mask, axial=True) <= by_mm + 1e-3)


def test_axial_depth_counts_the_end_of_the_scan_as_outside(mask: Mask) -> None:
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    expected = distance_to(~padded, axial=True)[:, 1:-1, 1:-1]
    np.testing.assert_allclose(working.axial_depth_mm(mask, SPACING_MM), expected, rtol=1e-5)


def test_distances_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = [], []
    for number, found in (("1", alone), ("3", together)):
        monkeypatch.setenv("OMP_NUM_THREADS", number)
        found.extend(working.distance_mm(mask, SPACING_MM) for mask in MASKS.values() if not mask.all())
    for one, other in zip(alone, together, strict=True):
        assert one.tobytes() == other.tobytes()


def test_a_box_around_a_mask_ends_at_the_scan() -> None:
    mask = np.zeros((10, 10, 10), bool)
    assert working.box_around(mask, 2) is None
    mask[4, 5, 6] = mask[5, 5, 9] = True
    assert working.box_around(mask, 0) == (slice(4, 6), slice(5, 6), slice(6, 10))
    assert working.box_around(mask, 2) == (slice(2, 8), slice(3, 8), slice(4, 10))


def test_the_axial_hull_of_a_bent_shape_is_filled() -> None:
    plane = np.zeros((12, 12), bool)
    plane[2:10, 2] = plane[9, 2:10] = True  # an L: its hull is the triangle below the line between its ends
    y, x = np.indices(plane.shape)
    triangle = (x >= 2) & (y <= 9) & (y - 2 >= x - 2)
    hull = working.axial_hull(np.stack([plane, np.zeros_like(plane)]))
    np.testing.assert_array_equal(hull[0], triangle)
    assert not hull[1].any()


def test_lines_and_specks_have_no_axial_hull() -> None:
    planes = np.zeros((3, 12, 12), bool)
    planes[0, 5, 1:11] = True  # along a row
    planes[1, 1:11, 5] = True  # along a column
    planes[2, 4:6, 4:6] = True  # four voxels
    assert not working.axial_hull(planes).any()
