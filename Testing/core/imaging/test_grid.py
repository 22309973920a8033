"""Grids and boxes on an oblique, anisotropic, left-handed grid, with answers by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid

COS, SIN = math.cos(math.radians(30)), math.sin(math.radians(30))

# i along (cos 30°, sin 30°, 0) by 1 mm, j along (-sin 30°, cos 30°, 0) by 2 mm, k downwards by 3 mm: left-handed.
OBLIQUE = Grid(
    (4, 5, 6),
    np.array([[COS, -2 * SIN, 0, 10], [SIN, 2 * COS, 0, 20], [0, 0, -3, 30], [0, 0, 0, 1]]),
)


def test_spacing_and_voxel_volume_come_from_the_columns() -> None:
    assert OBLIQUE.spacing_mm == pytest.approx((1, 2, 3))
    assert OBLIQUE.voxel_ml == pytest.approx(0.006)


def test_points_go_to_ras_and_back() -> None:
    # i=2, j=1, k=3: x = 10 + 2 cos 30 - 2 sin 30, y = 20 + 2 sin 30 + 2 cos 30, z = 30 - 9
    ras = OBLIQUE.to_ras((2, 1, 3))
    assert ras == pytest.approx((10 + 2 * COS - 1, 20 + 1 + 2 * COS, 21))
    assert OBLIQUE.to_ijk(ras) == pytest.approx((2, 1, 3))
    assert OBLIQUE.index_at(ras) == (3, 1, 2)


def test_a_point_outside_the_grid_has_no_voxel() -> None:
    assert OBLIQUE.index_at(OBLIQUE.to_ras((-0.6, 0, 0))) is None
    assert OBLIQUE.index_at(OBLIQUE.to_ras((-0.4, 0, 0))) == (0, 0, 0)


def test_a_box_of_voxels_uses_all_eight_corners() -> None:
    # A 10 mm cube turned by 30° about z spans -5 … 8.660 in x; two opposite corners would give 0 … 3.66.
    turned = Grid((10, 10, 10), np.array([[COS, -SIN, 0, 0], [SIN, COS, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    box = turned.box_of((0, 0, 0), (10, 10, 10))
    shift = (-0.5 * (COS - SIN), -0.5 * (COS + SIN), -0.5)
    assert np.subtract(box.min_mm, shift) == pytest.approx((-5, 0, 0))
    assert np.subtract(box.max_mm, shift) == pytest.approx((10 * COS, 10 * (SIN + COS), 10))


def test_indices_of_a_box_hold_every_voxel_centre_in_it() -> None:
    box = Box((8, 22, 22), (12, 26, 29))
    where = OBLIQUE.indices_of(box)
    k, j, i = np.indices(OBLIQUE.shape_kji)
    points = OBLIQUE.to_ras(np.stack([i, j, k], axis=-1))
    inside = ((points >= box.min_mm) & (points <= box.max_mm)).all(axis=-1)
    assert inside.any()
    assert inside[where].sum() == inside.sum()


def test_indices_of_a_box_beside_the_grid_are_empty() -> None:
    where = OBLIQUE.indices_of(Box((500, 500, 500), (510, 510, 510)))
    assert np.zeros(OBLIQUE.shape_kji)[where].size == 0


def test_a_crop_keeps_the_place_of_its_voxels() -> None:
    part = OBLIQUE.crop((1, 2, 3), (2, 2, 2))
    assert part.to_ras((0, 0, 0)) == pytest.approx(OBLIQUE.to_ras((3, 2, 1)))
    assert part.to_ras((1, 1, 1)) == pytest.approx(OBLIQUE.to_ras((4, 3, 2)))


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((0, 5, 5), np.eye(4)),
        ((5, 5), np.eye(4)),
        ((5, 5, 5), np.diag([1, 1, 0, 1])),
        ((5, 5, 5), np.diag([1, 1, np.nan, 1])),
        ((5, 5, 5), np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])),
        ((5, 5, 5), np.ones((4, 4))),
        ((5, 5, 5), np.eye(3)),
    ],
)
def test_an_impossible_grid_is_refused(shape: tuple[int, ...], affine: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"shape_kji|affine"):
        Grid(shape, affine)  # type: ignore[arg-type]


def test_grids_are_equal_by_content_and_survive_json() -> None:
    again = Grid.from_dict(OBLIQUE.to_dict())
    assert again == OBLIQUE
    assert hash(again) == hash(OBLIQUE)
    assert again != OBLIQUE.crop((0, 0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match="read-only"):
        again.affine[0, 0] = 5


def test_boxes_meet_join_and_compare() -> None:
    a, b = Box((0, 0, 0), (10, 10, 10)), Box((5, 5, 5), (15, 15, 15))
    common = a.intersection(b)
    assert common == Box((5, 5, 5), (10, 10, 10))
    assert a.union(b) == Box((0, 0, 0), (15, 15, 15))
    assert a.iou(b) == pytest.approx(125 / (1000 + 1000 - 125))
    assert a.iou(Box((20, 0, 0), (30, 10, 10))) == 0
    assert a.volume_ml == 1
    assert a.center_mm == (5, 5, 5)
    assert a.contains((10, 0, 5))
    assert not a.contains((10.1, 0, 5))


def test_an_impossible_box_is_refused() -> None:
    with pytest.raises(ValueError, match="exceed"):
        Box((1, 0, 0), (0, 1, 1))
    with pytest.raises(ValueError, match="finite"):
        Box((0, 0, 0), (1, 1, math.inf))
    with pytest.raises(ValueError, match="at least one"):
        Box.around([])
