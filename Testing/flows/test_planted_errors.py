"""What the benchmark of planted errors promises holds for each sentence that the measured writer can say."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import made_reports
import pytest
from seeded_errors import caught, flipped, missized

from RegionReportLib.grounding.contradictions import check
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import FlagKind

Made = Callable[[random.Random, int], Iterator[Report]]


@pytest.fixture(params=[made_reports.measured_reports, made_reports.dictated_reports], ids=["measured", "dictated"])
def reports(request: pytest.FixtureRequest) -> list[Report]:
    made: Made = request.param
    return [check(one) for one in made(random.Random(11), 40)]


def test_a_true_report_has_no_flags(reports: list[Report]) -> None:
    assert [(s.text, s.flags) for report in reports for s in report.sentences if s.flags] == []


def test_every_gross_error_of_a_size_is_flagged(reports: list[Report]) -> None:
    chance, planted, missed = random.Random(11), 0, []
    for report in reports:
        for seed in missized(report, chance):
            planted += 1
            if not caught(seed, report, frozenset({FlagKind.SIZE})):
                missed.append(seed.report.sentence(seed.sentence_id).text)
    assert planted > 100
    assert missed == []


def test_every_flipped_denial_of_a_measured_draft_is_flagged() -> None:
    planted, missed = 0, []
    for report in map(check, made_reports.measured_reports(random.Random(11), 40)):
        for seed in flipped(report):
            planted += 1
            if not caught(seed, report, frozenset({FlagKind.NEGATION, FlagKind.CONTRADICTION})):
                missed.append(seed.report.sentence(seed.sentence_id).text)
    assert planted > 50
    assert missed == []
