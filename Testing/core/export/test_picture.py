"""Pictures of slices: what is right, anterior and superior lies where a radiologist expects it, on any grid."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.export.picture import Mark, Plane, montage, png, slice_picture
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume

# A bright ball at R +30, A +20, S +10 mm in a dark cube of ±60 mm.
BALL = np.array([30.0, 20.0, 10.0])


def scene(grid: Grid) -> tuple[Volume, RegionMasks]:
    k, j, i = np.indices(grid.shape_kji)
    points = grid.to_ras(np.stack([i, j, k], axis=-1))
    ball = np.linalg.norm(points - BALL, axis=-1) < 12
    hu = np.where(ball, 1000, -1000).astype(np.int16)
    masks = RegionMasks(
        ball.astype(np.uint8), grid, ("lung_right",), "by hand", dict.fromkeys(REGION_IDS, Coverage.COMPLETE), {}
    )
    return Volume(hu, grid, Provenance("ball", "phantom")), masks


def grids() -> list[Grid]:
    """All 48 ways to store the same cube: axis orders and directions, anisotropic; and one turned by 15°."""
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            spacing = (2.0, 3.0, 4.0)
            counts = (60, 40, 30)
            affine = np.eye(4)
            affine[:3, :3] = 0
            for ijk, ras in enumerate(order):
                affine[ras, ijk] = signs[ijk] * spacing[ijk]
                affine[ras, 3] = -signs[ijk] * spacing[ijk] * (counts[ijk] - 1) / 2
            found.append(Grid(counts[::-1], affine))
    turn = np.eye(4)
    c, s = np.cos(np.radians(15)), np.sin(np.radians(15))
    turn[:2, :2] = [[c, -s], [s, c]]
    found.append(Grid(found[0].shape_kji, turn @ found[0].affine))
    return found


# Centre of the ball in the picture as shares of width and height: (60 - 30) / 120 from the left edge, and so on.
EXPECTED = {Plane.AXIAL: (0.25, 1 / 3), Plane.CORONAL: (0.25, 5 / 12), Plane.SAGITTAL: (1 / 3, 5 / 12)}


@pytest.mark.parametrize("grid", grids(), ids=lambda g: "".join(f"{v:+.0f}" for v in g.affine[:3, :3].ravel() if v))
@pytest.mark.parametrize("plane", Plane)
def test_the_patient_lies_as_a_radiologist_expects(grid: Grid, plane: Plane) -> None:
    volume, masks = scene(grid)
    picture = np.asarray(slice_picture(volume, masks, plane, BALL, Mark("bones"), 120).convert("L"))
    y, x = (float(np.mean(axis)) for axis in np.nonzero(picture > 128))
    tilt = 0.1 if grid.affine[0, 0] and grid.affine[1, 0] else 0.04
    assert (x / picture.shape[1], y / picture.shape[0]) == pytest.approx(EXPECTED[plane], abs=tilt)


def test_the_outline_has_the_colour_of_its_region_and_surrounds_it() -> None:
    volume, masks = scene(grids()[0])
    pixels = np.asarray(slice_picture(volume, masks, Plane.AXIAL, BALL, Mark("lungs"), 240)).astype(int)
    blue = (np.abs(pixels - (0x5A, 0xA9, 0xE6)) < 3).all(axis=-1)
    y, x = np.nonzero(blue)
    radius_px = np.hypot(x - 60, y - 80)
    assert blue.sum() > 40
    assert radius_px.max() < 30
    assert radius_px.min() > 16


def test_a_box_is_drawn_around_its_place() -> None:
    volume, masks = scene(grids()[0])
    box = Box((18, 8, -2), (42, 32, 22))
    pixels = np.asarray(slice_picture(volume, masks, Plane.AXIAL, BALL, Mark("bones", box), 240)).astype(int)
    y, x = np.nonzero((np.abs(pixels - (255, 235, 59)) < 3).all(axis=-1))
    # 2 pixels per mm; x from (60 - 42) * 2 to (60 - 18) * 2, y from (60 - 32) * 2 to (60 - 8) * 2
    assert (x.min(), x.max()) == pytest.approx((36, 84), abs=4)
    assert (y.min(), y.max()) == pytest.approx((56, 104), abs=4)


def test_a_montage_shows_three_rows_and_is_a_png() -> None:
    volume, masks = scene(grids()[0])
    sheet = montage(volume, masks, columns=3, height_px=60)
    assert sheet.height == 3 * 64
    again = Image.open(io.BytesIO(png(sheet)))
    assert again.size == sheet.size
