"""What is false of a patient: by finding and side, hedged findings as alternatives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from RegionReportLib.ablation.judging import OTHER_PATIENT, Put, claims_of, is_wrong, judged
from RegionReportLib.ablation.told import ToldReport, ToldSentence
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import Case, CaseSentence, Topic

from .conftest import EFFUSION, HEART, NODULE


@pytest.fixture
def case() -> Case:
    quiet = CaseSentence("bones", "The ribs are intact.")
    return Case("one", None, ((NODULE, HEART, quiet),))  # type: ignore[arg-type]  # nothing is looked at here


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Nodule in the left lung.", False),
        ("Nodule in the right lung.", True),
        ("A nodule.", False),
        ("No nodule.", True),
        ("No pneumothorax.", False),
        ("Left pneumothorax.", True),
        ("The ribs are intact.", None),
        ("Nodule in the left lung, no cardiomegaly.", True),
        ("Dense focus: nodule, consolidation or atelectasis.", False),
        ("Dense focus: consolidation or atelectasis.", True),
        ("Possible nodule in the right lung.", True),
        ("Nodule of 40 mm in the left lower lobe.", False),  # sizes and zones are not judged
    ],
)
def test_a_sentence_is_wrong_by_finding_and_side(case: Case, text: str, wrong: bool | None) -> None:
    assert is_wrong(case, "lungs", text) is wrong


def test_the_sentences_of_a_report_are_judged_one_by_one(case: Case) -> None:
    report = ToldReport((ToldSentence("lungs", "No nodule."), ToldSentence("bones", "The ribs are intact.")), 3.0)
    assert judged(case, report) == replace(
        report,
        sentences=(ToldSentence("lungs", "No nodule.", True), ToldSentence("bones", "The ribs are intact.")),
    )


def test_claims_are_true_sentences_planted_errors_and_as_many_of_others_as_are_false_here(case: Case) -> None:
    denial = CaseSentence("lungs", "No nodule.", (), (Topic("nodule", Polarity.ABSENT),))
    also_true = CaseSentence("lungs", "No effusion.", (), (Topic("effusion", Polarity.ABSENT),))
    planted = (Put("size", "lungs", "Nodule of 40 mm in the left upper lobe."),)
    claims = claims_of(case, planted, [also_true, EFFUSION, denial, EFFUSION])
    assert [(c.kind, c.text) for c in claims] == [
        ("true", NODULE.text),
        ("true", HEART.text),
        ("size", planted[0].text),
        (OTHER_PATIENT, EFFUSION.text),
        (OTHER_PATIENT, denial.text),
    ]
