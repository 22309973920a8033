"""Findings: their masks lie where they are said to lie, hold what is declared, and have the size asked for."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.lesions import Lesion
from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe, Scan
from RegionReportLib.progress import finish

SCAN = Scan(rows=112, step_mm=4.0)
K = FindingKind


@pytest.fixture(scope="module")
def pleural() -> PhantomCase:
    findings = (
        Finding(K.EFFUSION, 500, Side.RIGHT),
        Finding(K.PNEUMOTHORAX, 400, Side.LEFT),
        Finding(K.NODULE, 16, Side.LEFT, Zone.LOWER),
        Finding(K.LYMPHADENOPATHY, 22),
        Finding(K.LOW_BONE_DENSITY, 60),
        Finding(K.STEATOSIS, 15),
    )
    return finish(make_case(Recipe(21, findings, SCAN, noise_hu=0)))


@pytest.fixture(scope="module")
def dense() -> PhantomCase:
    findings = (
        Finding(K.CONSOLIDATION, 200, Side.LEFT, Zone.UPPER),
        Finding(K.EMPHYSEMA, 15),
        Finding(K.CARDIOMEGALY, 0.6),
        Finding(K.CORONARY_CALCIUM, 500),
        Finding(K.AORTIC_CALCIUM, 1200),
        Finding(K.ATELECTASIS, 80, Side.RIGHT),
    )
    return finish(make_case(Recipe(22, findings, SCAN, noise_hu=0)))


def one(case: PhantomCase, kind: FindingKind) -> Lesion:
    (lesion,) = [x for x in case.lesions if x.planted.kind is kind]
    return lesion


def middle_hu(case: PhantomCase, lesion: Lesion) -> float:
    return float(np.median(case.volume.hu[lesion.where][lesion.mask]))


def shares(case: PhantomCase, lesion: Lesion, structure: str) -> float:
    inside = case.masks.structure(structure, lesion.where)[lesion.mask]
    return float(inside.mean())


def test_every_finding_becomes_a_lesion(pleural: PhantomCase, dense: PhantomCase) -> None:
    for case in (pleural, dense):
        assert {f.kind for f in case.recipe.findings} <= {x.planted.kind for x in case.lesions}
        numbers = [x.planted.number for x in case.lesions]
        assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(("kind", "ml"), [(K.EFFUSION, 500), (K.PNEUMOTHORAX, 400)])
def test_pleural_lesions_have_the_volume_asked_for(pleural: PhantomCase, kind: FindingKind, ml: float) -> None:
    assert one(pleural, kind).volume_ml == pytest.approx(ml, rel=0.04)


@pytest.mark.parametrize(("kind", "ml"), [(K.CONSOLIDATION, 200), (K.ATELECTASIS, 80)])
def test_dense_lung_has_the_volume_asked_for(dense: PhantomCase, kind: FindingKind, ml: float) -> None:
    assert one(dense, kind).volume_ml == pytest.approx(ml, rel=0.06)


def test_fluid_lies_behind_and_air_in_front(pleural: PhantomCase) -> None:
    fluid, air = one(pleural, K.EFFUSION), one(pleural, K.PNEUMOTHORAX)
    assert fluid.point_mm[1] < -40 and fluid.point_mm[0] > 10
    assert air.point_mm[1] > 0 and air.point_mm[0] < -10
    assert shares(pleural, fluid, "lung_right") == 1.0
    assert shares(pleural, air, "lung_left") == 1.0


def test_fluid_squeezes_the_lung_beside_it(pleural: PhantomCase) -> None:
    squeezed = one(pleural, K.ATELECTASIS)
    assert squeezed.planted.side is Side.RIGHT
    assert 20 < middle_hu(pleural, squeezed) < 60


def test_attenuation_is_that_declared(pleural: PhantomCase, dense: PhantomCase) -> None:
    assert 0 <= middle_hu(pleural, one(pleural, K.EFFUSION)) <= 20
    assert middle_hu(pleural, one(pleural, K.PNEUMOTHORAX)) < -985
    assert 20 <= middle_hu(dense, one(dense, K.CONSOLIDATION)) <= 50
    assert middle_hu(dense, one(dense, K.EMPHYSEMA)) < -950
    for kind in (K.CORONARY_CALCIUM, K.AORTIC_CALCIUM):
        assert middle_hu(dense, one(dense, kind)) > 130
    for case in (pleural, dense):
        for lesion in case.lesions:
            declared = lesion.planted.hu
            if declared is not None and lesion.volume_ml > 20 and lesion.planted.kind is not K.LOW_BONE_DENSITY:
                assert middle_hu(case, lesion) == pytest.approx(declared, abs=12)


def test_nodule_has_its_size_side_and_zone(pleural: PhantomCase) -> None:
    nodule = one(pleural, K.NODULE)
    # A ball of 16 mm has 2.1 mL; lobulation takes or gives some of it.
    assert nodule.volume_ml == pytest.approx(2.14, rel=0.25)
    assert max(nodule.box.size_mm) == pytest.approx(16, abs=4.5)
    assert shares(pleural, nodule, "lung_left") == 1.0
    lung = pleural.masks.box(pleural.masks.bounds()["lung_left"])
    share = (nodule.point_mm[2] - lung.min_mm[2]) / (lung.max_mm[2] - lung.min_mm[2])
    assert share < 1 / 3 + 0.03


def test_consolidation_keeps_to_its_side_and_one_lobe_and_has_bronchi(dense: PhantomCase) -> None:
    lesion = one(dense, K.CONSOLIDATION)
    assert shares(dense, lesion, "lung_left") == 1.0
    assert lesion.planted.lobe in ("upper", "lower")
    assert (dense.volume.hu[lesion.where][lesion.mask] < -400).any()


def test_emphysema_covers_the_share_asked_for_more_of_it_above(dense: PhantomCase) -> None:
    holes = one(dense, K.EMPHYSEMA)
    lungs = dense.masks.region("lungs")
    assert 100 * holes.volume_ml / (np.count_nonzero(lungs) * dense.masks.grid.voxel_ml) == pytest.approx(15, abs=2)
    levels = np.argwhere(holes.mask)[:, 0] + holes.where[0].start
    lung_levels = np.argwhere(lungs)[:, 0]
    assert levels.mean() > lung_levels.mean()


def test_calcium_lies_in_heart_and_aorta(dense: PhantomCase) -> None:
    assert shares(dense, one(dense, K.CORONARY_CALCIUM), "heart") == 1.0
    assert shares(dense, one(dense, K.AORTIC_CALCIUM), "aorta") == 1.0


def test_node_lies_in_the_mediastinum_and_is_denser_than_fat(pleural: PhantomCase) -> None:
    node = one(pleural, K.LYMPHADENOPATHY)
    assert shares(pleural, node, "mediastinum") == 1.0
    assert middle_hu(pleural, node) > 20
    assert node.planted.lobe


def test_findings_of_the_whole_patient_mark_their_organ(pleural: PhantomCase, dense: PhantomCase) -> None:
    liver, heart = one(pleural, K.STEATOSIS), one(dense, K.CARDIOMEGALY)
    assert middle_hu(pleural, liver) == pytest.approx(15, abs=4)
    assert np.array_equal(heart.mask, dense.masks.structure("heart", heart.where))
    bones = one(pleural, K.LOW_BONE_DENSITY)
    assert bones.planted.structure is None and bones.planted.region_id == "bones"
    assert shares(pleural, bones, "vertebrae_T8") > 0


def test_the_point_of_a_lesion_lies_in_it(dense: PhantomCase) -> None:
    for lesion in dense.lesions:
        index = dense.masks.grid.index_at(lesion.point_mm)
        assert index is not None
        assert lesion.mask[tuple(n - s.start for n, s in zip(index, lesion.where, strict=True))]
        assert lesion.box.contains(lesion.point_mm)


@pytest.mark.parametrize(
    ("side", "zone", "third"), [(Side.LEFT, Zone.LOWER, 0), (Side.RIGHT, Zone.MIDDLE, 1), (Side.LEFT, Zone.UPPER, 2)]
)
def test_a_nodule_can_be_put_into_each_zone(side: Side, zone: Zone, third: int) -> None:
    scan = Scan(rows=80, step_mm=5.0)
    case = finish(make_case(Recipe(6, (Finding(K.NODULE, 22, side, zone),), scan, noise_hu=0)))
    nodule = one(case, K.NODULE)
    assert shares(case, nodule, f"lung_{side.value}") == 1.0
    lung = case.masks.box(case.masks.bounds()[f"lung_{side.value}"])
    height = 3 * (nodule.point_mm[2] - lung.min_mm[2]) / (lung.max_mm[2] - lung.min_mm[2])
    assert third - 0.1 < height < third + 1.1


def test_what_fills_one_side_does_not_eat_its_neighbour() -> None:
    findings = (
        Finding(K.EFFUSION, 300, Side.LEFT),
        Finding(K.ATELECTASIS, 60, Side.LEFT),
        Finding(K.PNEUMOTHORAX, 200, Side.LEFT),
        Finding(K.CONSOLIDATION, 100, Side.LEFT),
    )
    case = finish(make_case(Recipe(23, findings, Scan(rows=96, step_mm=4.0), noise_hu=0)))
    assert one(case, K.EFFUSION).volume_ml == pytest.approx(300, rel=0.08)
    assert one(case, K.PNEUMOTHORAX).volume_ml == pytest.approx(200, rel=0.08)
    assert one(case, K.CONSOLIDATION).volume_ml == pytest.approx(100, rel=0.12)
    asked_for = [x for x in case.lesions if x.planted.kind is K.ATELECTASIS and x.planted.size == 60]
    assert asked_for[0].volume_ml == pytest.approx(60, rel=0.12)


def test_a_nodule_smaller_than_a_voxel_still_has_a_place() -> None:
    scan = Scan(rows=64, step_mm=10.0)
    case = finish(make_case(Recipe(24, (Finding(K.NODULE, 3, Side.RIGHT, Zone.UPPER),), scan)))
    assert one(case, K.NODULE).mask.any()
