"""Fluid, free air, dense lung and emphysema of known size put into the plain chest, and their mimics."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Coverage
from RegionReportLib.imaging.grid import Grid

# Right lung: x 50..130, y −60..60, z −60..120; left lung: x −130..−50.
FLUID_ML = 80 * 20 * 120 / 1000
AIR_ML = 80 * 20 * 120 / 1000


def test_a_layer_of_fluid_is_measured_on_its_side_and_taken_off_the_lung(chest, made, grid: Grid) -> None:
    chest.noise_hu = 12.0
    chest.paint(None, 8, made.block((50, -60, -60), (130, -40, 60)))
    found = chest.measured(grid)
    assert found["lungs.fluid_volume.right"].value == pytest.approx(FLUID_ML, rel=0.06)
    assert found["lungs.fluid_volume.left"].value == 0
    assert found["lungs.volume.right"].value == pytest.approx(1728 - FLUID_ML, rel=0.03)
    place = found["lungs.fluid_volume.right"].place
    assert place.box.min_mm == pytest.approx((50, -60, -60), abs=5)
    assert place.box.max_mm == pytest.approx((130, -40, 60), abs=5)
    assert found["lungs.fluid_volume.right"].uncertainty > 0


def test_consolidation_of_muscle_density_is_dense_lung_not_fluid(chest, made, upright: Grid) -> None:
    chest.paint(None, 48, made.block((50, -60, -60), (130, -20, 0)))
    found = chest.measured(upright)
    assert found["lungs.fluid_volume.right"].value == 0
    assert found["lungs.dense_volume.right"].value == pytest.approx(80 * 40 * 60 / 1000, rel=0.06)
    assert found["lungs.dense_volume.right.lower"].value == pytest.approx(80 * 40 * 60 / 1000, rel=0.06)
    assert found["lungs.dense_volume.right.upper"].value == 0


def test_low_density_consolidation_within_the_lung_is_not_fluid(chest, made, upright: Grid) -> None:
    chest.paint(None, 15, made.ball((90, 0, 30), 22))
    found = chest.measured(upright)
    assert found["lungs.fluid_volume.right"].value == 0, "it does not lie on the wall"
    assert found["lungs.dense_volume.right"].value == pytest.approx(4 / 3 * np.pi * 2.2**3, rel=0.06)


def test_fluid_under_collapsed_lung_leaves_the_lung_dense(chest, made, upright: Grid) -> None:
    chest.noise_hu = 10.0
    chest.paint(None, 8, made.block((50, -60, -60), (130, -30, 40)))
    chest.paint(None, 55, made.block((50, -30, -60), (130, -10, 40)))
    found = chest.measured(upright)
    assert found["lungs.fluid_volume.right"].value == pytest.approx(80 * 30 * 100 / 1000, rel=0.08)
    assert found["lungs.dense_volume.right"].value == pytest.approx(80 * 20 * 100 / 1000, rel=0.12)


def test_a_thin_pleural_rim_is_no_fluid(chest, made, upright: Grid) -> None:
    chest.paint(None, 10, made.block((126, -60, -60), (130, 60, 120)))
    assert chest.measured(upright)["lungs.fluid_volume.right"].value < 10


def test_without_the_lung_base_no_fluid_is_not_told(chest, upright: Grid) -> None:
    chest.coverage = {"lungs": Coverage.PARTIAL}
    chest.notes = {"lungs": "cut at the bottom"}
    found = chest.measured(upright, start_kji=(60, 0, 0))
    assert found["lungs.fluid_volume.right"].value is None
    assert "base" in found["lungs.fluid_volume.right"].reason
    assert "of the part in the scan (cut at the bottom)" in found["lungs.volume"].reason


def test_air_in_front_of_the_lung_is_measured_and_taken_off_the_lung(chest, made, grid: Grid) -> None:
    chest.noise_hu = 12.0
    chest.paint(None, -1000, made.block((-130, 40, 0), (-50, 60, 120)))
    found = chest.measured(grid)
    assert found["lungs.extrapulmonary_air_volume.left"].value == pytest.approx(AIR_ML, rel=0.08)
    assert found["lungs.extrapulmonary_air_volume.right"].value == 0
    assert found["lungs.low_attenuation_fraction.left"].value < 2, "free air is not emphysema"


def test_scattered_emphysema_is_not_taken_for_free_air(chest, made, upright: Grid) -> None:
    rng = np.random.default_rng(1)
    for x, y, z in zip(rng.uniform(60, 120, 30), rng.uniform(-50, 58, 30), rng.uniform(0, 115, 30), strict=True):
        chest.paint(None, -990, made.ball((x, y, z), 9))
    found = chest.measured(upright)
    assert found["lungs.extrapulmonary_air_volume.right"].value < 10
    assert found["lungs.low_attenuation_fraction.right"].value > 3


def test_low_attenuation_is_the_share_of_voxels_below_the_threshold(chest, made, upright: Grid) -> None:
    chest.paint(None, -970, made.block((60, -20, 0), (100, 20, 40)))
    found = chest.measured(upright)
    assert found["lungs.low_attenuation_fraction.right"].value == pytest.approx(100 * 40**3 / 1_728_000, rel=0.05)
    assert found["lungs.density_percentile_15.right"].value == pytest.approx(-860, abs=1)
    assert "2.0 mm" in found["lungs.low_attenuation_fraction.right"].reason


def test_coarse_voxels_give_no_emphysema_index_but_a_reason(chest, made) -> None:
    found = chest.measured(made.upright_grid((2.0, 2.0, 5.0)))
    for name in ("low_attenuation_fraction", "density_percentile_15"):
        assert found[f"lungs.{name}"].value is None
        assert "5.0 mm" in found[f"lungs.{name}"].reason
    assert found["lungs.volume.right"].value == pytest.approx(1728, rel=0.04)


def test_a_ball_in_the_lung_has_its_volume_diameter_zone_and_box(chest, made, grid: Grid) -> None:
    chest.paint(None, 30, made.ball((-90, 0, 90), 12))
    found = chest.measured(grid)
    component = found["lungs.dense_component_volume.left.upper"]
    assert component.value == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.1)
    assert found["lungs.longest_diameter.left.upper"].value == pytest.approx(24, abs=2)
    assert component.place.box.center_mm == pytest.approx((-90, 0, 90), abs=2)
    assert component.place.box.size_mm == pytest.approx((24, 24, 24), abs=4)


def test_vessels_and_the_hilar_artery_are_not_dense_lung(chest, made, upright: Grid) -> None:
    chest.paint(None, 45, made.rod((50, 0, 20), (110, 0, -40), (3, 3)))
    chest.paint("main_bronchi", -1000, made.rod((20, -10, 30), (48, 4, 20), (5, 5)))
    chest.paint(None, 45, made.rod((50, 10, 30), (66, 10, 0), (7, 7)))
    assert chest.measured(upright)["lungs.dense_volume.right"].value == 0


def test_a_mass_at_the_hilum_is_dense_lung(chest, made, upright: Grid) -> None:
    chest.paint(None, 45, made.ball((66, 10, 30), 18))
    chest.paint("main_bronchi", -1000, made.rod((20, -10, 30), (48, 4, 20), (5, 5)))
    assert chest.measured(upright)["lungs.dense_volume.right"].value > 15


def test_zones_divide_each_lung_by_its_own_height(chest, made, grid: Grid) -> None:
    # Thirds of z −60..120: 0 and 60 mm. A rod of 20 × 20 mm over the full height has a third in each.
    chest.paint(None, 30, made.block((80, -10, -60), (100, 10, 120)))
    found = chest.measured(grid)
    for zone in ("lower", "middle", "upper"):
        assert found[f"lungs.dense_volume.right.{zone}"].value == pytest.approx(24, rel=0.15)
        box = found[f"lungs.dense_volume.right.{zone}"].place.box
        assert box.size_mm[2] == pytest.approx(60, abs=5)


def test_a_given_effusion_mask_is_believed(made, upright: Grid) -> None:
    from dataclasses import replace

    from RegionReportLib.measure.examine import measure
    from RegionReportLib.progress import finish

    volume, masks = made.plain_chest().on(upright)
    points = upright.to_ras(np.argwhere(masks.labels == 1)[:, ::-1])
    labels = masks.labels.copy()
    labels[tuple(np.argwhere(masks.labels == 1)[points[:, 1] < -50].T)] = len(masks.structures) + 1
    given = replace(masks, labels=labels, structures=(*masks.structures, "pleural_effusion_right"))
    found = {m.id: m for m in finish(measure(volume, given))}
    assert found["lungs.fluid_volume.right"].value == pytest.approx(80 * 10 * 180 / 1000, rel=0.05)
    assert "segmenter" in found["lungs.fluid_volume.right"].method


def test_collapsed_lung_between_fluid_and_air_is_dense_although_thin(chest, made, upright: Grid) -> None:
    chest.paint(None, 8, made.block((50, -60, -60), (130, -40, 60)))
    chest.paint(None, 70, made.block((50, -40, -60), (130, -33, 60)))
    found = chest.measured(upright)
    assert found["lungs.dense_volume.right"].value == pytest.approx(80 * 7 * 120 / 1000, rel=0.2)
    assert found["lungs.fluid_volume.right"].value == pytest.approx(FLUID_ML, rel=0.08)


def test_small_dark_areas_along_the_wall_of_an_emphysematous_lung_are_left_open(chest, made, upright: Grid) -> None:
    chest.paint(None, -975, made.block((60, -50, 0), (120, 20, 100)))
    chest.paint(None, -1000, made.block((60, 40, 60), (120, 60, 100)))
    free = chest.measured(upright)["lungs.extrapulmonary_air_volume.right"]
    assert free.value is None
    assert "bullae" in free.reason
