"""Lobes, marked fluid, and liver against spleen, on blocks of known size and density."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.measure.abdomen import abdomen_measurements
from RegionReportLib.measure.effusions import effusion_in, midline_mm, pericardial_fluid
from RegionReportLib.measure.examine import measure
from RegionReportLib.measure.lobes import lobe_measurements
from RegionReportLib.measure.organs import liver_spleen_difference
from RegionReportLib.measure.scan import Scan
from RegionReportLib.progress import finish


def scan_with(made: SimpleNamespace, *painted, spacing: tuple[float, float, float] = (2.0, 2.2, 1.6)) -> Scan:
    lungs = [
        ("lung_upper_lobe_right", -860, made.block((30, -50, 0), (100, 50, 90))),
        ("lung_lower_lobe_right", -860, made.block((30, -50, -80), (100, 50, 0))),
        ("lung_lower_lobe_left", -860, made.block((-100, -50, -80), (-30, 50, 90))),
    ]
    grid = made.turned_grid((0, 0, 5), (260, 150, 230), spacing, made.oblique_axes())
    return made.scan_of(grid, [*lungs, *painted])


def test_each_lobe_has_its_volume_density_and_low_attenuation_share(made: SimpleNamespace) -> None:
    # A quarter of the upper lobe is as dark as emphysema.
    hole = ("lung_upper_lobe_right", -980, made.block((30, -50, 0), (100, 50, 22.5)))
    found = {m.id: m for m in finish(lobe_measurements(scan_with(made, hole)))}
    upper, lower = "lung_upper_lobe_right", "lung_lower_lobe_right"
    assert found[f"lungs.volume.{upper}"].value == pytest.approx(70 * 100 * 90 / 1000, rel=0.02)
    assert found[f"lungs.volume.{lower}"].value == pytest.approx(70 * 100 * 80 / 1000, rel=0.02)
    assert found[f"lungs.mean_density.{upper}"].value == pytest.approx(0.75 * -860 + 0.25 * -980, abs=3)
    assert found[f"lungs.low_attenuation_fraction.{upper}"].value == pytest.approx(25, abs=1)
    assert found[f"lungs.low_attenuation_fraction.{lower}"].value == 0
    place = found[f"lungs.volume.{upper}"].place
    assert place is not None and place.structure == upper and place.side is Side.RIGHT
    assert place.box.min_mm == pytest.approx((30, -50, 0), abs=3)


def test_on_thick_slices_no_lobe_has_a_low_attenuation_share(made: SimpleNamespace) -> None:
    found = finish(lobe_measurements(scan_with(made, spacing=(2.0, 2.0, 5.0))))
    assert {m.quantity for m in found} == {"volume", "mean_density"}


def test_fluid_without_a_side_goes_to_the_side_it_lies_on(made: SimpleNamespace) -> None:
    right = ("pleural_effusion", 10, made.block((30, -50, -80), (100, -20, 0)))
    left = ("pleural_effusion", 10, made.block((-100, -50, -80), (-30, -40, 0)))
    scan = scan_with(made, right, left)
    found = {m.id: m for m in finish(measure(scan.volume, scan.masks))}
    assert midline_mm(scan) == pytest.approx(0, abs=2)
    assert found["lungs.fluid_volume.right"].value == pytest.approx(70 * 30 * 80 / 1000, rel=0.05)
    assert found["lungs.fluid_volume.left"].value == pytest.approx(70 * 10 * 80 / 1000, rel=0.08)
    assert "segmenter's pleural effusion" in found["lungs.fluid_volume.right"].method
    assert found["lungs.fluid_volume.right"].place.point_mm[0] > 30


def test_without_an_effusion_mask_fluid_is_not_taken_from_one(made: SimpleNamespace) -> None:
    scan = scan_with(made)
    assert effusion_in(scan, scan.frame, Side.RIGHT) is None
    assert pericardial_fluid(scan) == []


def test_pericardial_fluid_is_the_volume_of_its_mask(made: SimpleNamespace) -> None:
    heart = ("heart", 40, made.ball((0, 20, 0), 28))
    fluid = ("pericardial_effusion", 8, lambda p: made.ball((0, 20, 0), 30)(p) & ~made.ball((0, 20, 0), 28)(p))
    (found,) = pericardial_fluid(scan_with(made, heart, fluid))
    # A shell: 4/3 π (30³ − 28³) mm³.
    assert found.value == pytest.approx(21.14, rel=0.05)
    assert found.place is not None and found.place.structure == "pericardial_effusion"


def organs(made: SimpleNamespace, blood_hu: float, liver_hu: float = 38) -> Scan:
    return scan_with(
        made,
        ("aorta", blood_hu, made.block((-14, -14, -60), (14, 14, 60))),
        ("liver", liver_hu, made.block((30, -50, -100), (110, 50, -30))),
        ("spleen", 50, made.block((-100, -50, -100), (-50, 0, -50))),
    )


def test_a_liver_darker_than_the_spleen_is_told_without_contrast_only(made: SimpleNamespace) -> None:
    plain, enhanced = organs(made, 40), organs(made, 250)
    assert liver_spleen_difference(plain, abdomen_measurements(plain)).value == pytest.approx(38 - 50, abs=0.5)
    with_contrast = liver_spleen_difference(enhanced, abdomen_measurements(enhanced))
    assert (with_contrast.value, with_contrast.reason) == (None, "contrast in the vessels")


def test_without_a_spleen_there_is_no_difference(made: SimpleNamespace) -> None:
    scan = scan_with(made, ("liver", 60, made.block((30, -50, -100), (110, 50, -30))))
    found = liver_spleen_difference(scan, abdomen_measurements(scan))
    assert (found.value, found.reason) == (None, "spleen not segmented")
