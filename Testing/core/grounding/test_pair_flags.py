"""Two sentences of a report: doubles, and one that says what the other denies, are told; true neighbours are not."""

from __future__ import annotations

from typing import Any

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.grounding.mentions import mentions_of
from RegionReportLib.report.sentence import Flag, FlagKind


def flags(report: Any, sentence_id: str) -> list[Flag]:
    return list(check(report).sentence(sentence_id).flags)


def test_a_double_is_told_on_the_later_sentence_only(chest: Any) -> None:
    lungs = chest.place("lungs")
    report = chest.report(
        chest.sentence("a", "A nodule is seen in the lung.", lungs),
        chest.sentence("b", "Nodule was observed in the lungs.", lungs),
        chest.sentence("c", "No nodules in the right lung.", chest.place("lungs", side=Side.RIGHT)),
    )
    assert all(f.kind is not FlagKind.DUPLICATE for f in flags(report, "a"))
    (flag,) = [f for f in flags(report, "b") if f.kind is FlagKind.DUPLICATE]
    assert flag.sentence_ids == ("a",) and not flag.blocking


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ("No pleural effusion.", "Small left pleural effusion.", True),
        ("No right pleural effusion.", "Small left pleural effusion.", False),
        ("Heart size is normal.", "Cardiomegaly.", True),
        ("Heart size is normal.", "The heart is enlarged.", True),
        ("No nodules in both lungs.", "There is a nodule in the left upper lobe.", True),
        ("No nodule in the right upper lobe.", "There is a nodule in the right lower lobe.", False),
        ("No other nodule.", "There is a nodule in the left upper lobe.", False),
        ("No pathological lymph nodes.", "Small lymph nodes are seen in the mediastinum.", False),
        ("The thoracic aorta diameter is normal.", "Aneurysm of the ascending aorta.", True),
        ("The descending aorta diameter is normal.", "Aneurysm of the ascending aorta.", False),
        ("No pleural effusion was seen on the previous CT.", "Small left pleural effusion.", False),
        ("No pericardial effusion.", "Small left pleural effusion.", False),
        ("No pleural fluid is seen.", "The left pleural space contains a moderate amount of fluid.", True),
        ("No pleural effusion.", "An effusion of 20 mm is seen in the right pleural area.", True),
        ("The right pleural space is dry.", "Effusion in the right hemithorax.", False),
        ("No fluid in the left hemithorax.", "Right pleural effusion.", False),
        ("No pericardial effusion.", "Minimal effusion in the pericardial area.", True),
        ("No pericardial effusion.", "Effusion in the left hemithorax.", False),
        ("No pleural effusion.", "Minimal effusion in the pericardial area.", False),
        ("No pleural effusion.", "A cavity with a fluid level in the right upper lobe.", False),
        ("No fluid in the minor fissure.", "Right pleural effusion.", False),
        ("No ground-glass opacity.", "Patchy ground-glass opacities in both lungs.", True),
        ("No ground-glass opacity.", "Linear opacity in the left lower lobe.", False),
        ("No pleural thickening.", "Pleural thickening on the right.", True),
        ("No pleural thickening.", "Thickening of the bronchial walls.", False),
        ("No mass in the lungs.", "A mass of 4 cm in the left upper lobe.", True),
        ("No mediastinal mass.", "A mass of 4 cm in the left upper lobe.", False),
        ("No adrenal mass.", "Mass in the right adrenal gland.", True),
        ("No adrenal mass.", "Mass in the liver.", False),
        ("No fracture is seen.", "Compression fracture of T8.", True),
        ("No rib fracture.", "Compression fracture of T8.", False),
        ("No acute fracture.", "Compression fracture of T8.", False),
        ("No lymphadenopathy.", "Enlarged mediastinal lymph nodes up to 18 mm.", True),
        ("No pathological mediastinal lymph nodes.", "Enlarged subcarinal lymph node of 18 mm.", True),
        ("No lymphadenopathy.", "Mediastinal lymph nodes that do not reach pathological size.", False),
        ("No axillary lymphadenopathy.", "Enlarged mediastinal lymph nodes up to 18 mm.", False),
        ("No hilar lymphadenopathy.", "Enlarged mediastinal lymph nodes up to 18 mm.", False),
        ("The lungs are clear.", "There is a nodule in the left upper lobe.", True),
        ("The right lung is clear.", "There is a nodule in the left upper lobe.", False),
        ("The lung bases are clear.", "There is a nodule in the left upper lobe.", False),
        ("The lungs are otherwise clear.", "There is a nodule in the left upper lobe.", False),
        ("The markings of both lungs are clear.", "There is a nodule in the left upper lobe.", False),
        ("The lungs are not clear.", "There is a nodule in the left upper lobe.", False),
        ("The pleural spaces are clear.", "Right pleural effusion.", True),
    ],
)
def test_opposite_sentences_are_told_on_both(chest: Any, one: str, other: str, contradict: bool) -> None:
    report = chest.report(
        *(chest.sentence(n, t, chest.place(mentions_of(t).regions[0])) for n, t in (("a", one), ("b", other)))
    )
    for own, against in (("a", "b"), ("b", "a")):
        found = [f for f in flags(report, own) if f.kind is FlagKind.CONTRADICTION]
        assert bool(found) is contradict
        assert all(f.sentence_ids == (against,) for f in found)


def test_a_place_that_is_called_clear_is_quoted(chest: Any) -> None:
    report = chest.report(
        chest.sentence("a", "The lungs are clear.", chest.place("lungs")),
        chest.sentence("b", "There is a nodule in the left upper lobe.", chest.place("lungs", side=Side.LEFT)),
    )
    assert [f.message for f in flags(report, "a")] == [
        "The text says “lungs are clear”, another sentence says otherwise (“nodule”)."
    ]
    assert [f.message for f in flags(report, "b")] == [
        "The text states “nodule”, another sentence says otherwise (“lungs are clear”)."
    ]
