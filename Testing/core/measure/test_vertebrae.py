"""Heights and density of single vertebrae, on a bent spine of wedged and straight bodies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from RegionReportLib.measure.scan import Scan
from RegionReportLib.measure.vertebrae import vertebra_measurements
from RegionReportLib.report.measurement import Measurement

DEEP, BACK = 30.0, 24.0
LEVELS = ("vertebrae_T7", "vertebrae_T8", "vertebrae_T9")


def body(middle_z: float, front: float, lean: float):
    """A body 30 mm deep and 34 mm wide, 24 mm high at the back and `front` mm in front, with an arch behind it.

    `lean` turns it about the right–left axis, by degrees: how a bent spine carries it.
    """
    c, s = np.cos(np.radians(lean)), np.sin(np.radians(lean))

    def inside(p: np.ndarray) -> np.ndarray:
        q = p - np.array([0, -60.0, middle_z])
        y, z = c * q[:, 1] + s * q[:, 2], -s * q[:, 1] + c * q[:, 2]
        share = y / DEEP + 0.5
        half = (BACK + (front - BACK) * share) / 2
        bone = (np.abs(y) <= DEEP / 2) & (np.abs(q[:, 0]) <= 17) & (np.abs(z) <= half)
        arch = (y < -DEEP / 2 - 14) & (y > -DEEP / 2 - 30) & (np.abs(q[:, 0]) <= 8) & (np.abs(z) <= 10)
        return bone | arch

    return inside


def spine(made: SimpleNamespace, fronts: tuple[float, ...], spacing: tuple[float, float, float]) -> Scan:
    grid = made.turned_grid((0, -65, 0), (80, 110, 130), spacing, made.oblique_axes())
    painted = [
        (name, 150, body(30.0 - 30 * n, front, 0.0)) for n, (name, front) in enumerate(zip(LEVELS, fronts, strict=True))
    ]
    return made.scan_of(grid, painted)


def by_id(scan: Scan) -> dict[str, Measurement]:
    return {m.id: m for m in vertebra_measurements(scan)}


FINE = (1.0, 1.2, 1.5)


def test_a_wedged_body_has_its_heights_and_the_straight_ones_theirs(made: SimpleNamespace) -> None:
    found = by_id(spine(made, (24.0, 14.0, 24.0), FINE))
    # At 5/6 of the depth towards the front, 1/2 and 1/6 of a height that falls evenly from 24 to 14 mm.
    for quantity, height in (
        ("anterior_height", 24 - 10 * 5 / 6),
        ("middle_height", 19.0),
        ("posterior_height", 24 - 10 / 6),
    ):
        assert found[f"bones.{quantity}.vertebrae_T8"].value == pytest.approx(height, abs=1.0)
        assert found[f"bones.{quantity}.vertebrae_T7"].value == pytest.approx(24, abs=1.0)
    ratio = (24 - 10 * 5 / 6) / (24 - 10 / 6)
    assert found["bones.vertebral_height_ratio.vertebrae_T8"].value == pytest.approx(ratio, abs=0.06)
    assert found["bones.vertebral_height_ratio.vertebrae_T9"].value == pytest.approx(1, abs=0.05)


def test_a_straight_body_of_a_leaning_spine_is_not_wedged(made: SimpleNamespace) -> None:
    lean = 25.0
    up = np.array([-np.sin(np.radians(lean)), np.cos(np.radians(lean))])
    grid = made.turned_grid((0, -65, 0), (80, 150, 150), FINE, made.oblique_axes())

    def shifted(n: int):
        y, z = (1 - n) * 30 * up
        one = body(0.0, 24.0, lean)
        return lambda p: one(p - np.array([0, y, z]))

    found = by_id(made.scan_of(grid, [(name, 150, shifted(n)) for n, name in enumerate(LEVELS)]))
    for name in LEVELS:
        assert found[f"bones.vertebral_height_ratio.{name}"].value == pytest.approx(1, abs=0.05)
        assert found[f"bones.anterior_height.{name}"].value == pytest.approx(24, abs=1.0)


def test_density_is_that_of_the_core_and_the_place_that_of_the_vertebra(made: SimpleNamespace) -> None:
    scan = spine(made, (24.0, 24.0, 24.0), FINE)
    found = by_id(scan)
    density = found["bones.trabecular_density.vertebrae_T8"]
    assert density.value == pytest.approx(150, abs=3)
    assert density.place is not None and density.place.structure == "vertebrae_T8"
    assert density.place.point_mm == pytest.approx((0, -60, 0), abs=4)


def test_coarse_voxels_and_lone_vertebrae_have_no_heights_but_a_reason(made: SimpleNamespace) -> None:
    coarse = by_id(spine(made, (24.0, 14.0, 24.0), (1.0, 1.0, 3.0)))["bones.vertebral_height_ratio.vertebrae_T8"]
    assert coarse.value is None and "3.0 mm are too coarse" in coarse.reason
    grid = made.turned_grid((0, -65, 0), (80, 110, 60), FINE, np.eye(3))
    lone = by_id(made.scan_of(grid, [("vertebrae_T8", 150, body(0.0, 24.0, 0.0))]))
    assert lone["bones.vertebral_height_ratio.vertebrae_T8"].reason == "direction of the spine unknown"
    assert lone["bones.trabecular_density.vertebrae_T8"].value == pytest.approx(150, abs=3)


def test_a_vertebra_cut_by_the_edge_of_the_scan_is_not_measured(made: SimpleNamespace) -> None:
    grid = made.turned_grid((0, -65, 0), (80, 110, 76), FINE, np.eye(3))
    painted = [(name, 150, body(30.0 - 30 * n, 24.0, 0.0)) for n, name in enumerate(LEVELS)]
    found = by_id(made.scan_of(grid, painted))
    for name in LEVELS[::2]:
        assert found[f"bones.vertebral_height_ratio.{name}"].value is None
        assert "cut at the edge" in found[f"bones.trabecular_density.{name}"].reason


def test_without_single_vertebrae_nothing_is_claimed(made: SimpleNamespace) -> None:
    grid = made.turned_grid((0, -65, 0), (80, 110, 60), (3, 3, 3), np.eye(3))
    found = vertebra_measurements(made.scan_of(grid, [("bone", 150, body(0.0, 24.0, 0.0))]))
    assert [m.value for m in found] == [None] * 3
    assert {m.reason for m in found} == {"no single vertebrae in the masks"}
