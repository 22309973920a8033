"""The phantom's anatomy: everything is there, apart, inside the body and on its right side."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.imaging.grid import FloatArray
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Arms, Recipe, Scan
from RegionReportLib.progress import finish

COARSE = Scan(rows=128, step_mm=4.0, below_mm=80.0)


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    return finish(make_case(Recipe(11, scan=COARSE, noise_hu=0)))


def centre(case: PhantomCase, structure: str) -> FloatArray:
    """The mean RAS position of a structure."""
    kji = np.argwhere(case.masks.structure(structure))
    assert len(kji), f"{structure} is missing"
    return np.asarray(case.masks.grid.to_ras(kji[:, ::-1]).mean(axis=0))


def test_every_structure_that_the_scan_reaches_is_there(case: PhantomCase) -> None:
    present = set(case.masks.bounds())
    absent = set(case.masks.structures) - present
    assert absent <= {"vertebrae_L3", "humerus_right", "humerus_left"}


def test_right_lies_at_the_patients_right(case: PhantomCase) -> None:
    for name in ("lung", "kidney", "scapula", "clavicle"):
        assert centre(case, f"{name}_right")[0] > 20 > -20 > centre(case, f"{name}_left")[0]
    assert centre(case, "liver")[0] > 20
    assert centre(case, "spleen")[0] < -50
    assert centre(case, "stomach")[0] < -20
    assert centre(case, "heart")[0] < -4
    assert centre(case, "superior_vena_cava")[0] > 20


def test_organs_lie_one_above_the_other_and_one_behind_the_other(case: PhantomCase) -> None:
    heights = [
        centre(case, s)[2] for s in ("vertebrae_C7", "trachea", "main_bronchi", "heart", "liver", "kidney_right")
    ]
    assert heights == sorted(heights, reverse=True)
    depths = [centre(case, s)[1] for s in ("sternum", "heart", "esophagus", "vertebrae_T8")]
    assert depths == sorted(depths, reverse=True)


def test_volumes_are_those_of_an_adult(case: PhantomCase) -> None:
    counts = np.bincount(case.masks.labels.ravel(), minlength=len(case.masks.structures) + 1)
    ml = {s: float(counts[n + 1] * case.masks.grid.voxel_ml) for n, s in enumerate(case.masks.structures)}
    assert 1200 < ml["lung_left"] < ml["lung_right"] < 4500
    assert 350 < ml["heart"] < 1200
    assert 900 < ml["liver"] < 2600
    assert 60 < ml["spleen"] < 500
    assert 8 < ml["vertebrae_T4"] < ml["vertebrae_T12"] < 60


def test_masks_hold_the_tissue_that_they_name(case: PhantomCase) -> None:
    hu = case.volume.hu

    def median(structure: str) -> float:
        return float(np.median(hu[case.masks.structure(structure)]))

    assert -920 < median("lung_right") < -700
    assert median("trachea") < -950
    assert -120 < median("mediastinum") < -50
    assert 20 < median("heart") < 70
    assert 40 < median("liver") < 75
    assert median("rib_left_6") > 150
    assert 80 < median("vertebrae_T9") < 400


def test_masks_stay_inside_the_body(case: PhantomCase) -> None:
    body = case.volume.hu > -300
    labelled = case.masks.labels > 0
    for k in range(0, body.shape[0], 6):
        rows, columns = np.nonzero(body[k])
        if not labelled[k].any():
            continue
        inside_rows, inside_columns = np.nonzero(labelled[k])
        assert rows.min() <= inside_rows.min() and inside_rows.max() <= rows.max()
        assert columns.min() <= inside_columns.min() and inside_columns.max() <= columns.max()


@pytest.mark.parametrize("arms", list(Arms))
def test_every_pose_of_the_arms_can_be_painted(arms: Arms) -> None:
    case = finish(make_case(Recipe(4, scan=Scan(rows=64, step_mm=8.0), arms=arms)))
    assert case.masks.structure("lung_left").any()
