"""What is true and false of a patient: judges what was written, and gathers claims for the support score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..evaluate.phantom_findings import Statement, read_findings
from ..report.sentence import Polarity
from ..train.case import Case, CaseSentence, Topic
from .told import TRUE, ToldReport

OTHER_PATIENT = "other patient"
"""The kind of a claim that is true of someone else."""
_POLARITY = {"present": Polarity.PRESENT, "absent": Polarity.ABSENT, "uncertain": Polarity.UNCERTAIN}


@dataclass(frozen=True, slots=True)
class Put:
    """A sentence to be put to the support score; `kind` is `TRUE` or what is wrong with it."""

    kind: str
    region_id: str
    text: str


def is_wrong(case: Case, region_id: str, text: str) -> bool | None:
    """Tell whether what a sentence says is false for a patient, by finding and side; None if no finding is read in it.

    Several hedged findings are alternatives: one that is there makes them right. Sizes and zones are not judged.
    """
    statements = read_findings(text)
    if not statements:
        return None
    judged = [(s.status.value == "uncertain", _refuted(case, region_id, s)) for s in statements]
    hedged = [refuted for open_, refuted in judged if open_]
    return any(refuted for open_, refuted in judged if not open_) or (bool(hedged) and all(hedged))


def _refuted(case: Case, region_id: str, statement: Statement) -> bool:
    sides = tuple(sorted(statement.sides, key=lambda side: side.value))
    topic = Topic(statement.finding, _POLARITY[statement.status.value], sides)
    return case.refutes(CaseSentence(region_id, "", (), (topic,)))


def judged(case: Case, report: ToldReport) -> ToldReport:
    """Return a report whose sentences know whether they are wrong."""
    return replace(
        report, sentences=tuple(replace(s, wrong=is_wrong(case, s.region_id, s.text)) for s in report.sentences)
    )


def claims_of(case: Case, errors: Sequence[Put], others: Sequence[CaseSentence]) -> tuple[Put, ...]:
    """Return what is put to the support score for a patient.

    All sentences of the first report that claim something, the planted `errors`, and of the sentences of `others` as
    many as there are true ones, those first that are surely false here.
    """
    true = [Put(TRUE, s.region_id, s.text) for s in case.wordings[0] if s.topics]
    foreign = [Put(OTHER_PATIENT, s.region_id, s.text) for s in others if case.refutes(s)]
    return (*true, *errors, *foreign[: len(true)])
