"""Whole sentences about single structures, from measurements made by hand; nothing where nobody looked."""

from __future__ import annotations

import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.anatomy.regions import structure as structure_of
from RegionReportLib.draft.measured_writer import write_measured
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.measurement import QUANTITIES, Measurement
from RegionReportLib.report.place import Place
from RegionReportLib.report.sentence import Polarity, Sentence

COMPLETE = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
PLACES = tuple(Place(r, Box((0, 0, 0), (10, 10, 10)), (5, 5, 5)) for r in REGION_IDS)


def taken(
    quantity: str, structure: str, value: float | None, which: str = "", lobe: str | None = None, reason: str = ""
) -> Measurement:
    """A measurement of a structure, its place within `lobe` if there is one."""
    known = structure_of(structure)
    side = structure_of(lobe).side if lobe else known.side
    name = ".".join(x for x in (known.region_id, quantity, structure, which) if x)
    at = float(len(name) + sum(map(ord, name)) % 50)
    where = Place(known.region_id, Box((at, 0, 0), (at + 9, 9, 9)), (at + 4, 4, 4), lobe or structure, side)
    unit = QUANTITIES[quantity]
    return Measurement(name, quantity, known.region_id, value, unit, "m", reason, structure, side, place=where)


def written(*measurements: Measurement) -> dict[str, list[Sentence]]:
    sentences = write_measured(measurements, COMPLETE, {}, PLACES)
    return {r: [s for s in sentences if s.regions == (r,)] for r in REGION_IDS}


def texts(region_id: str, *measurements: Measurement) -> list[str]:
    return [s.text for s in written(*measurements)[region_id]]


HEART = "heart_great_vessels"
ASCENDING = taken("transverse_diameter", "aorta", 33.4, "ascending")
DESCENDING = taken("transverse_diameter", "aorta", 26.2, "descending")


def test_the_aorta_is_told_by_its_parts_and_no_longer_as_not_assessed() -> None:
    assert texts(HEART, ASCENDING, DESCENDING) == [
        "Aortic diameter 33 mm ascending, 26 mm descending, perpendicular to its course.",
        "Not assessed: coronary stenosis, valves, pericardium, pulmonary arteries.",
    ]
    only = texts(HEART, DESCENDING, taken("transverse_diameter", "aorta", None, "ascending", reason="too little"))
    assert only[0] == "Aortic diameter 26 mm descending, perpendicular to its course."
    assert "aortic diameter" in only[-1], "half of it was not assessed"


@pytest.mark.parametrize(("mm", "told"), [(40.0, False), (40.6, True)])
def test_a_wide_ascending_aorta_is_called_above_the_limit_only(mm: float, told: bool) -> None:
    (first, *_) = texts(HEART, taken("transverse_diameter", "aorta", mm, "ascending"))
    assert first.endswith(": ascending aorta dilated (above 40 mm).") is told


def test_a_larger_place_elsewhere_has_a_sentence_and_anchor_of_its_own() -> None:
    largest = taken("transverse_diameter", "aorta", 47.8, "largest", reason="abdominal aorta; of the part in the scan")
    sentence = written(ASCENDING, DESCENDING, largest)[HEART][1]
    assert sentence.text == "Largest aortic diameter 48 mm in the abdominal aorta."
    assert [a.place for a in sentence.anchors] == [largest.place]
    near = taken("transverse_diameter", "aorta", 35.0, "largest", reason="arch aorta")
    assert len(texts(HEART, ASCENDING, DESCENDING, near)) == 2


@pytest.mark.parametrize(
    ("mm", "ratio", "text"),
    [
        (25.0, 0.75, "Pulmonary trunk 25 mm, ratio to the ascending aorta 0.75."),
        (28.0, 0.84, "Pulmonary trunk 28 mm, wide for a woman (above 27 mm), ratio to the ascending aorta 0.84."),
        (
            34.0,
            1.02,
            "Pulmonary trunk 34 mm, wide (above 29 mm), ratio to the ascending aorta 1.02, raised (above 0.9).",
        ),
    ],
)
def test_the_pulmonary_trunk_is_called_by_the_published_percentiles(mm: float, ratio: float, text: str) -> None:
    trunk = taken("transverse_diameter", "pulmonary_artery", mm)
    found = texts(HEART, trunk, taken("pulmonary_aortic_ratio", "pulmonary_artery", ratio))
    assert found[0] == text
    assert "pulmonary artery branches" in found[-1]


def test_a_vessel_does_not_pass_for_the_trachea() -> None:
    assert texts("airways", ASCENDING)[0].startswith("Not assessed")


def test_pericardial_fluid_is_told_and_denied_for_the_masks_only() -> None:
    assert texts(HEART, taken("fluid_volume", "pericardial_effusion", 30))[0] == "Pericardial fluid 30 mL."
    more = texts(HEART, taken("fluid_volume", "pericardial_effusion", 210))[0]
    assert more == "Pericardial fluid 210 mL, more than physiological (above 50 mL)."
    none = written(taken("fluid_volume", "pericardial_effusion", 0.0))[HEART]
    assert (none[0].text, none[0].polarity) == ("No pericardial fluid in the given masks.", Polarity.ABSENT)
    assert "pericardial thickening" in none[-1].text


UPPER, LOWER = "lung_upper_lobe_right", "lung_lower_lobe_left"


def test_nodules_are_counted_with_who_found_them_and_each_has_its_lobe_and_box() -> None:
    by = "found by TotalSegmentator 2.7"
    sizes = [
        taken("longest_diameter", "lung_nodule", 8.2, "2", UPPER),
        taken("longest_diameter", "lung_nodule", 34, "1", LOWER),
    ]
    volume = taken("volume", "lung_nodule", 0.21, "2", UPPER)
    volume = Measurement(**{f: getattr(volume, f) for f in volume.__slots__} | {"place": sizes[0].place})
    found = written(taken("count", "lung_nodule", 2, reason=by), *sizes, volume)["lungs"]
    assert [s.text for s in found] == [
        "2 lung nodules found by TotalSegmentator 2.7.",
        "Mass, longest diameter 34 mm, in the left lower lobe.",
        "Nodule, longest diameter 8 mm, volume 0.21 mL, in the right upper lobe.",
        "Not assessed: interstitial pattern, bronchial disease.",
    ]
    assert [a.place for a in found[2].anchors] == [sizes[0].place]


def test_an_empty_nodule_mask_denies_for_the_masks_and_no_mask_is_not_assessed() -> None:
    found = written(taken("count", "lung_nodule", 0, reason="found by given nodules.nii.gz"))["lungs"]
    assert found[0].text == "No nodule in the given masks (from given nodules.nii.gz)."
    assert found[0].polarity is Polarity.ABSENT
    assert "nodules" not in found[-1].text
    assert texts("lungs") == ["Not assessed: nodules, interstitial pattern, bronchial disease."]


def test_a_nodule_does_not_pass_for_dense_lung_nor_a_lobe_for_a_lung() -> None:
    found = texts("lungs", taken("volume", UPPER, 900), taken("longest_diameter", "lung_nodule", 8, "1", UPPER))
    assert found[0] == "Lobes: right upper lobe 900 mL."
    assert not any("lung volume" in t or "Dense" in t for t in found)


def test_lobes_with_emphysema_are_told_from_the_most_to_the_least() -> None:
    found = texts(
        "lungs", taken("low_attenuation_fraction", UPPER, 2.2), taken("low_attenuation_fraction", LOWER, 14.4)
    )
    assert found[0] == "Low-attenuation area by lobe: left lower lobe 14 %, right upper lobe 2 %."
    assert len(texts("lungs", taken("low_attenuation_fraction", UPPER, 2.2))) == 1


def vertebra(level: str, front: float, back: float) -> tuple[Measurement, ...]:
    name = f"vertebrae_{level}"
    return (
        taken("anterior_height", name, front),
        taken("posterior_height", name, back),
        taken("vertebral_height_ratio", name, front / back),
    )


def test_wedged_bodies_are_named_with_their_heights() -> None:
    found = texts("bones", *vertebra("T8", 14.2, 21.8), *vertebra("T9", 21, 22))
    assert found[0] == (
        "T8 wedged: height 14 mm in front, 22 mm at the back, ratio 0.65: possible compression fracture."
    )
    assert len(found) == 2


def test_wedging_is_denied_for_the_bodies_that_were_measured_only() -> None:
    measured = [m for level in ("T8", "T9", "T12", "L1") for m in vertebra(level, 21, 24)]
    straight = written(*measured)["bones"]
    text = "No wedging of T8 to T9 and T12 to L1 measured (anterior over posterior height at least 0.88)."
    assert (straight[0].text, straight[0].polarity) == (text, Polarity.ABSENT)


def test_l1_is_called_by_its_own_cut_off_and_the_median_then_is_not() -> None:
    density, count = taken("trabecular_density", "vertebrae", 101), taken("count", "vertebrae", 9)
    found = texts("bones", density, count, taken("trabecular_density", "vertebrae_L1", 134))
    assert found[:2] == [
        "Trabecular density of 9 vertebral bodies 101 HU (median).",
        "Trabecular density of L1 134 HU: reduced, osteoporosis not excluded (cut-off for L1 160 HU).",
    ]


@pytest.mark.parametrize(
    ("hu", "text"), [(8, "Liver minus spleen 8 HU."), (-14, "Liver minus spleen −14 HU, below −10 HU: steatosis.")]
)
def test_the_liver_is_compared_with_the_spleen(hu: float, text: str) -> None:
    assert texts("upper_abdomen", taken("liver_spleen_difference", "liver", hu))[0] == text
