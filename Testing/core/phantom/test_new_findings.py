"""The findings beyond the first twelve: where they lie, what they are made of, that they have the size asked for."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.imaging.masks import BoolArray
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.kinds import CT_RATE, VARIETIES
from RegionReportLib.phantom.lesions import Lesion
from RegionReportLib.phantom.recipe import Detail, Finding, FindingKind, Recipe, Scan
from RegionReportLib.progress import finish

K = FindingKind
SCAN = Scan(rows=96, step_mm=4.0)


def made(*findings: Finding, seed: int = 31) -> PhantomCase:
    return finish(make_case(Recipe(seed, findings, SCAN, noise_hu=0, detail=Detail.COARSE)))


def one(case: PhantomCase, kind: FindingKind) -> Lesion:
    (lesion,) = [x for x in case.lesions if x.planted.kind is kind]
    return lesion


def values(case: PhantomCase, lesion: Lesion) -> np.ndarray:
    return np.asarray(case.volume.hu[lesion.where][lesion.mask], dtype=np.float64)


def share_in(case: PhantomCase, lesion: Lesion, *structures: str) -> float:
    inside = np.zeros(lesion.mask.shape, dtype=bool)
    for name in structures:
        inside |= case.masks.structure(name, lesion.where)
    return float(inside[lesion.mask].mean())


def full(case: PhantomCase, lesion: Lesion) -> BoolArray:
    out = np.zeros(case.volume.hu.shape, dtype=bool)
    out[lesion.where] = lesion.mask
    return out


@pytest.fixture(scope="module")
def healthy() -> PhantomCase:
    return made()


@pytest.fixture(scope="module")
def central() -> PhantomCase:
    return made(
        Finding(K.PERICARDIAL_EFFUSION, 14),
        Finding(K.HIATAL_HERNIA, 50),
        Finding(K.AIRWAY_SECRETION, 10),
        Finding(K.BONE_LESION, 14),
        Finding(K.LIVER_CYST, 30),
    )


@pytest.fixture(scope="module")
def hazy() -> PhantomCase:
    return made(
        Finding(K.GROUND_GLASS, 150, Side.LEFT, Zone.LOWER),
        Finding(K.FIBROSIS, 45, Side.RIGHT, Zone.UPPER),
        Finding(K.BRONCHIECTASIS, 8, Side.RIGHT, Zone.LOWER),
        Finding(K.ATELECTASIS, side=Side.RIGHT, variety="linear"),
    )


def test_all_18_labels_of_ct_rate_can_be_planted() -> None:
    assert len(CT_RATE) == 18 and len(set(CT_RATE.values())) == 18


def test_ground_glass_is_denser_than_lung_and_thinner_than_tissue_and_shows_vessels(hazy: PhantomCase) -> None:
    patch = one(hazy, K.GROUND_GLASS)
    assert patch.volume_ml == pytest.approx(150, rel=0.2)
    assert share_in(hazy, patch, "lung_left") == 1.0
    hu = values(hazy, patch)
    assert -750 < np.median(hu) < -350
    assert (hu > -200).any(), "vessels still show"


def test_bands_of_fibrosis_reach_from_the_pleura_into_their_zone(hazy: PhantomCase) -> None:
    scar = one(hazy, K.FIBROSIS)
    assert share_in(hazy, scar, "lung_right") == 1.0
    lung = hazy.masks.structure("lung_right")
    height = np.argwhere(lung)[:, 0]
    k = np.argwhere(full(hazy, scar))[:, 0].mean()
    assert k > height.min() + 0.55 * (height.max() - height.min())
    assert np.median(values(hazy, scar)) > np.median(hazy.volume.hu[lung]) + 150
    assert 20 < max(scar.box.size_mm) < 90


def test_bronchiectasis_is_a_cluster_of_air_and_wall_in_its_zone(hazy: PhantomCase) -> None:
    cluster = one(hazy, K.BRONCHIECTASIS)
    assert share_in(hazy, cluster, "lung_right") == 1.0
    hu = values(hazy, cluster)
    assert (hu < -900).mean() > 0.1 and (hu > -500).mean() > 0.1
    assert max(cluster.box.size_mm) < 100


def test_linear_atelectasis_is_a_thin_plate(hazy: PhantomCase) -> None:
    plate = one(hazy, K.ATELECTASIS)
    assert plate.planted.variety == "linear" and plate.planted.unit == "mm"
    assert plate.volume_ml < 8 and max(plate.box.size_mm) > 15


def test_mosaic_has_the_share_asked_for_and_dark_lobules_in_brighter_lung() -> None:
    case = made(Finding(K.MOSAIC, 35))
    dark = one(case, K.MOSAIC)
    lungs = case.masks.region("lungs")
    assert 100 * dark.mask.sum() / lungs.sum() == pytest.approx(35, abs=5)
    rest = lungs & ~full(case, dark)
    assert np.median(case.volume.hu[rest]) - np.median(values(case, dark)) > 70
    assert len(dark.boxes) == 2


def test_thick_septa_lie_near_the_pleura_on_the_side_asked_for(healthy: PhantomCase) -> None:
    case = made(Finding(K.SEPTAL, 2.0, Side.LEFT))
    septa = one(case, K.SEPTAL)
    assert share_in(case, septa, "lung_left") == 1.0
    before = healthy.volume.hu[septa.where][septa.mask].astype(np.float64)
    assert np.median(values(case, septa) - before) > 100
    whole = one(made(Finding(K.SEPTAL, 2.0)), K.SEPTAL)
    assert [box.center_mm[0] > 0 for box in whole.boxes] == [True, False]


def test_peribronchial_thickening_adds_tissue_around_bronchi_of_its_side(healthy: PhantomCase) -> None:
    case = made(Finding(K.PERIBRONCHIAL, 3.0, Side.RIGHT))
    cuffs = one(case, K.PERIBRONCHIAL)
    assert share_in(case, cuffs, "lung_right") == 1.0
    before = healthy.volume.hu[cuffs.where][cuffs.mask].astype(np.float64)
    assert np.median(values(case, cuffs) - before) > 50


def test_pericardial_fluid_surrounds_the_heart_at_water_density(central: PhantomCase) -> None:
    fluid = one(central, K.PERICARDIAL_EFFUSION)
    assert share_in(central, fluid, "heart") == 1.0
    assert 0 < np.median(values(central, fluid)) < 25
    heart = np.argwhere(central.masks.structure("heart") & ~full(central, fluid))
    inside = central.masks.grid.to_ras(heart[:, ::-1])
    assert fluid.box.contains(inside.mean(axis=0))
    # The layer is thickest behind: 14 mm there, so the box reaches at least half as far beyond the heart itself.
    assert inside[:, 1].min() - fluid.box.min_mm[1] > 7


def test_a_hernia_lies_above_the_diaphragm_before_the_spine_with_gas_over_fluid(central: PhantomCase) -> None:
    hernia = one(central, K.HIATAL_HERNIA)
    assert share_in(central, hernia, "mediastinum", "esophagus", "upper_abdomen") > 0.9
    assert max(hernia.box.size_mm) == pytest.approx(50, abs=9)
    points = central.masks.grid.to_ras((np.argwhere(full(central, hernia)))[:, ::-1])
    hu = values(central, hernia)
    gas, fluid = points[hu < -700], points[(hu > 0) & (hu < 60)]
    assert len(gas) and len(fluid) and gas[:, 1].mean() > fluid[:, 1].mean() + 5


def test_secretion_lies_in_the_trachea_at_its_back(central: PhantomCase) -> None:
    blob = one(central, K.AIRWAY_SECRETION)
    assert blob.planted.region_id == "airways"
    assert share_in(central, blob, "trachea") == 1.0
    index = central.masks.grid.index_at(blob.point_mm)
    assert index is not None
    k = index[0]
    lumen = central.masks.grid.to_ras(np.argwhere(central.masks.structure("trachea")[k : k + 1])[:, ::-1] + (0, 0, k))
    assert blob.point_mm[1] <= lumen[:, 1].mean()


def test_a_sclerotic_focus_lies_in_the_vertebra_that_it_names(central: PhantomCase) -> None:
    focus = one(central, K.BONE_LESION)
    assert focus.planted.structure == f"vertebrae_{focus.planted.lobe}"
    assert share_in(central, focus, focus.planted.structure) == 1.0
    assert values(central, focus).max() > 500


def test_a_cyst_is_water_in_the_lobe_of_the_liver_that_it_names(central: PhantomCase) -> None:
    cyst = one(central, K.LIVER_CYST)
    assert share_in(central, cyst, "liver") == 1.0
    assert np.median(values(central, cyst)) < 30
    assert (cyst.point_mm[0] > 8) == (cyst.planted.lobe == "right")
    assert cyst.volume_ml == pytest.approx(14.1, rel=0.2)  # a ball of 30 mm


@pytest.mark.parametrize(
    ("variety", "region", "structure"),
    [("pacemaker", "heart_great_vessels", None), ("catheter", "heart_great_vessels", None), ("wires", "bones", None)],
)
def test_medical_material_is_dense_and_belongs_to_its_region(variety: str, region: str, structure: None) -> None:
    case = made(Finding(K.MEDICAL_MATERIAL, variety=variety))
    material = one(case, K.MEDICAL_MATERIAL)
    assert (material.planted.variety, material.planted.region_id) == (variety, region)
    assert values(case, material).max() > (300 if variety == "catheter" else 1000)
    middle = material.box.center_mm[0]
    assert {"pacemaker": middle < -10, "catheter": middle > 20, "wires": abs(middle) < 12}[variety]


def test_nodules_come_in_three_varieties() -> None:
    hu = {}
    for variety in VARIETIES[K.NODULE]:
        case = made(Finding(K.NODULE, 22, Side.LEFT, Zone.MIDDLE, variety))
        hu[variety] = float(np.median(values(case, one(case, K.NODULE))))
    assert -750 < hu["ground-glass"] < -250 < 0 < hu["solid"] < 110 < 400 < hu["calcified"]


def test_every_finding_is_drawn_without_a_size_by_the_seed() -> None:
    kinds = list(FindingKind)
    for n in range(4):
        asked = kinds[n::4]
        recipe = Recipe(50 + n, tuple(map(Finding, asked)), Scan(rows=64, step_mm=5.0), detail=Detail.COARSE)
        found = {x.planted.kind for x in finish(make_case(recipe)).lesions}
        assert found >= set(asked), set(asked) - found


def test_an_oblique_anisotropic_left_handed_grid_shows_the_same_findings() -> None:
    findings = (
        Finding(K.GROUND_GLASS, 150, Side.LEFT, Zone.LOWER),
        Finding(K.FIBROSIS, 45, Side.RIGHT, Zone.UPPER),
        Finding(K.SEPTAL, 2.0, Side.LEFT),
        Finding(K.MOSAIC, 35),
        Finding(K.PERICARDIAL_EFFUSION, 14),
        Finding(K.HIATAL_HERNIA, 50),
        Finding(K.LIVER_CYST, 30),
    )
    straight, turned = (
        finish(make_case(Recipe(37, findings, scan, noise_hu=0, detail=Detail.COARSE)))
        for scan in (
            Scan(rows=96, step_mm=4.0, below_mm=60),
            Scan(rows=104, step_mm=3.0, orientation="LAS", tilt_deg=(5.0, -4.0, 7.0), above_mm=30, below_mm=75),
        )
    )
    handedness = [np.sign(np.linalg.det(c.masks.grid.affine[:3, :3])) for c in (straight, turned)]
    assert handedness[0] != handedness[1]
    for kind in (f.kind for f in findings):
        one_way, other = one(straight, kind), one(turned, kind)
        thin = kind in (K.SEPTAL, K.FIBROSIS)  # thinner than a voxel: marked where a voxel holds enough of it
        assert other.volume_ml == pytest.approx(one_way.volume_ml, rel=0.35 if thin else 0.1), kind
        middles = [
            c.masks.grid.to_ras(np.argwhere(full(c, x))[:, ::-1]).mean(axis=0)
            for c, x in ((straight, one_way), (turned, other))
        ]
        assert np.abs(middles[0] - middles[1]).max() < 4, kind
        assert other.box.contains(middles[0])
