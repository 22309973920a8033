"""Whole sentences of the measured writer for measurements made by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.draft.measured_writer import NOT_ASSESSED, write_measured
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.measurement import QUANTITIES, Measurement
from RegionReportLib.report.place import AnchorSource, Place
from RegionReportLib.report.sentence import Author, Polarity, Sentence

COMPLETE = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)


def place(region_id: str, at: float = 0.0, side: Side | None = None, zone: Zone | None = None) -> Place:
    return Place(region_id, Box((at, 0, 0), (at + 10, 10, 10)), (at + 5, 5, 5), None, side, zone)


PLACES = (
    *(place(region_id) for region_id in REGION_IDS),
    place("lungs", 50, Side.RIGHT),
    place("lungs", -50, Side.LEFT),
)


def taken(
    quantity: str,
    region_id: str,
    value: float | None,
    side: Side | None = None,
    zone: Zone | None = None,
    reason: str = "",
) -> Measurement:
    """A measurement whose place lies at an x of its own, so that anchors can be told apart."""
    name = ".".join(str(p.value if isinstance(p, Side | Zone) else p) for p in (region_id, quantity, side, zone) if p)
    where = place(region_id, 200.0 + len(name), side, zone)
    return Measurement(
        name, quantity, region_id, value, QUANTITIES[quantity], "m", reason, None, side, zone, place=where
    )


def written(*measurements: Measurement, **coverage: Coverage) -> dict[str, list[Sentence]]:
    sentences = write_measured(measurements, {**COMPLETE, **coverage}, {"lungs": "cut at the bottom"}, PLACES)
    return {r: [s for s in sentences if s.regions == (r,)] for r in REGION_IDS}


def texts(*measurements: Measurement, **coverage: Coverage) -> dict[str, list[str]]:
    return {region: [s.text for s in found] for region, found in written(*measurements, **coverage).items()}


R, L = Side.RIGHT, Side.LEFT
SICK_LUNGS = (
    taken("volume", "lungs", 4900),
    taken("volume", "lungs", 2700, R),
    taken("volume", "lungs", 2200, L),
    taken("mean_density", "lungs", -812.4),
    taken("low_attenuation_fraction", "lungs", 3.2, reason="voxels of 2.5 mm"),
    taken("density_percentile_15", "lungs", -918),
    taken("dense_volume", "lungs", 84, R),
    taken("dense_volume", "lungs", 79, R, Zone.LOWER),
    taken("dense_volume", "lungs", 5, R, Zone.MIDDLE),
    taken("dense_volume", "lungs", 0, R, Zone.UPPER),
    taken("dense_component_volume", "lungs", 62, R, Zone.LOWER),
    taken("longest_diameter", "lungs", 58, R, Zone.LOWER),
    taken("dense_volume", "lungs", 0, L),
    taken("dense_component_volume", "lungs", None, L, reason="none"),
    taken("longest_diameter", "lungs", None, L, reason="none"),
    taken("fluid_volume", "lungs", 312, R),
    taken("fluid_volume", "lungs", 3, L),
    taken("extrapulmonary_air_volume", "lungs", 0, R),
    taken("extrapulmonary_air_volume", "lungs", 0, L),
)


def test_sick_lungs_read_as_a_radiologist_dictates() -> None:
    assert texts(*SICK_LUNGS)["lungs"] == [
        "Total lung volume 4.9 L (right 2.7 L, left 2.2 L).",
        "Mean lung density −812 HU.",
        "Low-attenuation area 3 % below −950 HU, 15th percentile −918 HU.",
        "Dense lung of 84 mL in the right lower zone, largest component 62 mL, longest diameter 58 mm: consolidation, "
        "atelectasis or mass.",
        "Right pleural fluid at least 310 mL.",
        "No left pleural fluid measured (< 10 mL).",
        "No air outside the lungs measured (< 10 mL).",
        "Not assessed: nodules, interstitial pattern, bronchial disease.",
    ]


def test_anchors_evidence_polarity_and_ids_belong_to_the_sentences() -> None:
    found = {s.id: s for s in written(*SICK_LUNGS)["lungs"]}
    assert list(found) == [f"lungs-{n}" for n in range(1, 9)]
    dense, fluid, none, air, last = (found[f"lungs-{n}"] for n in (4, 5, 6, 7, 8))
    assert dense.evidence == (
        "lungs.dense_volume.right",
        "lungs.dense_volume.right.lower",
        "lungs.dense_component_volume.right.lower",
        "lungs.longest_diameter.right.lower",
    )
    assert [a.place for a in dense.anchors] == [SICK_LUNGS[6].place, SICK_LUNGS[10].place]
    assert fluid.anchors[0].place == SICK_LUNGS[15].place
    assert (fluid.polarity, none.polarity) == (Polarity.PRESENT, Polarity.ABSENT)
    assert none.anchors[0].place == place("lungs", -50, L), "absence points at the whole side"
    assert [a.place.side for a in air.anchors] == [R, L]
    assert (last.polarity, last.evidence, last.anchors[0].place) == (Polarity.UNCERTAIN, (), place("lungs"))
    assert last.anchors[0].source is AnchorSource.HEADING
    assert all(s.origin.author is Author.MEASURED for s in found.values())
    assert all(a.source is AnchorSource.MEASUREMENT for s in found.values() if s.evidence for a in s.anchors)
    start, stop = dense.key_phrase
    assert dense.text[start:stop] == "Dense lung of 84 mL"


def test_a_single_small_focus_may_be_a_nodule_and_nothing_denies_nodules() -> None:
    focus = (
        taken("dense_volume", "lungs", 6.62, L),
        taken("dense_component_volume", "lungs", 6.62, L, Zone.MIDDLE),
        taken("longest_diameter", "lungs", 26.2, L, Zone.MIDDLE),
    )
    assert texts(*focus)["lungs"] == [
        "Dense focus of 6.6 mL in the left middle zone, longest diameter 26 mm: nodule, consolidation or atelectasis.",
        "Not assessed: nodules, interstitial pattern, bronchial disease.",
    ]


def test_dense_lung_in_several_zones_names_each() -> None:
    spread = (
        taken("dense_volume", "lungs", 100, R),
        taken("dense_volume", "lungs", 60, R, Zone.LOWER),
        taken("dense_volume", "lungs", 38, R, Zone.UPPER),
        taken("dense_volume", "lungs", 2, R, Zone.MIDDLE),
        taken("dense_component_volume", "lungs", 60, R, Zone.LOWER),
        taken("longest_diameter", "lungs", 70, R, Zone.LOWER),
    )
    assert texts(*spread)["lungs"][0] == (
        "Dense lung of 100 mL in the right lung (upper zone 38 mL, lower zone 60 mL), largest component 60 mL, longest "
        "diameter 70 mm: consolidation, atelectasis or mass."
    )


def test_free_air_is_named_with_its_doubt_and_the_other_side_on_its_own() -> None:
    air = (taken("extrapulmonary_air_volume", "lungs", 0, R), taken("extrapulmonary_air_volume", "lungs", 1234, L))
    assert texts(*air)["lungs"][:2] == [
        "Left-sided air outside the lung 1.2 L: pneumothorax, or a large subpleural bulla.",
        "No air outside the right lung measured (< 10 mL).",
    ]


def test_air_that_may_be_bullae_is_left_open_and_said_so() -> None:
    why = taken("extrapulmonary_air_volume", "lungs", None, R, reason="not told from bullae")
    (open_, none, _) = written(why, taken("extrapulmonary_air_volume", "lungs", 0, L))["lungs"]
    assert open_.text == "Right-sided air outside the lung not measured: not told from bullae."
    assert open_.polarity is Polarity.UNCERTAIN
    assert none.text == "No air outside the left lung measured (< 10 mL)."


def test_emphysema_is_called_by_its_cut_off_and_noise_holds_the_call_back() -> None:
    tail = taken("density_percentile_15", "lungs", -961)
    low = taken("low_attenuation_fraction", "lungs", 28.4)
    assert texts(low, tail)["lungs"][0].endswith(
        "28 % below −950 HU, 15th percentile −961 HU: raised, as in emphysema."
    )
    noisy = replace(low, reason="noise of 60 HU raises the index")
    assert "image noise as a possible cause" in texts(noisy, tail)["lungs"][0]


def test_partly_covered_lungs_say_so_and_their_volume_is_that_within_the_scan() -> None:
    base = taken("fluid_volume", "lungs", None, R, reason="right lung base not in the scan")
    found = texts(*SICK_LUNGS[:3], base, SICK_LUNGS[17], SICK_LUNGS[18], lungs=Coverage.PARTIAL)["lungs"]
    assert found[:4] == [
        "Lungs only partly covered by this scan: cut at the bottom.",
        "Lung volume within the scan 4.9 L (right 2.7 L, left 2.2 L).",
        "Right pleural fluid not measured: right lung base not in the scan.",
        "No air outside the lungs measured within the scan (< 10 mL).",
    ]


@pytest.mark.parametrize("region_id", REGION_IDS)
def test_an_absent_region_is_not_covered_and_nothing_else_is_said_of_it(region_id: str) -> None:
    (only,) = written(*SICK_LUNGS, **{region_id: Coverage.ABSENT})[region_id]
    if region_id == "lungs":  # the one region with a note in these tests
        assert only.text == "Lungs not assessed: cut at the bottom."
    else:
        assert only.text.endswith("not covered by this scan.")
    assert only.polarity is Polarity.UNCERTAIN
    assert not only.anchors
    assert not only.evidence
    assert only.placeless


@pytest.mark.parametrize("region_id", REGION_IDS)
def test_each_covered_paragraph_ends_with_what_was_not_assessed(region_id: str) -> None:
    found = written(*SICK_LUNGS)[region_id]
    assert found[-1].text == f"Not assessed: {NOT_ASSESSED[region_id]}."
    assert sum("Not assessed" in s.text for s in found) == 1


def test_heart_lines() -> None:
    heart = "heart_great_vessels"
    ratio = (
        taken("cardiothoracic_ratio", heart, 0.559),
        taken("heart_width", heart, 142),
        taken("thorax_width", heart, 254),
    )
    plain = taken("blood_density", heart, 41.2, reason="no contrast in the vessels")
    assert texts(*ratio, plain, taken("calcium_volume", heart, 223))[heart][:3] == [
        "Cardiothoracic ratio 0.56 (142 / 254 mm), enlarged.",
        "No contrast in the vessels (blood 41 HU).",
        "Calcium in the heart and aorta region 220 mm³.",
    ]
    assert texts(replace(ratio[0], value=0.5), *ratio[1:])[heart][0] == "Cardiothoracic ratio 0.50 (142 / 254 mm)."
    cut = taken("cardiothoracic_ratio", heart, None, reason="heart cut at the inferior edge of the scan")
    gated = taken("calcium_volume", heart, None, reason="contrast in the vessels")
    assert texts(cut, gated)[heart][:2] == [
        "Cardiothoracic ratio not measured: heart cut at the inferior edge of the scan.",
        "Coronary and aortic calcium not measured: contrast in the vessels.",
    ]
    assert texts(taken("calcium_volume", heart, 0.0))[heart][0] == (
        "No calcium measured in the heart and aorta region (< 1 mm³)."
    )


def airway(across: float, deep: float) -> str:
    lines = texts(
        taken("transverse_diameter", "airways", across),
        taken("sagittal_diameter", "airways", deep),
        taken("tracheal_index", "airways", across / deep),
        taken("carina_angle", "airways", 71.6),
    )["airways"]
    assert not any("arina" in line for line in lines[:-1])  # measured, but not said: masks do not bear it
    return lines[0]


def test_airway_lines_call_by_published_limits() -> None:
    assert airway(17, 20) == "Trachea 17 × 20 mm at mid-level (transverse × sagittal), tracheal index 0.85."
    assert airway(12, 20).endswith("tracheal index 0.60, saber-sheath configuration.")
    assert airway(8, 10).endswith(", narrow.")
    assert airway(28, 27).endswith(", wide.")


def test_bone_liver_and_mediastinum_lines() -> None:
    density = taken("trabecular_density", "bones", 104.2)
    count = taken("count", "bones", 6)
    assert texts(density, count)["bones"][0] == (
        "Trabecular density of 6 vertebral bodies 104 HU (median): low, as in osteoporosis (cut-off for L1 110 HU)."
    )
    bright = replace(density, value=171.0, reason="contrast raises it")
    assert texts(bright, replace(count, value=1))["bones"][0] == (
        "Trabecular density of 1 vertebral body 171 HU (median, with contrast)."
    )
    abdomen = "upper_abdomen"
    assert texts(taken("liver_density", abdomen, 31.6))[abdomen][0] == "Liver density 32 HU, below 40 HU: steatosis."
    contrast = taken("liver_density", abdomen, 31.6, reason="contrast in the vessels")
    assert texts(contrast)[abdomen][0] == "Liver density 32 HU (with contrast)."
    assert texts(taken("mediastinal_width", "mediastinum", 67.6))["mediastinum"][0] == (
        "Mediastinal width about 68 mm near the level of the aortic arch."
    )


def test_without_any_measurement_only_the_unassessed_is_said() -> None:
    assert texts() == {region_id: [f"Not assessed: {words}."] for region_id, words in NOT_ASSESSED.items()}


# Published limits and names, the only numbers that a sentence may hold besides its evidence.
LIMITS = {"950", "15", "10", "1", "110", "160", "40"}


@given(
    volume=st.floats(60, 9000),
    hu=st.floats(-999, 500),
    small=st.floats(0, 400),
    share=st.floats(0, 100),
    size=st.floats(5, 180),
)
def test_every_number_of_a_sentence_comes_from_its_evidence(
    volume: float, hu: float, small: float, share: float, size: float
) -> None:
    heart = "heart_great_vessels"
    told = {
        m.id: m
        for m in (
            taken("volume", "lungs", 2 * volume),
            taken("volume", "lungs", volume * 1.1, R),
            taken("volume", "lungs", volume * 0.9, L),
            taken("mean_density", "lungs", hu),
            taken("low_attenuation_fraction", "lungs", share),
            taken("density_percentile_15", "lungs", hu - 50),
            taken("dense_volume", "lungs", small, R),
            taken("dense_volume", "lungs", small * 0.6, R, Zone.LOWER),
            taken("dense_volume", "lungs", small * 0.4, R, Zone.UPPER),
            taken("dense_component_volume", "lungs", small * 0.6, R, Zone.LOWER),
            taken("longest_diameter", "lungs", size, R, Zone.LOWER),
            taken("fluid_volume", "lungs", small, L),
            taken("extrapulmonary_air_volume", "lungs", small, R),
            taken("cardiothoracic_ratio", heart, share / 100),
            taken("heart_width", heart, size),
            taken("thorax_width", heart, size * 2),
            taken("calcium_volume", heart, small * 7),
            taken("blood_density", heart, hu, reason="no contrast in the vessels"),
            taken("trabecular_density", "bones", hu),
            taken("count", "bones", 7),
            taken("liver_density", "upper_abdomen", hu),
            taken("mediastinal_width", "mediastinum", size),
        )
    }
    for sentence in write_measured(told.values(), COMPLETE, {}, PLACES):
        values = [told[name].value for name in sentence.evidence]
        for number in re.findall(r"\d+(?:\.\d+)?", sentence.text):
            near = any(_same(float(number), abs(v)) for v in values if v is not None)
            assert near or number in LIMITS, (number, sentence.text, values)


def _same(printed: float, value: float) -> bool:
    """Printed as it is or in litres, to two digits or to the last unit."""
    return any(abs(printed - v) <= max(0.051 * v, 0.501 if v == value else 0.051) for v in (value, value / 1000))
