"""The reader understands what the phantom says: true reports are read exactly, planted errors are seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from RegionReportLib.evaluate.phantom_findings import FINDINGS, Statement, Status, read_findings, read_sentence
from RegionReportLib.evaluate.phantom_scores import report_scores
from RegionReportLib.phantom.case import PhantomCase
from RegionReportLib.phantom.errors import ErrorKind, WrongSentence, planted_errors
from RegionReportLib.phantom.grammar import expansions, tidy
from RegionReportLib.phantom.kinds import FindingKind
from RegionReportLib.phantom.phrases import phrase_table
from RegionReportLib.phantom.study import training_case
from RegionReportLib.phantom.wording import TrueSentence
from RegionReportLib.phantom.words import Claim

TINY = (24, 32, 32)


def as_read(claim: Claim) -> Statement:
    """A claim in the reader's terms."""
    status = Status(claim.polarity.value)
    sides = frozenset(claim.sides)
    return Statement(claim.kind.value, status, sides, claim.zone, claim.lobe, claim.size_mm, claim.volume_ml)


def misread(sentences: Iterable[TrueSentence]) -> list[tuple[str, object, object]]:
    out = []
    for sentence in sentences:
        said, read = {as_read(claim) for claim in sentence.claims}, set(read_sentence(sentence.text))
        if said != read:
            out.append((sentence.text, said - read, read - said))
    return out


def report_of(sentences: Iterable[TrueSentence]) -> dict[str, str]:
    report: dict[str, str] = {}
    for sentence in sentences:
        report[sentence.region_id] = f"{report.get(sentence.region_id, '')} {sentence.text}".strip()
    return report


@pytest.fixture(scope="module")
def cases() -> list[PhantomCase]:
    return [training_case(seed, TINY, evenness=1.0) for seed in range(12)]


def test_reader_and_phantom_know_the_same_findings() -> None:
    assert set(FINDINGS) == {kind.value for kind in FindingKind}


def test_300_true_reports_are_read_exactly(cases: list[PhantomCase]) -> None:
    rng = np.random.default_rng(3)
    reports = [case.reworded(rng).sentences for case in cases for _ in range(25)]
    assert len({report_of(r)["lungs"] for r in reports}) > 290
    assert [wrong for report in reports for wrong in misread(report)] == []
    # Paragraph by paragraph, what is affirmed is what the report is about: precision and recall are 1.
    for report in reports:
        true = {(s.region_id, c.kind.value) for s in report for c in s.claims if c.lesions}
        texts = report_of(report)
        assert {(r, s.finding) for r, text in texts.items() for s in read_findings(text) if s.affirmed} == true


@pytest.mark.slow
def test_300_patients_are_read_exactly() -> None:
    for seed in range(1000, 1300):
        assert misread(training_case(seed, TINY).sentences) == [], seed


def test_every_way_to_deny_a_finding_is_read_as_its_denial() -> None:
    table = phrase_table()
    for kind, phrases in table.findings.items():
        lists = [form.format(list=noun) for form in table.lists for noun in phrases.nouns]
        for text in (
            *(t for form in phrases.absent for t in expansions(form)),
            *(t for f in lists for t in expansions(f)),
        ):
            assert read_sentence(tidy(text)) == (Statement(kind.value, Status.ABSENT),), text


def test_every_normal_statement_denies_what_the_table_says() -> None:
    for rows in phrase_table().background.values():
        for row in rows:
            for text in expansions(row.text):
                read = read_sentence(tidy(text.format(trachea="18 mm", ctr="0.44", trabecular="150 HU", liver="58 HU")))
                assert {s.finding for s in read} == {kind.value for kind in row.denies}, text
                assert {s.status for s in read} <= {Status.ABSENT}


def test_planted_errors_are_read_as_they_are_said_and_seen_by_the_scores(cases: list[PhantomCase]) -> None:
    rng = np.random.default_rng(4)
    seen = dict.fromkeys(ErrorKind, 0)
    for case in cases:
        for wrong in planted_errors(case, rng):
            assert misread((wrong.sentence,)) == [], wrong
            assert error_shows(case, wrong), wrong
            seen[wrong.error] += 1
    assert min(seen.values()) >= 3, seen


def error_shows(case: PhantomCase, wrong: WrongSentence) -> bool:
    """Tell whether the score that is meant for this error falls when it is the only thing said of the finding."""
    kind = wrong.sentence.claims[0].kind
    true = [s for s in case.sentences if s is wrong.original or kind not in {c.kind for c in s.claims}]
    said = [wrong.sentence if s is wrong.original else s for s in true]
    if wrong.error is ErrorKind.ADDED:
        said.append(wrong.sentence)
    scores = report_scores([report_of(true)], [report_of(said)])
    micro = scores.findings.micro
    if wrong.error is ErrorKind.SIDE:
        return scores.side.right == scores.side.total - 1
    if wrong.error is ErrorKind.SIZE:
        return scores.size.right == scores.size.total - 1
    if wrong.error is ErrorKind.ADDED:
        return (micro.false_positives, micro.false_negatives) == (1, 0)
    if wrong.error is ErrorKind.DENIED:
        return (micro.false_positives, micro.false_negatives, scores.denied.right) == (0, 1, 1)
    places = [{(s.finding, s.zone, s.lobe) for s in read_findings(report_of(r)["lungs"])} for r in (true, said)]
    return places[0] != places[1]
