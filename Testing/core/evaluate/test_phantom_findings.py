"""The reader of findings: paraphrases, negations, hedges, sides, places and sizes, as a person would read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.evaluate.phantom_findings import (
    FINDINGS,
    Statement,
    Status,
    read_findings,
    read_sentence,
    sentences_of,
    statuses,
)

PRESENT, ABSENT, UNCERTAIN = Status.PRESENT, Status.ABSENT, Status.UNCERTAIN
RIGHT, LEFT = frozenset({Side.RIGHT}), frozenset({Side.LEFT})


def said(sentence: str) -> dict[str, str]:
    return {s.finding: s.status.value for s in read_sentence(sentence)}


@pytest.mark.parametrize(
    ("sentence", "statement"),
    [
        (
            "There is a 12 mm nodule in the right upper lobe.",
            Statement("nodule", PRESENT, RIGHT, None, "upper", 12.0),
        ),
        ("Mass of 3.4 cm, left lower lobe.", Statement("nodule", PRESENT, LEFT, None, "lower", 34.0)),
        ("A ground-glass nodule, 8 x 6 mm, left.", Statement("nodule", PRESENT, LEFT, size_mm=8.0)),
        ("Small left-sided pleural effusion.", Statement("effusion", PRESENT, LEFT)),
        ("Fluid in the right pleural space, about 350 mL.", Statement("effusion", PRESENT, RIGHT, volume_ml=350.0)),
        ("Bilateral pleural effusions, larger on the left.", Statement("effusion", PRESENT, frozenset(Side))),
        ("Emphysema of the apices.", Statement("emphysema", PRESENT, zone=Zone.UPPER)),
        ("Septal thickening at both lung bases.", Statement("septal", PRESENT, zone=Zone.LOWER)),
        ("Possible nodule in the left lung.", Statement("nodule", UNCERTAIN, LEFT)),
        ("A 5 mm focus on the right may represent a nodule.", Statement("nodule", UNCERTAIN, RIGHT, size_mm=5.0)),
        ("Calcified plaques in the coronary arteries, 210 mm³.", Statement("coronary_calcium", PRESENT)),
        ("Aortic arch with heavy wall calcification.", Statement("aortic_calcium", PRESENT)),
        ("Enlarged subcarinal node of 18 mm.", Statement("lymphadenopathy", PRESENT, size_mm=18.0)),
        ("Cyst of 2.0 cm in the left lobe of the liver.", Statement("liver_cyst", PRESENT, LEFT, size_mm=20.0)),
        ("The heart is moderately enlarged.", Statement("cardiomegaly", PRESENT)),
        ("Two nodules; the largest measures 9 mm and lies on the left.", Statement("nodule", PRESENT, LEFT, size_mm=9)),
    ],
)
def test_an_affirmed_finding_is_read_with_its_place_and_size(sentence: str, statement: Statement) -> None:
    assert read_sentence(sentence) == (statement,)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No pleural effusion or pneumothorax.", {"effusion": "absent", "pneumothorax": "absent"}),
        (
            "Neither consolidation nor ground-glass opacity is seen.",
            {"consolidation": "absent", "ground_glass": "absent"},
        ),
        ("Pleural effusion is not seen.", {"effusion": "absent"}),
        ("Lymph nodes are not enlarged.", {"lymphadenopathy": "absent"}),
        ("Normal-sized mediastinal lymph nodes.", {"lymphadenopathy": "absent"}),
        ("Negative for bronchiectasis.", {"bronchiectasis": "absent"}),
        ("The heart is of normal size.", {"cardiomegaly": "absent"}),
        ("Heart not enlarged.", {"cardiomegaly": "absent"}),
        ("The bronchial walls are not thickened.", {"peribronchial": "absent"}),
        ("The pleural spaces are free of fluid.", {"effusion": "absent"}),
        ("Aorta without calcified plaques.", {"aortic_calcium": "absent"}),
        ("The lungs are clear.", {"nodule": "absent", "consolidation": "absent", "ground_glass": "absent"}),
        ("No infiltrate or mass.", {"nodule": "absent", "consolidation": "absent", "ground_glass": "absent"}),
        ("Right effusion in the pleura without pneumothorax.", {"effusion": "present", "pneumothorax": "absent"}),
        ("No consolidation, but a nodule of 7 mm.", {"consolidation": "absent", "nodule": "present"}),
        ("Small pneumothorax; no pleural effusion.", {"pneumothorax": "present", "effusion": "absent"}),
        ("Early consolidation cannot be excluded.", {"consolidation": "uncertain"}),
        ("Band in the left lung, probably atelectasis.", {"atelectasis": "uncertain"}),
    ],
)
def test_denials_and_hedges_reach_as_far_as_they_do_for_a_reader(sentence: str, expected: dict[str, str]) -> None:
    assert said(sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Right pleural fluid at least 190 mL.", {"effusion": "present"}),
        ("No left pleural fluid measured (< 10 mL).", {"effusion": "absent"}),
        ("No air outside the lungs measured (< 10 mL).", {"pneumothorax": "absent"}),
        (
            "Right-sided air outside the lung 120 mL: pneumothorax, or a large subpleural bulla.",
            {"pneumothorax": "present"},
        ),
        ("Cardiothoracic ratio 0.56 (142 / 254 mm), enlarged.", {"cardiomegaly": "present"}),
        ("Low-attenuation area 13 % below −950 HU: raised, as in emphysema.", {"emphysema": "present"}),
        ("Trabecular density 80 HU (median): low, as in osteoporosis.", {"low_bone_density": "present"}),
        ("Trabecular density 120 HU: reduced, osteoporosis not excluded.", {"low_bone_density": "uncertain"}),
        ("Liver density 21 HU, below 40 HU: steatosis.", {"steatosis": "present"}),
        (
            "No calcium measured in the heart and aorta region.",
            {"coronary_calcium": "absent", "aortic_calcium": "absent"},
        ),
        (
            "Calcium in the heart and aorta region 240 mm³.",
            {"coronary_calcium": "uncertain", "aortic_calcium": "uncertain"},
        ),
        (
            "Dense focus of 1.3 mL in the right middle zone, longest diameter 12 mm: nodule or atelectasis.",
            {"nodule": "uncertain", "atelectasis": "uncertain"},
        ),
    ],
)
def test_measurements_are_read_for_the_findings_that_they_call(sentence: str, expected: dict[str, str]) -> None:
    """The language of a writer that only measures, which is a baseline to be judged as fairly as a model."""
    assert said(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "The trachea measures 18 mm across.",
        "Not assessed: nodules, lymph nodes.",
        "Coronary and aortic calcium not measured: voxels of 3.8 mm are too coarse for calcium.",
        "Right pleural fluid not measured: emphysema.",
        "Cardiothoracic ratio 0.44 (114 / 260 mm).",
        "The lung parenchyma is otherwise unremarkable.",
        "No free fluid in the upper abdomen.",
        "No wall thickening of the oesophagus.",
        "No fracture of the ribs.",
        "The fissures are in normal position.",
        "",
    ],
)
def test_what_speaks_of_no_finding_states_nothing(sentence: str) -> None:
    assert read_sentence(sentence) == ()


def test_each_finding_of_a_clause_takes_the_nearest_side() -> None:
    left, right = read_sentence("Left pleural effusion and right pneumothorax.")
    assert (left.finding, left.sides) == ("effusion", LEFT)
    assert (right.finding, right.sides) == ("pneumothorax", RIGHT)


def test_a_text_is_split_at_sentences_and_not_at_decimal_points() -> None:
    text = "Nodule of 1.4 cm in the left lung. No effusion in the pleura."
    assert sentences_of(text) == ("Nodule of 1.4 cm in the left lung.", "No effusion in the pleura.")
    assert [s.finding for s in read_findings(text)] == ["nodule", "effusion"]


def test_an_affirmation_anywhere_outweighs_a_denial() -> None:
    text = "No nodule in the right lung. Possible emphysema. Nodule of 6 mm in the left lung. No emphysema."
    found = statuses(read_findings(text))
    assert found == {"nodule": PRESENT, "emphysema": UNCERTAIN}
    assert set(FINDINGS) - set(found)  # the others are not mentioned


def test_a_hedged_finding_counts_as_affirmed_and_a_denied_one_does_not() -> None:
    assert [s.affirmed for s in read_findings("Possible cardiomegaly. No hiatal hernia.")] == [True, False]


_WORDS = (
    "no without right left nodule pleural effusion upper lobe zone 12 3.4 mm mL cm possible both lungs ; . , but not"
)


@given(st.lists(st.sampled_from(_WORDS.split()) | st.text(max_size=6), max_size=40))
def test_babble_is_read_without_failing_and_a_sentence_states_a_finding_once(words: list[str]) -> None:
    for sentence in sentences_of(" ".join(words)):
        found = [s.finding for s in read_sentence(sentence)]
        assert len(found) == len(set(found)) and set(found) <= set(FINDINGS)
