"""Masks that do not belong to their scan, or whose sides are swapped, are noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe, Scan
from RegionReportLib.progress import finish
from RegionReportLib.segment.disagreement import disagreement


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    """A phantom with a large effusion, whose right lung is half airless."""
    findings = (Finding(FindingKind.EFFUSION, 600.0, Side.RIGHT),)
    return finish(make_case(Recipe(seed=11, findings=findings, scan=Scan(rows=128, step_mm=4.0))))


def test_true_masks_agree_even_with_a_large_effusion(case: PhantomCase) -> None:
    found = finish(disagreement(case.volume, case.masks))
    assert not found.swapped
    assert found.outside < 0.02
    assert found.warnings == ()
    assert all(value is not None and value > 0.9 for value in found.dice.values())


def test_a_mirrored_scan_is_caught(case: PhantomCase) -> None:
    """Its header calls right left; a segmenter that knows anatomy names the lungs by heart and liver all the same."""
    grid = case.volume.grid
    affine = np.diag([-1.0, 1.0, 1.0, 1.0]) @ grid.affine
    mirrored = Grid(grid.shape_kji, affine)
    volume = Volume(np.array(case.volume.hu), mirrored, Provenance("mirrored", "test"), case.volume.outside_hu)
    found = finish(disagreement(volume, replace(case.masks, grid=mirrored)))
    assert found.swapped
    assert len(found.warnings) == 1
    assert "mirrored" in found.warnings[0]


def test_one_lung_in_the_wrong_place_is_named(case: PhantomCase) -> None:
    labels = np.array(case.masks.labels)
    (value,) = case.masks.values(["lung_left"])
    where = np.argwhere(labels == value)
    labels[labels == value] = 0
    k, j, i = np.clip(where + np.array([25, 0, 0]), 0, np.array(labels.shape) - 1).T  # 100 mm too high
    labels[k, j, i] = value
    found = finish(disagreement(case.volume, replace(case.masks, labels=labels)))
    assert not found.swapped
    (warning,) = found.warnings
    assert "left lung" in warning


def test_masks_that_reach_beyond_the_body_are_named(case: PhantomCase) -> None:
    labels = np.array(case.masks.labels)
    (value,) = case.masks.values(["lung_left"])
    labels[:, :4, :] = value  # the air before the chest
    found = finish(disagreement(case.volume, replace(case.masks, labels=labels)))
    assert found.outside > 0.06
    (warning,) = found.warnings
    assert "outside the body" in warning


def test_masks_without_lungs_say_nothing(case: PhantomCase) -> None:
    masks = RegionMasks(
        np.zeros_like(case.masks.labels), case.volume.grid, (), "none", case.masks.coverage, case.masks.coverage_notes
    )
    found = finish(disagreement(case.volume, masks))
    assert found.dice == {Side.RIGHT: None, Side.LEFT: None}
    assert found.warnings == ()
