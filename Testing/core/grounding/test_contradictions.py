"""Each kind of contradiction is found where it is planted, names both sides, and is absent from true sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.grounding.mentions import mentions_of
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.flags import look_for_flags
from RegionReportLib.report.place import Place
from RegionReportLib.report.sentence import Flag, FlagKind, Verdict


def flags(report: Any, sentence_id: str = "a") -> list[Flag]:
    return list(check(report).sentence(sentence_id).flags)


def kinds(report: Any, sentence_id: str = "a") -> list[str]:
    return [flag.kind.value for flag in flags(report, sentence_id)]


@pytest.mark.parametrize(
    ("text", "side", "zone", "expected"),
    [
        ("Nodule in the left lung.", Side.RIGHT, None, ["side"]),
        ("Nodule in the right lung.", Side.RIGHT, None, []),
        ("Nodules in both lungs.", Side.RIGHT, None, ["side"]),
        ("Nodule in the lung.", Side.RIGHT, None, []),
        ("Effusion on the left.", Side.RIGHT, None, ["side"]),
        ("Nodule in the right lung, adjacent to the left atrium.", Side.RIGHT, None, []),
        ("Nodule in the right lower lobe.", Side.RIGHT, Zone.UPPER, ["place"]),
        ("Nodule in the right upper lobe.", Side.RIGHT, Zone.UPPER, []),
        ("Nodule in the left upper lobe.", Side.RIGHT, Zone.UPPER, ["side"]),
        ("The aorta is wide.", Side.RIGHT, None, ["place"]),
        ("Follow-up is recommended.", Side.RIGHT, None, []),
    ],
)
def test_side_and_place_in_the_words_are_compared_with_the_tie(
    chest: Any, text: str, side: Side, zone: Zone | None, expected: list[str]
) -> None:
    place = chest.place("lungs", side=side, zone=zone)
    assert kinds(chest.report(chest.sentence("a", text, place))) == expected


def test_sides_are_compared_zone_by_zone(chest: Any) -> None:
    places = (chest.place("lungs", side=Side.RIGHT, zone=Zone.LOWER), chest.place("lungs", side=Side.LEFT))
    true = "Nodules in both lungs, the largest in the right lower lobe."
    assert kinds(chest.report(chest.sentence("a", true, *places))) == []
    assert kinds(chest.report(chest.sentence("a", true.replace("right", "left"), *places))) == ["side"]


def test_another_organ_of_the_same_region_is_told(chest: Any) -> None:
    heart = chest.place("heart_great_vessels", structure="heart")
    assert kinds(chest.report(chest.sentence("a", "The heart is normal.", heart))) == []
    assert kinds(chest.report(chest.sentence("a", "Left ventricular hypertrophy.", heart))) == []
    (flag,) = flags(chest.report(chest.sentence("a", "The aorta is normal.", heart)))
    assert flag.kind is FlagKind.PLACE and "aorta" in flag.message and "heart" in flag.message


def test_another_vertebra_is_told(chest: Any) -> None:
    level = chest.place("bones", structure="vertebrae_T7")
    assert kinds(chest.report(chest.sentence("a", "Fracture of T7.", level))) == []
    assert kinds(chest.report(chest.sentence("a", "Fracture of T8.", level))) == ["place"]


def test_comparison_words_need_a_prior(chest: Any) -> None:
    sentence = chest.sentence("a", "The nodule is unchanged since the previous CT.", chest.place("lungs"))
    report = chest.report(sentence)
    (flag,) = flags(report)
    assert flag.kind is FlagKind.COMPARISON and "unchanged" in flag.message
    assert kinds(replace(report, study=replace(report.study, prior=True))) == []


def test_a_place_outside_the_scan_is_told(chest: Any) -> None:
    coverage = {**dict.fromkeys(REGION_IDS, Coverage.COMPLETE), "upper_abdomen": Coverage.ABSENT}
    sentence = chest.sentence("a", "The liver is normal.", chest.place("upper_abdomen"))
    assert kinds(chest.report(sentence, coverage=coverage)) == ["outside"]
    unseen = chest.sentence("a", "Upper abdomen could not be evaluated.", chest.place("upper_abdomen"))
    assert kinds(chest.report(unseen, coverage=coverage)) == []
    far = Place("lungs", Box((900.0, 0.0, 0.0), (950.0, 1.0, 1.0)), (920.0, 0.5, 0.5))
    assert kinds(chest.report(chest.sentence("a", "Clear lungs.", far))) == ["outside"]


def test_a_size_without_a_unit_is_told(chest: Any) -> None:
    lungs = chest.place("lungs")
    assert kinds(chest.report(chest.sentence("a", "Nodule measuring 12x8.", lungs))) == ["unit"]
    assert kinds(chest.report(chest.sentence("a", "Nodule with a diameter of 12.", lungs))) == ["unit"]
    assert kinds(chest.report(chest.sentence("a", "Nodule of 12x8 mm on image 45, 3 nodules in all.", lungs))) == []


def test_a_region_without_a_sentence_is_told_on_the_report_and_does_not_block(chest: Any) -> None:
    coverage = {**dict.fromkeys(REGION_IDS, Coverage.COMPLETE), "bones": Coverage.ABSENT}
    report = check(chest.report(chest.sentence("a", "Clear lungs.", chest.place("lungs")), coverage=coverage))
    assert [f.kind for f in report.flags] == [FlagKind.EMPTY_REGION] * 4
    assert not any(f.blocking for f in report.flags)
    words = " ".join(f.message for f in report.flags)
    assert "mediastinum" in words and "osseous" not in words and "lungs" not in words


def test_a_rejected_sentence_has_no_flags_and_contradicts_nothing(chest: Any) -> None:
    one = chest.sentence("a", "No pleural effusion.", chest.place("lungs"))
    other = replace(chest.sentence("b", "Left pleural effusion.", chest.place("lungs")), verdict=Verdict.REJECTED)
    checked = check(chest.report(one, other))
    assert checked.sentence("a").flags == () and checked.sentence("b").flags == ()


def test_an_answer_lasts_while_the_contradiction_does(chest: Any) -> None:
    sentence = chest.sentence("a", "The nodule is unchanged.", chest.place("lungs"))
    checked = check(chest.report(sentence))
    (flag,) = checked.sentence("a").flags
    answered = checked.with_sentences([replace(checked.sentence("a"), flags=(replace(flag, answer="seen on paper"),))])
    assert check(answered).sentence("a").flags[0].answer == "seen on paper"
    reworded = answered.with_sentences([replace(answered.sentence("a"), text="The nodule is stable.")])
    assert check(reworded).sentence("a").flags[0].answer is None
    gone = answered.with_sentences([replace(answered.sentence("a"), text="A nodule.")])
    assert check(gone).sentence("a").flags == ()


def test_checking_changes_flags_only_and_an_unchanged_report_comes_back_itself(chest: Any) -> None:
    report = chest.report(chest.sentence("a", "The nodule is unchanged.", chest.place("lungs")))
    assert look_for_flags(report, check) is not None
    checked = check(report)
    assert check(checked) is checked


def test_a_second_check_reads_only_the_sentence_that_changed(chest: Any) -> None:
    sentences = [
        chest.sentence(f"s{n}", f"A nodule of {n + 1} mm in the left lung.", chest.place("lungs")) for n in range(60)
    ]
    report = check(chest.report(*sentences))
    before = mentions_of.cache_info().misses
    changed = [replace(report.sentences[0], text="A cyst never read before."), *report.sentences[1:]]
    check(report.with_sentences(changed))
    assert mentions_of.cache_info().misses == before + 1


WORDS = st.sampled_from(
    [
        "No",
        "left",
        "right",
        "pleural effusion",
        "nodule",
        "aorta",
        "unchanged",
        "12x8",
        "upper lobe",
        "is normal",
        "heart size",
    ]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), max_size=8))
def test_flags_are_the_same_each_time_and_point_at_what_exists(chest: Any, texts: list[str]) -> None:
    fluid = chest.measured("fluid_volume", "lungs", 310.0, side=Side.LEFT)
    lung = chest.place("lungs", side=Side.LEFT)
    report = chest.report(*(chest.sentence(f"s{n}", t, lung) for n, t in enumerate(texts)), measurements=(fluid,))
    checked = check(report)
    assert check(report) == checked and check(checked) is checked
    known = {s.id for s in report.sentences}
    for sentence in checked.sentences:
        for flag in sentence.flags:
            assert set(flag.sentence_ids) <= known - {sentence.id}
            assert set(flag.measurement_ids) <= {fluid.id}
            assert flag.message.strip()
