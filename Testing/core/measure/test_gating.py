"""What contrast, cuts and small structures make unknown, and calcium, bone and liver of known size."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Coverage
from RegionReportLib.imaging.grid import Grid


def test_contrast_in_the_vessels_gates_calcium_and_marks_what_it_changes(made, upright: Grid) -> None:
    found = made.plain_chest(blood_hu=220.0).measured(upright)
    assert found["heart_great_vessels.blood_density"].value == pytest.approx(220, abs=2)
    assert found["heart_great_vessels.calcium_volume"].value is None
    assert found["heart_great_vessels.calcium_volume"].reason == "contrast in the vessels"
    assert "contrast" in found["upper_abdomen.liver_density.liver"].reason
    assert "contrast" in found["bones.trabecular_density.vertebrae"].reason
    assert "contrast" in found["lungs.low_attenuation_fraction"].reason


def test_contrast_in_one_chamber_only_is_seen(chest, made, upright: Grid) -> None:
    chest.paint(None, 300, made.ball((10, 20, -20), 28))
    assert chest.measured(upright)["heart_great_vessels.calcium_volume"].value is None


def test_calcium_has_its_volume_and_place(chest, made, grid: Grid) -> None:
    chest.paint(None, 500, made.ball((-10, 0, 55), 6))
    found = chest.measured(grid)["heart_great_vessels.calcium_volume"]
    assert found.value == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.08)
    assert found.place.box.center_mm == pytest.approx((-10, 0, 55), abs=2)
    assert found.place.point_mm == pytest.approx((-10, 0, 55), abs=2)


def test_noise_alone_is_no_calcium(chest, upright: Grid) -> None:
    chest.noise_hu = 45.0
    assert chest.measured(upright)["heart_great_vessels.calcium_volume"].value == 0


def test_noise_alone_is_no_contrast(chest, upright: Grid) -> None:
    chest.noise_hu = 120.0
    found = chest.measured(upright)["heart_great_vessels.blood_density"]
    assert found.reason == "no contrast in the vessels"
    assert found.value == pytest.approx(40, abs=3)


def test_bone_beside_the_aorta_is_no_calcium(chest, made, upright: Grid) -> None:
    chest.paint("bone", 700, made.rod((0, -80, -54), (0, -80, 54), (18, 15)))
    chest.paint("heart_great_vessels", 40, made.rod((0, -53, -50), (0, -53, 60), (10, 12)))
    # The blurred edge of the vertebra reaches into the vessel's outline.
    chest.paint(None, 350, made.block((-4, -66, -50), (4, -63.5, 50)))
    assert chest.measured(upright)["heart_great_vessels.calcium_volume"].value == 0


def test_metal_is_told_as_such(chest, made, upright: Grid) -> None:
    chest.paint(None, 3000, made.ball((-10, 0, 55), 4))
    assert "metal" in chest.measured(upright)["heart_great_vessels.calcium_volume"].reason


def test_a_heart_cut_at_the_bottom_gives_no_ratio(chest, upright: Grid) -> None:
    # The lowest slice lies at z = −20 mm, in the middle of the heart.
    rows = round((134.3 - 20) / 2)
    found = chest.measured(upright, start_kji=(rows, 0, 0))
    ratio = found["heart_great_vessels.cardiothoracic_ratio"]
    assert ratio.value is None
    assert ratio.reason.startswith("heart cut at the inferior edge of the scan")
    assert found["heart_great_vessels.heart_width"].value is None


def test_a_thorax_cut_at_the_side_gives_no_ratio(chest, upright: Grid) -> None:
    found = chest.measured(upright, stop_kji=(None, None, upright.shape_kji[2] - 40))
    assert found["heart_great_vessels.cardiothoracic_ratio"].value is None
    assert "thorax cut at the right edge" in found["heart_great_vessels.thorax_width"].reason
    assert found["heart_great_vessels.heart_width"].value == pytest.approx(110, abs=2.5)
    assert "right lung cut at the right edge" in found["lungs.fluid_volume.right"].reason
    assert found["lungs.fluid_volume.left"].value == 0


def test_a_trachea_cut_short_gives_no_calibre(chest, upright: Grid) -> None:
    rows = round((134.3 + 65) / 2)
    found = chest.measured(upright, stop_kji=(rows, None, None))
    assert found["airways.transverse_diameter.trachea"].value is None
    assert "mm of the trachea" in found["airways.transverse_diameter.trachea"].reason


def test_a_tilted_trachea_is_measured_across_its_course(chest, made, upright: Grid) -> None:
    chest.paint("mediastinum", 20, made.block((-12, -50, 43), (12, -20, 120)))
    chest.paint("trachea", -1000, made.rod((-6, -20, 45), (6, -50, 115), (7, 11)))
    found = chest.measured(upright)
    # Cut horizontally its depth would read 22 / cos(23°) = 24 mm.
    assert found["airways.sagittal_diameter.trachea"].value == pytest.approx(22, abs=1.2)
    assert found["airways.transverse_diameter.trachea"].value == pytest.approx(14, abs=1.2)


def test_a_fatty_liver_and_soft_bone_have_their_density(chest, made, grid: Grid) -> None:
    chest.noise_hu = 15.0
    chest.paint("upper_abdomen", 22, made.block((30, -50, -115), (120, 50, -65)))
    for z in (-40.0, 0.0, 40.0):
        chest.paint("bone", 95, made.rod((0, -80, z - 12), (0, -80, z + 12), (16, 13)))
    found = chest.measured(grid)
    assert found["upper_abdomen.liver_density.liver"].value == pytest.approx(22, abs=3)
    assert found["bones.trabecular_density.vertebrae"].value == pytest.approx(95, abs=4)


def test_partly_covered_regions_say_so_with_their_values(chest, upright: Grid) -> None:
    chest.coverage = {"lungs": Coverage.PARTIAL}
    chest.notes = {"lungs": "apex cut"}
    found = chest.measured(upright)
    assert found["lungs.volume.right"].value is not None
    assert found["lungs.volume.right"].reason == "of the part in the scan (apex cut)"
