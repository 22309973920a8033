"""Where the chest's contents end: recess and gutter, the inner side of the cage, the spine's line; on small boxes."""

from __future__ import annotations

from typing import Any

import numpy as np

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.segment.cage import front_of
from RegionReportLib.segment.heart import sunk_below
from RegionReportLib.segment.recess import Surroundings, continued
from RegionReportLib.segment.spine import Spine, _path
from RegionReportLib.segment.working import Mask, Working

MM = 2.5
SHAPE = (60, 60, 80)
MIDDLE, CANAL, FRONT = 40, 20, 34
"""Column of the midline, row of the canal and row of the vertebral bodies' front."""


def scan_of(hu: Any) -> Working:
    return Working(hu.astype(np.int16), np.ones(hu.shape, bool), Grid(hu.shape, np.diag([MM, MM, MM, 1.0])))


def straight_spine() -> Spine:
    def line(value: float) -> Any:
        return np.full(SHAPE[0], value, np.float32)

    return Spine(line(MIDDLE), line(CANAL), line(FRONT), line(16.0))


def box(k: slice, j: slice, i: slice) -> Mask:
    out = np.zeros(SHAPE, bool)
    out[k, j, i] = True
    return out


def side_of(scan: Working, free: Mask, wall: Mask, air: Mask) -> Surroundings:
    outwards = ((np.arange(SHAPE[2]) - MIDDLE) * MM).astype(np.float32)[None, None, :]
    return Surroundings(free, wall, scan.hu.astype(np.float32), outwards, air, 30, right=True)


def test_fluid_goes_on_into_the_recess_and_spares_the_organ_in_front() -> None:
    fluid = box(slice(10, 40), slice(18, 24), slice(50, 70))
    organ = box(slice(0, 30), slice(24, 50), slice(50, 70))
    air = box(slice(30, 55), slice(24, 50), slice(50, 70))
    wall = box(slice(0, 60), slice(14, 18), slice(48, 75))
    hu = np.select([fluid, organ, air, wall], [8, 100, -850, 600], -90)
    scan = scan_of(hu)
    known = fluid & (np.arange(SHAPE[0]) >= 32)[:, None, None]
    found = continued(scan, known, side_of(scan, fluid | organ, wall, air), straight_spine())
    assert found[fluid].mean() > 0.8
    assert not found[:28][organ[:28]].any()


def test_what_is_as_dense_as_the_organ_below_is_not_followed_down() -> None:
    dense = box(slice(10, 40), slice(18, 24), slice(50, 70))
    organ = box(slice(0, 30), slice(24, 50), slice(50, 70))
    air = box(slice(30, 55), slice(24, 50), slice(50, 70))
    wall = box(slice(0, 60), slice(14, 18), slice(48, 75))
    scan = scan_of(np.select([dense, organ, air, wall], [30, 42, -850, 600], -90))
    known = dense & (np.arange(SHAPE[0]) >= 32)[:, None, None]
    found = continued(scan, known, side_of(scan, dense | organ, wall, air), straight_spine())
    assert not found[:25].any()


def test_the_gutter_beside_a_vertebra_belongs_to_the_fluid_lateral_of_it_but_bright_blood_does_not() -> None:
    lateral = box(slice(32, 50), slice(20, 30), slice(56, 70))
    gutter = box(slice(32, 50), slice(20, 30), slice(49, 56))
    vessel = box(slice(32, 50), slice(30, 34), slice(49, 56))
    wall = box(slice(0, 60), slice(12, 16), slice(48, 75))
    scan = scan_of(np.select([lateral | gutter, vessel, wall], [12, 300, 600], -90))
    around = side_of(scan, lateral | gutter | vessel, wall, np.zeros(SHAPE, bool))
    found = continued(scan, lateral, around, straight_spine())
    assert found[gutter].mean() > 0.9
    assert not found[vessel].any()


def test_a_heart_before_the_hull_of_the_lungs_is_inside_the_chest_and_the_sternum_is_not() -> None:
    hull = box(slice(5, 55), slice(25, 50), slice(10, 70))
    lung = hull & ~box(slice(5, 55), slice(25, 50), slice(30, 50))
    ring = box(slice(2, 58), slice(20, 62), slice(6, 74)) & ~box(slice(2, 58), slice(22, 58), slice(8, 72))
    hu = np.where(ring, 500, 40)
    body = np.ones(SHAPE, bool)
    added = front_of(scan_of(hu), body, hull, lung, straight_spine())
    assert added[30, 51:54, 36:44].all()
    assert not (added & ring).any()
    assert not added[30, :, 14:24].any()  # there lung touches the wall
    assert not (added & hull).any()


def test_contrast_shows_the_heart_below_the_estimated_diaphragm() -> None:
    heart = box(slice(15, 45), slice(20, 45), slice(25, 55))
    hu = np.where(heart, 300, 90)
    under = box(slice(0, 22), slice(0, 60), slice(0, 80))
    above = heart & ~under
    found = sunk_below(scan_of(hu), above, under)
    assert found[heart & under].mean() > 0.9
    assert not found[:12].any()
    same = np.where(heart, 60, 50)
    assert not sunk_below(scan_of(same), above, under).any()


def test_the_spine_does_not_jump_to_a_better_ring_beside_it() -> None:
    def rings(k: int) -> Any:
        own = [20.0, 40.0, 1.0 if k >= 12 else 0.7]
        beside = [24.0, 58.0, 0.6 if k >= 12 else 1.3]
        return np.array([own, beside] if own[2] > beside[2] else [beside, own], np.float32)

    path = _path([rings(k) for k in range(60)], MM)
    np.testing.assert_allclose(path[:, 1], 40.0)
