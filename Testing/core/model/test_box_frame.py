"""Boxes move between the patient and a network's unit cube by all eight corners."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.model.box_frame import BoxFrame


def frame(affine: list[list[float]], shape_kji: tuple[int, int, int]) -> BoxFrame:
    return BoxFrame(Grid(shape_kji, np.array(affine)))


# i runs towards the left, j towards the front, k towards the feet: left-handed for RAS would be an odd count of flips.
LEFT_HANDED = frame([[-2, 0, 0, 40], [0, 1, 0, -10], [0, 0, 5, 100], [0, 0, 0, 1]], (10, 20, 40))
# Turned by 45° about z, 1 mm in plane, 2 mm slices, the origin's voxel edge at (0, 0, -1).
C = np.sqrt(0.5)
OBLIQUE = frame([[C, -C, 0, 0], [C, C, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]], (10, 20, 20))


def test_a_box_on_a_left_handed_anisotropic_grid_comes_back_as_it_was() -> None:
    box = Box((-21, 1.5, 107.5), (1, 4.5, 127.5))
    unit = LEFT_HANDED.to_unit(box)
    assert unit is not None
    # x from 1 to -21 is i from 19.5 to 30.5, so 20..31 of 40; y 11.5..14.5 of 20 from -10.5: j 12..15; z: k 2..6 of 10.
    assert unit == pytest.approx([25.5 / 40, 13.5 / 20, 4 / 10, 11 / 40, 3 / 20, 4 / 10])
    back = LEFT_HANDED.to_box(unit)
    assert back.min_mm == pytest.approx(box.min_mm)
    assert back.max_mm == pytest.approx(box.max_mm)


def test_a_unit_box_on_an_oblique_grid_is_surrounded_by_its_corners() -> None:
    # The middle 2×2 voxels in plane: a square on its tip, whose surrounding box is 2√2 wide.
    box = OBLIQUE.to_box([0.5, 0.5, 0.5, 0.1, 0.1, 0.2])
    assert box.size_mm == pytest.approx((2 * np.sqrt(2), 2 * np.sqrt(2), 4.0))
    assert box.center_mm == pytest.approx((0.0, 2 * 9.5 * C, 9.0))


def test_boxes_that_touch_only_in_the_oblique_frame_overlap_in_millimetres_by_their_corners() -> None:
    one, other = OBLIQUE.to_box([0.45, 0.5, 0.5, 0.1, 0.1, 0.2]), OBLIQUE.to_box([0.55, 0.5, 0.5, 0.1, 0.1, 0.2])
    # Both are 2√2 square; the second lies √2 further along x and along y: a quarter is shared, 1 / (4 + 4 - 1).
    assert one.iou(other) == pytest.approx(1 / 7)


def test_a_box_is_cut_at_the_grid_and_one_outside_it_is_none() -> None:
    unit = LEFT_HANDED.to_unit(Box((-500, -500, -500), (500, 500, 500)))
    assert unit == pytest.approx([0.5, 0.5, 0.5, 1, 1, 1])
    assert LEFT_HANDED.to_unit(Box((200, 0, 110), (210, 5, 115))) is None


def test_dispersion_is_the_spread_of_faces_in_millimetres() -> None:
    # Two hypotheses whose upper x-face differs by a tenth of 80 mm: a spread of 4 mm on one face of six.
    low, high = [0.35, 0.5, 0.5, 0.3, 0.2, 0.2], [0.40, 0.5, 0.5, 0.4, 0.2, 0.2]
    assert LEFT_HANDED.dispersion_mm([low, high]) == pytest.approx(4.0 / 6)
    assert LEFT_HANDED.dispersion_mm([low, low, low]) == pytest.approx(0.0)
