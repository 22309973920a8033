"""Recipes refuse what cannot be made and draw what is asked for."""

from __future__ import annotations

import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.phantom.kinds import FIRST_KINDS
from RegionReportLib.phantom.recipe import SIZES, Contrast, Finding, FindingKind, Recipe, Scan


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Recipe(-1), "seed"),
        (lambda: Recipe(1, noise_hu=-3), "noise_hu"),
        (lambda: Recipe(1, (Finding(FindingKind.EMPHYSEMA), Finding(FindingKind.EMPHYSEMA))), "emphysema"),
        (lambda: Finding(FindingKind.NODULE, 90.0), "3..45 mm"),
        (lambda: Finding(FindingKind.CARDIOMEGALY, 0.45), "0.51..0.66"),
        (lambda: Finding(FindingKind.STEATOSIS, side=Side.LEFT), "no side"),
        (lambda: Finding(FindingKind.EFFUSION, zone=Zone.UPPER), "no zone"),
        (lambda: Finding(FindingKind.NODULE, variety="cubic"), "solid, ground-glass, calcified"),
        (lambda: Scan(fit=True), "slices must be given"),
        (lambda: Scan.coarse((96, 128, 130)), "square"),
        (lambda: Scan(orientation="LPX"), "orientation"),
        (lambda: Scan(orientation="LRS"), "orientation"),
        (lambda: Scan(rows=4), "rows"),
        (lambda: Scan(step_mm=0.1), "step_mm"),
        (lambda: Scan(thickness_mm=30.0), "thickness_mm"),
        (lambda: Scan(fov_mm=20.0), "fov_mm"),
        (lambda: Scan(slices=2), "slices"),
        (lambda: Scan(tilt_deg=(0.0, 80.0, 0.0)), "tilt_deg"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        make()


def test_several_nodules_may_be_asked_for() -> None:
    assert len(Recipe(1, (Finding(FindingKind.NODULE),) * 3).findings) == 3


def test_every_kind_has_a_range_of_sizes() -> None:
    assert set(SIZES) == set(FindingKind)


def test_a_random_recipe_is_the_same_for_the_same_seed_and_varies_with_it() -> None:
    drawn = [Recipe.random(seed) for seed in range(60)]
    assert drawn == [Recipe.random(seed) for seed in range(60)]
    assert {r.contrast for r in drawn} == set(Contrast)
    assert {len(r.findings) for r in drawn} >= {0, 1, 2, 3, 4}
    assert {f.kind for r in drawn for f in r.findings} == set(FIRST_KINDS)


def test_a_given_scan_is_kept_in_a_random_recipe() -> None:
    scan = Scan(rows=64, step_mm=5.0)
    assert Recipe.random(5, scan).scan == scan
