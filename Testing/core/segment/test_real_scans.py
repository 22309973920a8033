"""The classical segmenter on real scans, against masks that others made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.progress import finish
from RegionReportLib.segment.classical import ClassicalSegmenter

pytestmark = pytest.mark.real_data


def segmented(path: Path) -> tuple[Volume, RegionMasks]:
    volume = finish(read_volume(path))
    return volume, finish(ClassicalSegmenter().segment(volume))


def labels_of(path: Path, like: Volume) -> Any:
    import nibabel
    import SimpleITK

    if path.name.endswith(".nii.gz"):
        values = np.asanyarray(nibabel.load(path).dataobj).T  # type: ignore[attr-defined]
    else:
        values = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    assert values.shape == like.hu.shape
    return values


def dice(one: Any, other: Any) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        pytest.param("lidc-0001", 0.97, marks=pytest.mark.slow),
        pytest.param("lidc-0002", 0.97, marks=pytest.mark.slow),
        pytest.param("popi-lung", 0.97, marks=pytest.mark.slow),
    ],
)
def test_lungs_agree_with_reference_on_each_side(real_data: Path, name: str, least: float) -> None:
    volume, masks = segmented(real_data / name / "ct.nii.gz")
    reference = labels_of(real_data / name / "lungs_derived.nii.gz", volume)
    assert dice(masks.structure("lung_right"), reference == 1) >= least
    assert dice(masks.structure("lung_left"), reference == 2) >= least


def test_lungs_agree_with_reference_on_a_very_coarse_scan(real_data: Path) -> None:
    volume, masks = segmented(real_data / "cip-64" / "ct.nrrd")
    reference = labels_of(real_data / "cip-64" / "whole_lung.nrrd", volume)
    assert dice(masks.region("lungs"), reference > 0) >= 0.96


def test_a_scan_of_one_lung_gets_that_lung_and_says_what_is_cut(real_data: Path) -> None:
    volume, masks = segmented(real_data / "elastix-lung" / "baseline.mha")
    reference = labels_of(real_data / "elastix-lung" / "baseline_lung_mask.mha", volume)
    assert dice(masks.structure("lung_right"), reference > 0) >= 0.97
    assert masks.structure("lung_left").sum() * volume.grid.voxel_ml < 20.0
    assert masks.coverage["lungs"] is Coverage.PARTIAL
    assert "side" in masks.coverage_notes["lungs"]


def test_a_cropped_heart_scan_has_partial_lungs_and_the_whole_heart(real_data: Path) -> None:
    volume, masks = segmented(real_data / "ts-cta" / "ct.nii.gz")
    reference = labels_of(real_data / "ts-cta" / "labels.nii.gz", volume)
    heart = masks.region("heart_great_vessels")
    assert masks.coverage["lungs"] is Coverage.PARTIAL
    assert (heart & (reference == 1)).sum() >= 0.95 * (reference == 1).sum()
    assert (heart & (reference == 2)).sum() >= 0.90 * (reference == 2).sum()
    vertebra = reference == 9
    assert (masks.structure("vertebrae") & vertebra).sum() >= 0.9 * vertebra.sum()


@pytest.mark.parametrize("name", ["ct.nii.gz", "ct_slab.nii.gz"])
def test_an_abdomen_is_refused(real_data: Path, name: str) -> None:
    volume = finish(read_volume(real_data / "ts-abdomen" / name))
    with pytest.raises(InputRefused, match="not a chest"):
        finish(ClassicalSegmenter().segment(volume))
