"""Words and measurements that disagree are told with both; a size that is rounded, or a limit, is no contradiction."""

from __future__ import annotations

from typing import Any

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.grounding.mentions import mentions_of
from RegionReportLib.report.sentence import Flag, FlagKind


def flags(report: Any, sentence_id: str = "a") -> list[Flag]:
    return list(check(report).sentence(sentence_id).flags)


def kinds(report: Any, sentence_id: str = "a") -> list[str]:
    return [flag.kind.value for flag in flags(report, sentence_id)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Right pleural effusion of 310 mL.", []),
        ("Right pleural effusion of 0.31 L.", []),
        ("Right pleural effusion of 300 mL.", []),
        ("Right pleural effusion of 340 mL.", ["size"]),
        ("Right pleural effusion of 31 mL.", ["size"]),
        ("Right pleural effusion of 3.1 L.", ["size"]),
        ("Right pleural effusion of more than 200 mL.", []),
        ("Right pleural effusion of at least 200 mL.", []),
        ("Right pleural effusion of at least 400 mL.", ["size"]),
        ("Right pleural effusion of at least 310 L.", ["size"]),
        ("Left pleural effusion of 90 mL.", []),
    ],
)
def test_a_written_size_is_compared_with_the_measured_one(chest: Any, text: str, expected: list[str]) -> None:
    fluid = chest.measured("fluid_volume", "lungs", 310.0, side=Side.RIGHT)
    side = Side.LEFT if "Left" in text else Side.RIGHT
    report = chest.report(chest.sentence("a", text, chest.place("lungs", side=side)), measurements=(fluid,))
    assert kinds(report) == expected
    for flag in flags(report):
        assert "310" in flag.message and flag.measurement_ids == (fluid.id,)


def test_the_size_of_one_side_is_not_taken_for_that_of_both(chest: Any) -> None:
    both = chest.measured("volume", "lungs", 4826.0)
    right = chest.measured("volume", "lungs", 2336.0, side=Side.RIGHT)
    left = chest.measured("volume", "lungs", 2490.0, side=Side.LEFT)
    place = chest.place("lungs", side=Side.RIGHT)
    for text, expected in (
        ("Right lung volume 2.3 L.", []),
        ("Right lung volume 5 L.", ["size"]),
        ("Lung volume 4.8 L, of which right 2.3 L and left 2.5 L.", []),
    ):
        report = chest.report(chest.sentence("a", text, place), measurements=(both, right, left))
        assert [kind for kind in kinds(report) if kind != "side"] == expected
        assert all("measured: volume right 2336 mL" in f.message for f in flags(report) if f.kind is FlagKind.SIZE)


def test_a_finding_that_is_named_and_implied_is_flagged_once(chest: Any) -> None:
    ratio = chest.measured("cardiothoracic_ratio", "heart_great_vessels", 0.47)
    sentence = chest.sentence("a", "The heart is enlarged.", chest.place("heart_great_vessels"))
    assert kinds(chest.report(sentence, measurements=(ratio,))) == ["negation"]


def test_what_is_cited_as_the_least_is_quoted(chest: Any) -> None:
    fluid = chest.measured("fluid_volume", "lungs", 310.0, side=Side.RIGHT)
    place = chest.place("lungs", side=Side.RIGHT)
    for text, expected in (("310 mL", []), ("300 mL", []), ("31 mL", ["size"]), ("310 L", ["size"])):
        sentence = chest.sentence("a", f"Right pleural fluid at least {text}.", place, evidence=(fluid.id,))
        assert kinds(chest.report(sentence, measurements=(fluid,))) == expected


def test_of_several_dimensions_the_longest_is_compared(chest: Any) -> None:
    longest = chest.measured("longest_diameter", "lungs", 58.0)
    for text, expected in (("58 × 41 × 47 mm.", []), ("5.8 x 4.1 cm.", []), ("38 × 41 × 47 mm.", ["size"])):
        sentence = chest.sentence("a", "Mass of " + text, chest.place("lungs"), evidence=(longest.id,))
        assert kinds(chest.report(sentence, measurements=(longest,))) == expected


def test_a_ratio_is_compared_too(chest: Any) -> None:
    ratio = chest.measured("cardiothoracic_ratio", "heart_great_vessels", 0.56)
    for text, expected in (("The cardiothoracic ratio is 0.56.", []), ("The cardiothoracic ratio is 0.65.", ["size"])):
        sentence = chest.sentence("a", text, chest.place("heart_great_vessels"))
        assert kinds(chest.report(sentence, measurements=(ratio,))) == expected


@pytest.mark.parametrize(
    ("text", "quantity", "region", "value", "expected"),
    [
        ("No pleural effusion.", "fluid_volume", "lungs", 310.0, ["negation"]),
        ("No pleural effusion.", "fluid_volume", "lungs", 4.0, []),
        ("No pleural effusion.", "fluid_volume", "lungs", None, []),
        ("No pericardial effusion.", "fluid_volume", "lungs", 310.0, []),
        ("No pneumothorax.", "extrapulmonary_air_volume", "lungs", 90.0, ["negation"]),
        ("Pneumothorax was not observed.", "extrapulmonary_air_volume", "lungs", 90.0, ["negation"]),
        ("No consolidation.", "dense_volume", "lungs", 84.0, ["negation"]),
        ("No coronary calcification.", "calcium_volume", "heart_great_vessels", 220.0, ["negation"]),
        ("No cardiomegaly.", "cardiothoracic_ratio", "heart_great_vessels", 0.56, ["negation"]),
        ("Heart size is normal.", "cardiothoracic_ratio", "heart_great_vessels", 0.56, ["negation"]),
        ("The heart is not enlarged.", "cardiothoracic_ratio", "heart_great_vessels", 0.56, ["negation"]),
        ("Heart size is normal.", "cardiothoracic_ratio", "heart_great_vessels", 0.44, []),
        ("No hepatic steatosis.", "liver_density", "upper_abdomen", 28.0, ["negation"]),
        ("No hepatic steatosis.", "liver_density", "upper_abdomen", 58.0, []),
        ("No emphysema.", "low_attenuation_fraction", "lungs", 12.0, ["negation"]),
        ("Vertebral body heights are preserved.", "vertebral_height_ratio", "bones", 0.6, ["negation"]),
        ("Pleural effusion.", "fluid_volume", "lungs", 310.0, []),
        ("Pleural effusion.", "fluid_volume", "lungs", 2.0, ["negation"]),
        ("Possible pleural effusion.", "fluid_volume", "lungs", 2.0, []),
    ],
)
def test_a_denial_is_compared_with_what_was_measured(
    chest: Any, text: str, quantity: str, region: str, value: float | None, expected: list[str]
) -> None:
    measured = chest.measured(quantity, region, value)
    home = mentions_of(text).regions[0]
    report = chest.report(chest.sentence("a", text, chest.place(home)), measurements=(measured,))
    assert kinds(report) == expected


@pytest.mark.parametrize(
    ("text", "narrow", "expected"),
    [
        ("No pulmonary nodule.", ("count", "lungs", 2.0, "lung_nodule"), ["negation"]),
        ("No pulmonary nodule.", ("count", "lungs", 0.0, "lung_nodule"), []),
        ("Pulmonary nodule.", ("count", "lungs", 2.0, "lung_nodule"), []),
        ("No lesion of the vertebrae.", ("count", "bones", 9.0, "vertebrae"), []),
        ("No hepatic steatosis.", ("liver_spleen_difference", "upper_abdomen", -18.0, "liver"), ["negation"]),
        ("No hepatic steatosis.", ("liver_spleen_difference", "upper_abdomen", 6.0, "liver"), []),
        ("No aortic aneurysm.", ("transverse_diameter", "heart_great_vessels", 52.0, "aorta"), ["negation"]),
        ("Vertebral body heights are preserved.", ("vertebral_height_ratio", "bones", 0.79, "vertebrae_T12"), []),
    ],
)
def test_a_denial_is_compared_with_what_masks_of_structures_show(
    chest: Any, text: str, narrow: tuple[str, str, float, str], expected: list[str]
) -> None:
    quantity, region, value, structure = narrow
    measured = chest.measured(quantity, region, value, structure=structure)
    report = chest.report(chest.sentence("a", text, chest.place(region)), measurements=(measured,))
    assert kinds(report) == expected


def test_a_denial_for_one_side_is_compared_with_that_side(chest: Any) -> None:
    right = chest.measured("fluid_volume", "lungs", 310.0, side=Side.RIGHT)
    left = chest.place("lungs", side=Side.LEFT)
    report = chest.report(chest.sentence("a", "No left pleural effusion.", left), measurements=(right,))
    assert kinds(report) == []


def test_a_denial_blocks_and_an_invention_reminds(chest: Any) -> None:
    fluid = chest.measured("fluid_volume", "lungs", 310.0)
    (denied,) = flags(chest.report(chest.sentence("a", "No effusion.", chest.place("lungs")), measurements=(fluid,)))
    none = chest.measured("fluid_volume", "lungs", 1.0)
    text = "Pleural effusion is present."
    (stated,) = flags(chest.report(chest.sentence("a", text, chest.place("lungs")), measurements=(none,)))
    assert denied.blocking and not stated.blocking
    assert "310 mL" in denied.message and "effusion" in denied.message
