"""Whether the boxes of a report lie where its findings are: which box answers for which true one.

A box is compared only with the true boxes of the finding that its sentence affirms, in the same patient: a nodule's box
on an effusion is no hit. Within a finding of a patient it does not matter which sentence wrote it, since two reports
may divide three nodules among sentences differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..evaluate.existence import ConfidentBox, hits_of
from ..evaluate.phantom_findings import read_findings
from ..evaluate.phantom_scores import BoxScores, box_scores
from ..imaging.box import Box
from ..report.sentence import Polarity
from ..train.case import CaseSentence
from .told import PatientRecord, ToldSentence

SHOWN_FROM = 0.5
"""From this confidence on a box is shown to a reader, and counts as predicted."""
NO_FINDING = ""
"""Where the boxes of sentences belong that affirm nothing."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The boxes of one finding in one patient; `told` if the report affirms the finding at all."""

    finding: str
    truth: tuple[Box, ...]
    predicted: tuple[ConfidentBox, ...]
    told: bool

    @property
    def shown(self) -> tuple[Box, ...]:
        """The predicted boxes that a reader would see."""
        return tuple(one.box for one in self.predicted if one.confidence >= SHOWN_FROM)


def placed(record: PatientRecord, row: str) -> tuple[Placed, ...]:
    """Return the findings of a patient that have a true box or a predicted one."""
    truth = true_boxes(record.truth)
    predicted: dict[str, list[ConfidentBox]] = {}
    affirmed: set[str] = set()
    for sentence in record.reports[row].sentences:
        findings = _affirmed(sentence)
        affirmed.update(findings)
        if sentence.boxes:
            predicted.setdefault(_meant(findings, truth), []).extend(sentence.boxes)
    names = sorted({*truth, *predicted})
    return tuple(Placed(n, truth.get(n, ()), tuple(predicted.get(n, ())), n in affirmed) for n in names)


def true_boxes(sentences: Sequence[CaseSentence]) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of each finding of a true report, each once."""
    out: dict[str, dict[Box, None]] = {}
    for sentence in sentences:
        kind = next((t.kind for t in sentence.topics if t.polarity is not Polarity.ABSENT), None)
        if kind is not None and sentence.boxes:
            out.setdefault(kind, {}).update(dict.fromkeys(sentence.boxes))
    return {kind: tuple(boxes) for kind, boxes in out.items()}


def scores_of(found: Sequence[Placed], *, told_only: bool = False) -> BoxScores:
    """Return hits, overlap and extra boxes; with `told_only` of findings that both reports affirm and nothing else."""
    chosen = [one for one in found if not told_only or (one.told and one.truth)]
    return box_scores([one.truth for one in chosen], [one.shown for one in chosen])


def confidences_of(found: Sequence[Placed]) -> tuple[list[float], list[bool]]:
    """Return the confidence of each predicted box, shown or not, and whether it hits."""
    confidences = [box.confidence for one in found for box in one.predicted]
    return confidences, [hit for one in found for hit in hits_of(one.truth, one.predicted)]


def _affirmed(sentence: ToldSentence) -> tuple[str, ...]:
    return tuple(s.finding for s in read_findings(sentence.text) if s.affirmed)


def _meant(findings: Sequence[str], truth: dict[str, tuple[Box, ...]]) -> str:
    """Return the finding whose boxes a sentence shows: of several (alternatives) the first that the patient has."""
    return next((name for name in findings if name in truth), next(iter(findings), NO_FINDING))
