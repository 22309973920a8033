"""Cases: the same recipe gives the same case; the scan's grid does not change the patient; truth agrees with masks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import Coverage, Side
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Contrast, Finding, FindingKind, Recipe, Scan
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.sentence import Polarity

K = FindingKind
FINDINGS = (Finding(K.EFFUSION, 300, Side.LEFT), Finding(K.NODULE, 20, Side.RIGHT), Finding(K.CARDIOMEGALY, 0.56))
SCAN = Scan(rows=96, step_mm=5.0)


def made(seed: int = 9, scan: Scan = SCAN, contrast: Contrast = Contrast.NONE) -> PhantomCase:
    return finish(make_case(Recipe(seed, FINDINGS, scan, contrast=contrast)))


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    return made()


def truth(case: PhantomCase, quantity: str, side: Side | None = None) -> float:
    (value,) = [m.value for m in case.truth if m.quantity == quantity and m.side is side]
    assert value is not None
    return value


def test_the_same_recipe_gives_the_same_case(case: PhantomCase) -> None:
    again = made()
    assert again.volume.digest() == case.volume.digest()
    assert np.array_equal(again.masks.labels, case.masks.labels)
    assert again.truth == case.truth
    assert again.sentences == case.sentences


def test_another_seed_gives_another_patient(case: PhantomCase) -> None:
    other = made(10)
    assert other.habitus != case.habitus
    assert other.volume.digest() != case.volume.digest()


@pytest.mark.parametrize("orientation", ["LAS", "SPL"])
def test_the_grid_does_not_move_the_patient(case: PhantomCase, orientation: str) -> None:
    """An oblique, anisotropic and, as LAS and SPL are, left-handed grid shows the same anatomy in RAS."""
    scan = Scan(rows=96, step_mm=5.0, orientation=orientation, tilt_deg=(4.0, -3.0, 6.0), above_mm=35, below_mm=45)
    turned = made(scan=scan)
    for name in ("lung_right", "lung_left", "heart", "aorta", "liver", "trachea", "vertebrae_T6"):
        places = []
        for one in (case, turned):
            kji = np.argwhere(one.masks.structure(name))
            places.append(one.masks.grid.to_ras(kji[:, ::-1]))
        if name not in ("liver", "aorta", "trachea", "vertebrae_T6"):  # cut by the grid, or thin against a voxel
            volumes = [len(p) * one.masks.grid.voxel_ml for p, one in zip(places, (case, turned), strict=True)]
            assert volumes[1] == pytest.approx(volumes[0], rel=0.05)
            assert np.abs(places[0].mean(axis=0) - places[1].mean(axis=0)).max() < 2.5
    for quantity in ("heart_width", "thorax_width", "transverse_diameter"):
        assert truth(turned, quantity) == truth(case, quantity)
    boxes = [next(x for x in one.lesions if x.planted.kind is K.NODULE).box for one in (case, turned)]
    assert np.abs(np.array(boxes[0].center_mm) - boxes[1].center_mm).max() < 4


def test_thick_and_thin_slices_hold_the_same_volumes(case: PhantomCase) -> None:
    thin = made(scan=Scan(rows=96, step_mm=2.5))
    for quantity in ("volume", "fluid_volume"):
        assert truth(thin, quantity, Side.LEFT) == pytest.approx(truth(case, quantity, Side.LEFT), rel=0.03)


def test_thick_slices_blur_along_z() -> None:
    scans = (Scan(rows=64, step_mm=2.0, thickness_mm=t) for t in (2.0, 8.0))
    sharp, blurred = (finish(make_case(Recipe(9, scan=scan, noise_hu=0))) for scan in scans)
    assert (sharp.masks.labels == blurred.masks.labels).mean() > 0.999
    bends = [np.abs(np.diff(c.volume.hu.astype(np.float64), 2, axis=0)).mean() for c in (sharp, blurred)]
    assert bends[1] < 0.5 * bends[0]


def test_truth_agrees_with_the_masks(case: PhantomCase) -> None:
    ml = case.masks.grid.voxel_ml
    left = np.count_nonzero(case.masks.structure("lung_left")) * ml
    fluid = sum(x.volume_ml for x in case.lesions if x.planted.kind is K.EFFUSION)
    assert truth(case, "volume", Side.LEFT) == pytest.approx(left - fluid)
    assert truth(case, "fluid_volume", Side.LEFT) == pytest.approx(300, rel=0.06)
    assert truth(case, "fluid_volume", Side.RIGHT) == 0.0
    assert truth(case, "volume") == pytest.approx(truth(case, "volume", Side.LEFT) + truth(case, "volume", Side.RIGHT))


def test_widths_agree_with_the_masks() -> None:
    """The widest row of the heart's mask, counted in voxels of a scan that is not turned."""
    case = made(scan=Scan(rows=160, step_mm=4.0))
    heart = case.masks.structure("heart").any(axis=1)
    columns = [np.flatnonzero(row) for row in heart if row.any()]
    widest = max(c[-1] - c[0] + 1 for c in columns) * case.masks.grid.spacing_mm[0]
    assert truth(case, "heart_width") == pytest.approx(widest, abs=4)
    assert truth(case, "cardiothoracic_ratio") == pytest.approx(0.56, abs=0.015)
    trachea = case.masks.structure("trachea")
    level = int(np.rint(case.masks.grid.to_ijk((0.0, 0.0, 45.0 * case.habitus.scale[2]))[2]))
    across = trachea[level].any(axis=0).sum() * case.masks.grid.spacing_mm[0]
    assert truth(case, "transverse_diameter") == pytest.approx(across, abs=2 * case.masks.grid.spacing_mm[0])


def test_a_scan_that_leaves_out_the_apices_says_so() -> None:
    case = made(scan=Scan(rows=96, step_mm=5.0, above_mm=-60.0))
    assert case.masks.coverage["lungs"] is Coverage.PARTIAL
    assert "top" in case.masks.coverage_notes["lungs"]
    volume = next(m for m in case.truth if m.quantity == "volume")
    assert "top" in volume.reason
    assert not [s for s in case.sentences if s.region_id == "lungs" and s.polarity is Polarity.ABSENT]


def test_regions_end_where_the_definitions_say(case: PhantomCase) -> None:
    """Vessels, oesophagus and heart end at the diaphragm and the inlet; discs, canal and cartilages are bones."""
    assert case.masks.coverage["bones"] is Coverage.COMPLETE
    heights = {}
    for name in ("aorta", "esophagus", "heart", "liver"):
        kji = np.argwhere(case.masks.structure(name))
        heights[name] = case.masks.grid.to_ras(kji[:, ::-1])[:, 2]
    assert heights["aorta"].min() > np.median(heights["liver"])
    assert heights["esophagus"].max() < case.volume.grid.box.max_mm[2] - 20
    bones = case.masks.region("bones")
    for name in ("spinal_cord", "costal_cartilages"):
        mask = case.masks.structure(name)
        assert mask.any() and (bones & mask).sum() == mask.sum()


def test_a_narrow_field_of_view_cuts_at_the_sides() -> None:
    case = made(scan=Scan(rows=96, step_mm=6.0, fov_mm=200.0))
    notes = case.masks.coverage_notes["lungs"]
    assert "left" in notes and "right" in notes


def test_contrast_shows_in_the_blood_and_not_in_fat(case: PhantomCase) -> None:
    enhanced = made(contrast=Contrast.ARTERIAL)
    aorta = [np.median(c.volume.hu[c.masks.structure("aorta")]) for c in (case, enhanced)]
    assert aorta[0] < 80 and aorta[1] > 180
    fat = [np.median(c.volume.hu[c.masks.structure("upper_abdomen")]) for c in (case, enhanced)]
    assert abs(fat[0] - fat[1]) < 20


def test_noise_has_the_strength_asked_for() -> None:
    quiet, noisy = (
        finish(make_case(Recipe(9, scan=Scan(rows=96, step_mm=6.0), noise_hu=noise))) for noise in (0.0, 20.0)
    )
    liver = quiet.masks.structure("liver")
    rest = noisy.volume.hu[liver].astype(np.float64) - quiet.volume.hu[liver]
    assert 15 < rest.std() < 26


def test_the_scan_circle_is_padded() -> None:
    case = made(scan=Scan(rows=64, step_mm=8.0, circle=True))
    assert case.volume.outside_hu == case.volume.hu[0, 0, 0] == -2048
    assert case.volume.hu[:, 32, 32].min() > -1100


def test_progress_rises_to_the_end() -> None:
    seen: list[Progress] = []
    finish(make_case(Recipe(9, scan=Scan(rows=64, step_mm=8.0))), seen.append)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions) and len(fractions) >= 4


def test_all_that_is_known_is_plain_json(case: PhantomCase) -> None:
    again = json.loads(json.dumps(case.to_dict(), allow_nan=False))
    assert {x["kind"] for x in again["lesions"]} == {"effusion", "atelectasis", "nodule", "cardiomegaly"}
    assert {m["quantity"] for m in again["truth"]} >= {"volume", "fluid_volume", "heart_width", "calcium_volume"}


def test_sentences_tell_of_every_lesion_and_deny_nothing_that_is_there(case: PhantomCase) -> None:
    told = {n for s in case.sentences for n in s.lesions}
    assert told == {x.planted.number for x in case.lesions}
    present = {x.planted.kind for x in case.lesions}
    for sentence in case.sentences:
        assert "{" not in sentence.text and "[" not in sentence.text and sentence.text.endswith(".")
        if sentence.polarity is Polarity.ABSENT:
            assert sentence.kind not in present and not sentence.lesions
    effusion = next(s for s in case.sentences if s.kind is K.EFFUSION)
    assert "left" in effusion.text.lower() and effusion.side is Side.LEFT
