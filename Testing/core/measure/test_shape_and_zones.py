"""Zones, openings and diameters on small masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import Zone
from RegionReportLib.measure.shape import ball, components, eroded, longest_diameter_mm, opened
from RegionReportLib.measure.zones import zone_of, zone_slices


@pytest.mark.parametrize(
    ("z_mm", "zone"),
    [(0, Zone.LOWER), (99.9, Zone.LOWER), (100, Zone.MIDDLE), (199, Zone.MIDDLE), (201, Zone.UPPER), (300, Zone.UPPER)],
)
def test_a_height_lies_in_its_third(z_mm: float, zone: Zone) -> None:
    assert zone_of(z_mm, 0, 300) is zone


def test_heights_beyond_the_lung_count_to_the_nearest_zone() -> None:
    assert zone_of(-5, 0, 300) is Zone.LOWER
    assert zone_of(310, 0, 300) is Zone.UPPER


def test_a_lung_without_height_has_no_zones() -> None:
    with pytest.raises(ValueError, match="height"):
        zone_of(1, 5, 5)


@given(low=st.floats(-500, 500), height=st.floats(10, 400))
def test_zone_slices_divide_the_slices_without_gap_or_overlap(low: float, height: float) -> None:
    heights = np.arange(-600.0, 1000.0, 2.0)
    found = zone_slices(heights, low, low + height)
    ordered = [found[z] for z in (Zone.LOWER, Zone.MIDDLE, Zone.UPPER)]
    assert ordered[0].start == 0
    assert ordered[-1].stop == len(heights)
    assert [s.stop for s in ordered[:-1]] == [s.start for s in ordered[1:]]


def test_opening_removes_sheets_and_keeps_thick_blocks() -> None:
    mask = np.zeros((30, 30, 30), dtype=bool)
    mask[5:7] = True  # a sheet of 4 mm
    mask[14:26, 10:22, 10:22] = True  # a block of 24 mm
    out = opened(mask, 4.0)
    assert not out[:10].any()
    assert out[18:22, 14:18, 14:18].all()
    assert 0.75 * 12**3 < out.sum() < 12**3, "edges and corners of the block are rounded off"


def test_what_touches_the_edge_of_a_block_is_eroded_there() -> None:
    assert not eroded(np.ones((4, 4, 4), dtype=bool), 2.0)[0].any()


def test_a_ball_holds_the_voxels_within_its_radius() -> None:
    assert ball(2.0).sum() == 7
    assert ball(4.0).sum() == 33


def test_components_come_largest_first_and_corners_do_not_join_them() -> None:
    mask = np.zeros((5, 5, 5), dtype=bool)
    mask[0, 0, 0] = True
    mask[1, 1, 1:4] = True
    assert [c.sum() for c in components(mask)] == [3, 1]


def test_longest_diameter_of_rods_and_balls() -> None:
    rod = np.zeros((3, 3, 40), dtype=bool)
    rod[1, 1, 2:33] = True
    assert longest_diameter_mm(rod) == pytest.approx(60)
    z, y, x = np.ogrid[-20:21, -20:21, -20:21]
    assert longest_diameter_mm(z**2 + y**2 + x**2 <= 15**2) == pytest.approx(60)
    flat = np.zeros((1, 60, 60), dtype=bool)
    flat[:] = True
    assert longest_diameter_mm(flat) == pytest.approx(2 * 59 * np.sqrt(2), abs=4)


def test_nothing_has_no_diameter() -> None:
    assert longest_diameter_mm(np.zeros((3, 3, 3), dtype=bool)) == 0
