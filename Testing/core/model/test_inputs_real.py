"""A nodule that readers outlined on a real scan is seen by the network where they outlined it."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.model.inputs import StudyInputs, study_inputs
from RegionReportLib.model.presets import demo
from RegionReportLib.progress import finish

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def nodule_ras_mm(real_data: Path) -> list[float]:
    said = json.loads((real_data / "lidc-0001" / "nodules.json").read_text(encoding="utf-8"))
    centroid: list[float] = said["nodules"][0]["centroid_ras_mm"]
    return centroid


@pytest.fixture(scope="module")
def seen(real_data: Path) -> StudyInputs:
    folder = real_data / "lidc-0001"
    volume = finish(read_volume(folder / "ct.nii.gz"))
    image = nibabel.load(folder / "lungs_derived.nii.gz")
    labels = np.ascontiguousarray(np.asarray(image.dataobj).astype(np.uint8).transpose(2, 1, 0))
    masks = RegionMasks(
        labels,
        Grid((labels.shape[0], labels.shape[1], labels.shape[2]), image.affine),
        ("lung_right", "lung_left"),
        "thresholds",
        dict.fromkeys(REGION_IDS, Coverage.COMPLETE),
        {},
    )
    return finish(study_inputs(volume, masks, demo()))


def test_the_nodule_is_dense_where_the_readers_saw_it_and_air_is_around_it(
    seen: StudyInputs, nodule_ras_mm: list[float]
) -> None:
    i, j, k = np.round(seen.frame.to_ijk(nodule_ras_mm)).astype(int)
    lung = seen.slices[:, 0].numpy().astype(float)  # 0 at -1350 HU, 255 at 150 HU
    nodule = lung[k, j - 1 : j + 2, i - 1 : i + 2].mean()
    right = np.array(nodule_ras_mm) * (-1, 1, 1)  # the same place in the other lung
    i, j, k = np.round(seen.frame.to_ijk(right)).astype(int)
    other = lung[k, j - 1 : j + 2, i - 1 : i + 2].mean()
    assert nodule > (-200 + 1350) / 1500 * 255
    assert other < (-600 + 1350) / 1500 * 255


def test_the_lungs_keep_their_volume(seen: StudyInputs, real_data: Path) -> None:
    image = nibabel.load(real_data / "lidc-0001" / "lungs_derived.nii.gz")
    voxel_ml = abs(np.linalg.det(image.affine[:3, :3])) / 1000
    true_ml = float((np.asarray(image.dataobj) > 0).sum()) * voxel_ml
    ml = float(seen.masks[0].double().sum()) / 255 * seen.frame.voxel_ml
    assert ml == pytest.approx(true_ml, rel=0.02)
    assert not seen.masks[1:].any()
