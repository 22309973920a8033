"""Nodules of a mask: count, size, lobe; never a claim without a mask."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.measure.nodules import nodule_measurements
from RegionReportLib.measure.scan import Scan
from RegionReportLib.report.measurement import Measurement

UPPER, LOWER = (60.0, 0.0, 50.0), (-60.0, 10.0, -40.0)


def lungs(made: SimpleNamespace) -> list:
    return [
        ("lung_upper_lobe_right", -860, made.block((30, -50, 10), (100, 50, 90))),
        ("lung_lower_lobe_right", -860, made.block((30, -50, -80), (100, 50, 10))),
        ("lung_lower_lobe_left", -860, made.block((-100, -50, -80), (-30, 50, 10))),
    ]


def scan_with(made: SimpleNamespace, balls: list, empty: tuple[str, ...] = (), lobes: bool = True) -> Scan:
    grid = made.turned_grid((0, 0, 5), (230, 130, 200), (1.0, 1.2, 1.6), made.oblique_axes())
    base = lungs(made) if lobes else [("lung_right", -860, made.block((30, -50, -80), (100, 50, 90)))]
    return made.scan_of(grid, [*base, *(("lung_nodule", 30, b) for b in balls)], empty)


def by_id(found: list[Measurement]) -> dict[str, Measurement]:
    return {m.id: m for m in found}


def test_two_nodules_have_their_size_and_lobe_and_the_larger_comes_first(made: SimpleNamespace) -> None:
    scan = scan_with(made, [made.ball(UPPER, 4), made.ball(LOWER, 9), made.ball((60, 0, -50), 0.9)])
    found = by_id(nodule_measurements(scan))
    assert found["lungs.count.lung_nodule"].value == 2, "a part of a few voxels is none"
    assert found["lungs.count.lung_nodule"].reason == "found by by hand"
    for n, radius, centre, lobe, side in (
        (1, 9, LOWER, "lung_lower_lobe_left", Side.LEFT),
        (2, 4, UPPER, "lung_upper_lobe_right", Side.RIGHT),
    ):
        size, volume = (found[f"lungs.{q}.lung_nodule.{n}"] for q in ("longest_diameter", "volume"))
        assert size.value == pytest.approx(2 * radius, abs=0.6)
        assert volume.value == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.08)
        assert (size.side, size.place.structure) == (side, lobe)
        assert size.place.box.contains(centre)
        assert size.place.box.volume_ml < 3 * (2 * radius + 3) ** 3 / 1000
        assert size.place.point_mm == pytest.approx(centre, abs=1.2)


def test_a_long_nodule_is_measured_along_its_length_across_the_slices(made: SimpleNamespace) -> None:
    ends = np.array([60.0, -8, 40]), np.array([60.0, 8, 52])
    points = ends[0] + np.linspace(0, 1, 41)[:, None] * (ends[1] - ends[0])
    found = by_id(nodule_measurements(scan_with(made, [made.pipe(points, 3.0)])))
    assert found["lungs.longest_diameter.lung_nodule.1"].value == pytest.approx(20 + 6, abs=0.8)


def test_without_lobes_a_nodule_has_its_side_only(made: SimpleNamespace) -> None:
    found = by_id(nodule_measurements(scan_with(made, [made.ball(UPPER, 5)], lobes=False)))
    size = found["lungs.longest_diameter.lung_nodule.1"]
    assert (size.side, size.place.structure) == (Side.RIGHT, "lung_nodule")


def test_an_empty_nodule_mask_is_a_count_of_none_and_no_mask_is_silence(made: SimpleNamespace) -> None:
    (count,) = nodule_measurements(scan_with(made, [], empty=("lung_nodule",)))
    assert (count.quantity, count.value) == ("count", 0)
    assert nodule_measurements(scan_with(made, [])) == []
