"""Boxes are matched within a finding of a patient; every number is counted by hand on cubes of 10 mm."""

from __future__ import annotations

from RegionReportLib.ablation.placing import Placed, confidences_of, placed, scores_of, true_boxes
from RegionReportLib.ablation.told import PatientRecord, ToldReport, ToldSentence
from RegionReportLib.evaluate.existence import ConfidentBox

from .conftest import EFFUSION, HEART, NODULE, cube, present


def record(*said: ToldSentence) -> PatientRecord:
    return PatientRecord(1, (NODULE, HEART, EFFUSION), (), {"row": ToldReport(said)})


def sure(x: float, confidence: float = 0.9) -> ConfidentBox:
    return ConfidentBox(cube(x), confidence)


def test_the_true_boxes_of_a_finding_are_those_of_all_its_sentences_each_once() -> None:
    again = present("lungs", "The nodule is round.", "nodule", cube(0), cube(30))
    assert true_boxes((NODULE, HEART, again)) == {"nodule": (cube(0), cube(30))}


def test_a_box_is_compared_with_those_of_its_own_finding_only() -> None:
    # The nodule's box lies exactly on the effusion.
    found = placed(record(ToldSentence("lungs", "Nodule on the left.", boxes=(sure(50),))), "row")
    assert found == (
        Placed("effusion", (cube(50),), (), False),
        Placed("nodule", (cube(0),), (sure(50),), True),
    )
    scores = scores_of(found)
    assert (scores.hits.right, scores.hits.total, scores.extra.right) == (0, 2, 1)
    assert scores.iou == 0.0


def test_it_does_not_matter_which_sentence_of_a_finding_wrote_the_box() -> None:
    two = (
        ToldSentence("lungs", "Nodule on the left.", boxes=(sure(80),)),
        ToldSentence("lungs", "Another nodule on the left.", boxes=(sure(5),)),
    )
    scores = scores_of(placed(record(*two), "row"))
    # The second lies on the true one by 5/15; one of two true boxes is found, one of two written is extra.
    assert (scores.hits.right, scores.hits.total) == (1, 2)
    assert (scores.extra.right, scores.extra.total) == (1, 2)


def test_alternatives_count_for_the_first_that_is_there_and_boxes_of_nothing_are_extra() -> None:
    said = (
        ToldSentence("lungs", "Dense focus: consolidation or nodule.", boxes=(sure(0),)),
        ToldSentence("bones", "The ribs are intact.", boxes=(sure(0),)),
    )
    found = {one.finding: one for one in placed(record(*said), "row")}
    assert set(found) == {"nodule", "effusion", ""}
    scores = scores_of(tuple(found.values()))
    assert (scores.hits.right, scores.extra.right, scores.extra.total) == (1, 1, 2)


def test_of_told_findings_only_those_count_that_both_reports_affirm() -> None:
    said = (
        ToldSentence("lungs", "Nodule on the left.", boxes=(sure(0),)),
        ToldSentence("lungs", "Left pneumothorax.", boxes=(sure(90),)),
    )
    found = placed(record(*said), "row")
    every, told = scores_of(found), scores_of(found, told_only=True)
    assert (every.hits.right, every.hits.total, every.extra.total) == (1, 2, 2)
    assert (told.hits.right, told.hits.total, told.extra.total) == (1, 1, 1)
    assert (every.iou, told.iou) == (0.5, 1.0)


def test_unlikely_boxes_are_not_shown_but_their_confidence_counts() -> None:
    said = ToldSentence("lungs", "Nodule on the left.", boxes=(sure(0, 0.49), sure(60, 0.5)))
    found = placed(record(said), "row")
    scores = scores_of(found)
    assert (scores.hits.right, scores.extra.right, scores.extra.total) == (0, 1, 1)
    assert confidences_of(found) == ([0.49, 0.5], [True, False])
