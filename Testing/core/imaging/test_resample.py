"""Block means, the patient-aligned grid and the way back, on oblique and left-handed grids too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.resample import (
    block_grid,
    blocks,
    nearest,
    patient_grid,
    resampled,
    slabs,
    to_voxels,
    window,
)
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import finish

SOURCE = Provenance("made in a test", "phantom")


def oblique_affine() -> Any:
    """Left-handed, anisotropic, turned by 20 degrees about z and 10 about x."""
    a, b = np.deg2rad(20), np.deg2rad(10)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-0.8, 0.8, 2.0])
    affine[:3, 3] = (31.0, -12.0, 7.0)
    return affine


def linear_volume(grid: Grid) -> Volume:
    """HU that rises linearly in space: 2 per mm to the right, 3 to the front, 1 to the head."""
    k, j, i = np.indices(grid.shape_kji)
    points = grid.to_ras(np.stack([i, j, k], axis=-1))
    return Volume((points @ (2.0, 3.0, 1.0)).astype(np.float32), grid, SOURCE)


def test_a_block_is_the_mean_of_its_voxels_and_lies_at_their_middle() -> None:
    grid = Grid((2, 4, 6), np.diag([1.0, 1.0, 2.5, 1.0]))
    hu = np.arange(48, dtype=np.int16).reshape(2, 4, 6)
    small = finish(blocks(Volume(hu, grid, SOURCE), 2.5))
    assert small.factor_kji == (1, 2, 2)
    assert small.hu[0, 0, 0] == (0 + 1 + 6 + 7) // 4
    np.testing.assert_allclose(small.grid.to_ras((0, 0, 0)), (0.5, 0.5, 0.0))


def test_a_rest_of_voxels_at_the_edge_still_gets_a_block() -> None:
    grid = Grid((1, 5, 7), np.diag([1.0, 1.0, 1.0, 1.0]))
    small, factor = block_grid(grid, 2.0)
    assert factor == (2, 2, 2)
    assert small.shape_kji == (1, 3, 4)


def test_padding_is_not_held_and_counts_as_air() -> None:
    hu = np.full((4, 8, 8), 40, np.int16)
    hu[:, :, :4] = -2048
    small = finish(blocks(Volume(hu, Grid((4, 8, 8), np.eye(4)), SOURCE, outside_hu=-2048.0), 2.0))
    assert not small.held[:, :, :2].any()
    assert small.held[:, :, 2:].all()
    assert small.hu.min() == -1024


def test_the_patient_grid_covers_an_oblique_scan_with_axes_right_front_head() -> None:
    grid = Grid((20, 30, 40), oblique_affine())
    upright = patient_grid(grid, 2.5)
    np.testing.assert_allclose(upright.affine[:3, :3], np.diag([2.5, 2.5, 2.5]))
    assert np.all(np.array(upright.box.min_mm) <= np.array(grid.box.min_mm) + 1.25)
    assert np.all(np.array(upright.box.max_mm) >= np.array(grid.box.max_mm) - 1.25)


def test_values_keep_their_place_in_the_patient_on_an_oblique_left_handed_grid() -> None:
    grid = Grid((40, 90, 90), oblique_affine())
    volume = linear_volume(grid)
    upright = patient_grid(grid, 2.5)
    moved = resampled(volume.hu, grid, upright, -9999.0)
    for point in ((0.0, 0.0, 40.0), (8.0, 4.0, 52.0)):
        centre = upright.index_at(grid.to_ras(np.array([45, 45, 20])) + np.array(point) - (0, 0, 40))
        assert centre is not None
        expected = upright.to_ras(centre[::-1]) @ (2.0, 3.0, 1.0)
        assert moved[centre] == pytest.approx(expected, abs=0.05)
    assert (moved == -9999.0).any()


def test_labels_are_taken_from_the_nearest_voxel_and_never_mixed() -> None:
    grid = Grid((12, 20, 30), oblique_affine())
    labels = np.zeros(grid.shape_kji, np.uint8)
    labels[5, 8, 11] = 9
    target = patient_grid(grid, 0.5)
    moved = nearest(labels, grid, target)
    assert set(np.unique(moved)) == {0, 9}
    k, j, i = np.argwhere(moved == 9).mean(axis=0)
    assert np.allclose(target.to_ras((i, j, k)), grid.to_ras((11, 8, 5)), atol=0.25)
    # A voxel of 0.8 × 0.8 × 2 mm holds about ten points that are 0.5 mm apart.
    assert 6 <= (moved == 9).sum() <= 14


def test_a_linear_field_comes_back_to_the_voxels_exactly() -> None:
    grid = Grid((9, 24, 30), np.diag([0.8, 0.8, 1.0, 1.0]))
    small, factor = block_grid(grid, 2.5)
    k, j, i = np.indices(small.shape_kji)
    field = (small.to_ras(np.stack([i, j, k], axis=-1)) @ (2.0, 3.0, 1.0)).astype(np.float32)
    assert factor == (2, 3, 3)
    k, j, i = np.indices(grid.shape_kji)
    truth = grid.to_ras(np.stack([i, j, k], axis=-1)) @ (2.0, 3.0, 1.0)
    inner = (slice(1, -2), slice(2, -2), slice(2, -2))
    for slab in slabs(grid, 2.5, voxels=2000):
        at = window(grid, 2.5, slab)
        back = to_voxels(field[at.blocks], at)
        assert back.shape == truth[at.voxels].shape
        whole = np.full(grid.shape_kji, np.nan)
        whole[at.voxels] = back
        known = np.isfinite(whole[inner])
        np.testing.assert_allclose(whole[inner][known], truth[inner][known], atol=1e-3)


def test_slabs_cover_every_voxel_once() -> None:
    grid = Grid((17, 20, 20), np.diag([1.0, 1.0, 1.0, 1.0]))
    seen = np.zeros(grid.shape_kji, int)
    for slab in slabs(grid, 2.5, voxels=900):
        seen[window(grid, 2.5, slab).voxels] += 1
    assert (seen == 1).all()


def test_reading_at_working_resolution_makes_no_second_copy() -> None:
    import tracemalloc

    volume = Volume(np.zeros((200, 256, 256), np.int16), Grid((200, 256, 256), np.diag([0.8, 0.8, 0.8, 1.0])), SOURCE)
    tracemalloc.start()
    finish(blocks(volume, 2.5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < volume.hu.nbytes / 2
