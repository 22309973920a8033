"""What is false of a patient is told from what is merely not said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import Case, CaseSentence, Topic

from .conftest import Blobs

HERE, NOT_HERE, PERHAPS = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN


def said(*topics: Topic) -> CaseSentence:
    return CaseSentence("lungs", "Words.", (), topics)


@pytest.fixture
def case() -> Case:
    """A nodule on the right, perhaps an effusion somewhere."""
    plain = Blobs(1).case(0)
    report = (said(Topic("nodule", HERE, (Side.RIGHT,))), said(Topic("effusion", PERHAPS)))
    return replace(plain, wordings=(report,))


@pytest.mark.parametrize(
    ("topic", "false"),
    [
        (Topic("nodule", HERE, (Side.RIGHT,)), False),
        (Topic("nodule", HERE), False),
        (Topic("nodule", HERE, (Side.RIGHT, Side.LEFT)), False),
        (Topic("nodule", HERE, (Side.LEFT,)), True),
        (Topic("nodule", NOT_HERE), True),
        (Topic("effusion", HERE, (Side.LEFT,)), False),
        (Topic("effusion", NOT_HERE), True),
        (Topic("emphysema", NOT_HERE), False),
        (Topic("emphysema", PERHAPS), True),
    ],
)
def test_a_sentence_is_false_if_it_says_what_the_reports_exclude(case: Case, topic: Topic, false: bool) -> None:
    assert case.refutes(said(topic)) is false


def test_background_is_never_false_and_one_false_topic_is_enough(case: Case) -> None:
    assert not case.refutes(said())
    assert case.refutes(said(Topic("nodule", HERE), Topic("emphysema", HERE)))


def test_a_case_without_a_report_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="has no report"):
        replace(case, wordings=())
