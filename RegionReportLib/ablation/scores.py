"""The scores of every row from the records of patients, each as one value; nothing is written about anew here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evaluate.existence import Calibration, calibration
from ..evaluate.findings import Efficacy
from ..evaluate.intervals import FloatArray, Interval, Quotient, difference_of, draws_of, interval_of
from ..evaluate.phantom_scores import (
    BoxScores,
    ReportScores,
    auroc,
    expected_calibration_error,
    report_scores,
)
from ..evaluate.text_overlap import text_overlap
from ..progress import Progress, Work, part
from .placing import Placed, confidences_of, placed, scores_of
from .rows import ALL, BASELINES, PARTS, Part, Row
from .told import TRUE, PatientRecord, ToldSentence, texts_of

MEASURES: dict[str, str] = {"f1": "finding F1", "side": "side", "hits": "box hits"}
"""The scores that have intervals, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class RowScores:
    """One row. `reports` count hedged findings as said, `plain` does not; `bleu_4` and `rouge_l` are means of reports.

    `boxes` are judged over all findings, `told_boxes` over those that both reports affirm. `own_auroc` is the chance
    that the support score puts a right sentence of the row above a wrong one. `measured` holds each of `MEASURES` with
    its interval, `change` how far the row lies from the full model. `seconds` is None where no network wrote.
    """

    id: str
    title: str
    reports: ReportScores
    plain: Efficacy
    bleu_4: float | None
    rouge_l: float | None
    boxes: BoxScores
    told_boxes: BoxScores
    existence: Calibration
    own_auroc: float | None
    wrong: tuple[int, int]
    sentences: int
    seconds: float | None
    measured: dict[str, Interval | None]
    change: dict[str, Interval | None]


@dataclass(frozen=True, slots=True)
class PartScores:
    """What a part is worth by each of `MEASURES`: `alone`, the full model less the one without it, and `step`, what it
    added when it came; None where a row was not run."""

    title: str
    alone: dict[str, Interval | None]
    step: dict[str, Interval | None]

    @property
    def verdict(self) -> str:
        """Whether the part earns its place, by finding F1 without it."""
        found = self.alone["f1"]
        if found is None:
            return "not run"
        if not found.excludes_zero:
            return "not shown to earn its place"
        return "earns its place" if found.value > 0 else "costs more than it gives"


@dataclass(frozen=True, slots=True)
class ClaimScores:
    """The support score on sentences that are known to be true or wrong: for each kind of wrong ones how many there
    are and the AUROC against the true ones, of all of them, and the expected calibration error."""

    true: int
    kinds: dict[str, tuple[int, float | None]]
    auroc: float | None
    error: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Ablation:
    """The scores of all rows over `patients` seeds from `first` on."""

    first: int
    patients: int
    rows: tuple[RowScores, ...]
    parts: tuple[PartScores, ...]
    claims: ClaimScores

    def row(self, row_id: str) -> RowScores:
        """Return a row by its id; KeyError if it was not run."""
        return {row.id: row for row in self.rows}[row_id]


def score(records: Sequence[PatientRecord], rows: Sequence[Row], seed: int = 0) -> Work[Ablation]:
    """Return the scores of `rows`, the full model among them, and of the baselines; `seed` is that of the draws."""
    draws = draws_of(len(records), np.random.default_rng(seed))
    titles = {row.id: row.title for row in rows} | BASELINES
    counted = {}
    for done, row_id in enumerate(titles):
        yield Progress(0.5 * done / len(titles), "reading the reports")
        counted[row_id] = _quotients(records, row_id)
    scored = []
    for done, (row_id, title) in enumerate(titles.items()):
        start, stop = (0.5 + 0.5 * n / len(titles) for n in (done, done + 1))
        overlap = yield from part(_overlap(records, row_id), start, stop)
        scored.append(_row(records, (row_id, title), _intervals(counted, row_id, draws), overlap))
    parts = tuple(_worth(one, counted, draws) for one in PARTS)
    return Ablation(records[0].seed, len(records), tuple(scored), parts, claim_scores(records))


def claim_scores(records: Sequence[PatientRecord]) -> ClaimScores:
    """Return how well the support score tells true claims from wrong ones."""
    claims = [claim for record in records for claim in record.claims]
    true = [claim.score for claim in claims if claim.kind == TRUE]
    kinds = sorted({claim.kind for claim in claims} - {TRUE})

    def against(wrong: list[float]) -> float | None:
        return auroc([*true, *wrong], [True] * len(true) + [False] * len(wrong))

    by_kind = {kind: [c.score for c in claims if c.kind == kind] for kind in kinds}
    return ClaimScores(
        len(true),
        {kind: (len(wrong), against(wrong)) for kind, wrong in by_kind.items()},
        against([score for wrong in by_kind.values() for score in wrong]),
        expected_calibration_error([c.score for c in claims], [c.kind == TRUE for c in claims]),
    )


def _quotients(records: Sequence[PatientRecord], row: str) -> dict[str, Quotient]:
    """Return each of `MEASURES`, patient by patient."""
    f1, side, hits = [], [], []
    for record in records:
        scores = report_scores([texts_of(record.truth)], [record.reports[row].texts])
        micro = scores.findings.micro
        both = 2 * micro.true_positives
        f1.append((both, both + micro.false_positives + micro.false_negatives))
        side.append((scores.side.right, scores.side.total))
        found = scores_of(placed(record, row)).hits
        hits.append((found.right, found.total))
    return {name: _quotient(pairs) for name, pairs in zip(MEASURES, (f1, side, hits), strict=True)}


def _quotient(pairs: Sequence[tuple[int, int]]) -> Quotient:
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Quotient(table[:, 0], table[:, 1])


_Intervals = dict[str, "Interval | None"]


def _intervals(counted: dict[str, dict[str, Quotient]], row: str, draws: FloatArray) -> tuple[_Intervals, _Intervals]:
    own, full = counted[row], counted[ALL]
    measured = {name: interval_of(own[name], draws) for name in MEASURES}
    return measured, {name: None if row == ALL else difference_of(own[name], full[name], draws) for name in MEASURES}


def _worth(of: Part, counted: dict[str, dict[str, Quotient]], draws: FloatArray) -> PartScores:
    def less(one: str | None, other: str | None) -> _Intervals:
        if one is None or other is None or one not in counted or other not in counted:
            return dict.fromkeys(MEASURES)
        return {name: difference_of(counted[one][name], counted[other][name], draws) for name in MEASURES}

    return PartScores(of.title, less(ALL, of.left_out), less(of.after, of.before))


def _overlap(records: Sequence[PatientRecord], row: str) -> Work[tuple[float | None, float | None]]:
    """Return the mean BLEU-4 and ROUGE-L of whole reports."""
    bleu, rouge = [], []
    for done, record in enumerate(records):
        yield Progress(done / len(records), "comparing the words")
        truth, said = texts_of(record.truth), record.reports[row].texts
        found = text_overlap(" ".join(truth.values()), " ".join(said.values()))
        bleu.append(found.counts.bleu(4))
        rouge.append(found.rouge_l)
    return _mean(bleu), _mean(rouge)


def _row(
    records: Sequence[PatientRecord],
    named: tuple[str, str],
    intervals: tuple[_Intervals, _Intervals],
    overlap: tuple[float | None, float | None],
) -> RowScores:
    row, title = named
    truth = [texts_of(record.truth) for record in records]
    said = [record.reports[row].texts for record in records]
    found: list[Placed] = [one for record in records for one in placed(record, row)]
    sentences = [sentence for record in records for sentence in record.reports[row].sentences]
    seconds = [record.reports[row].seconds for record in records]
    judged = [s for s in sentences if s.wrong is not None]
    return RowScores(
        id=row,
        title=title,
        reports=report_scores(truth, said),
        plain=report_scores(truth, said, hedged=False).findings,
        bleu_4=overlap[0],
        rouge_l=overlap[1],
        boxes=scores_of(found),
        told_boxes=scores_of(found, told_only=True),
        existence=calibration(*confidences_of(found)),
        own_auroc=_own_auroc(judged),
        wrong=(sum(bool(s.wrong) for s in judged), len(judged)),
        sentences=len(sentences),
        seconds=None if None in seconds else sum(s for s in seconds if s is not None),
        measured=intervals[0],
        change=intervals[1],
    )


def _own_auroc(judged: Sequence[ToldSentence]) -> float | None:
    asked = [(s.support, not s.wrong) for s in judged if s.support is not None]
    return auroc([score for score, _ in asked], [right for _, right in asked])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
