"""What the benchmark of planted errors promises holds for each sentence that the measured writer can say."""

from __future__ import annotations

import importlib
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from RegionReportLib.grounding.contradictions import check
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import FlagKind

BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark, a script beside what it shares with others."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("seeded_errors")


def reports(bench: Any, kind: str) -> list[Report]:
    made = {"measured": bench.made.measured_reports, "dictated": bench.made.dictated_reports}[kind]
    return [check(one) for one in made(random.Random(11), 40)]


@pytest.mark.parametrize("kind", ["measured", "dictated"])
def test_a_true_report_has_no_flags(bench: Any, kind: str) -> None:
    assert [(s.text, s.flags) for report in reports(bench, kind) for s in report.sentences if s.flags] == []


@pytest.mark.parametrize("kind", ["measured", "dictated"])
def test_every_gross_error_of_a_size_is_flagged(bench: Any, kind: str) -> None:
    chance = random.Random(11)
    seeds = [(seed, report) for report in reports(bench, kind) for seed in bench.missized(report, chance)]
    assert len(seeds) > 100
    assert missed(bench, seeds, {FlagKind.SIZE}) == []


def test_every_flipped_denial_of_a_measured_draft_is_flagged(bench: Any) -> None:
    seeds = [(seed, report) for report in reports(bench, "measured") for seed in bench.flipped(report)]
    assert len(seeds) > 50
    assert missed(bench, seeds, {FlagKind.NEGATION, FlagKind.CONTRADICTION}) == []


def missed(bench: Any, seeds: list[tuple[Any, Report]], kinds: set[FlagKind]) -> list[str]:
    """Return the sentences whose error nothing was said of."""
    return [
        seed.report.sentence(seed.sentence_id).text
        for seed, report in seeds
        if not bench.caught(seed, report, frozenset(kinds))
    ]
