"""Scores of reports and places on patients that are known: findings, sides, regions, sizes, boxes, confidences.

Texts are read by `phantom_findings`, reference and prediction alike. Nothing here knows how a report was made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from ..imaging.box import Box
from .findings import Efficacy, efficacy
from .phantom_findings import FINDINGS, Statement, Status, read_findings, statuses
from .regions import Share

HIT_IOU = 0.3
"""From which overlap a box counts as found."""
SIZE_TOLERANCE = 0.25
"""How far a size may be off, as share of the true one; about what two readers differ by on small nodules."""

Report: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReportScores:
    """Scores of predicted reports against true ones.

    `findings` counts what is affirmed (hedged or not) per finding, micro and macro. Of the findings affirmed by both:
    `region` the same regions; `side` the same sides, where the reference names any; `size` within `SIZE_TOLERANCE`,
    where both name one. `denied`: of the findings that the reference affirms, those that the prediction denies.
    """

    findings: Efficacy
    region: Share
    side: Share
    size: Share
    denied: Share


def report_scores(references: Sequence[Report], predictions: Sequence[Report], *, hedged: bool = True) -> ReportScores:
    """Compare reports, each a mapping from region id to text; ValueError if their numbers differ.

    With `hedged` False what a prediction says with a hedge, or as one of several alternatives, does not count as said
    in `findings`; a true finding that the reference hedges is there all the same.
    """
    if len(references) != len(predictions):
        raise ValueError(f"expected as many predictions as references, got {len(predictions)} and {len(references)}")
    true = [read_report(report) for report in references]
    said = [read_report(report) for report in predictions]
    region: list[bool] = []
    side: list[bool] = []
    size: list[bool] = []
    denied: list[bool] = []
    for known, found in zip(true, said, strict=True):
        for finding in FINDINGS:
            one, other = known.affirmed(finding), found.affirmed(finding)
            if one:
                denied.append(found.status.get(finding) is Status.ABSENT)
            if one and other:
                region.append(known.regions(finding) == found.regions(finding))
                side += _same_sides(one, other)
                size += _same_sizes(one, other)
    counts = efficacy([r.flags() for r in true], [r.flags(hedged) for r in said], FINDINGS)
    return ReportScores(counts, *(Share(sum(judged), len(judged)) for judged in (region, side, size, denied)))


@dataclass(frozen=True, slots=True)
class ReadReport:
    """A report as read: statements with their regions, and one status per finding."""

    said: tuple[tuple[str, Statement], ...]
    status: dict[str, Status]

    def affirmed(self, finding: str) -> tuple[Statement, ...]:
        """Return what affirms a finding, hedged or not."""
        return tuple(s for _, s in self.said if s.finding == finding and s.affirmed)

    def regions(self, finding: str) -> frozenset[str]:
        """Return the regions in which a finding is affirmed."""
        return frozenset(region for region, s in self.said if s.finding == finding and s.affirmed)

    def flags(self, hedged: bool = True) -> list[int]:
        """Return 1 for each of `FINDINGS` that is affirmed, else 0; what is hedged counts if `hedged`."""
        said = {Status.PRESENT, Status.UNCERTAIN} if hedged else {Status.PRESENT}
        return [int(self.status.get(finding) in said) for finding in FINDINGS]


def read_report(report: Report) -> ReadReport:
    """Read all regions of a report."""
    said = tuple((region, s) for region, text in report.items() for s in read_findings(text))
    return ReadReport(said, statuses(s for _, s in said))


def _same_sides(known: Iterable[Statement], found: Iterable[Statement]) -> list[bool]:
    """Tell whether the sides are the same; nothing if the reference names none."""
    true = frozenset(side for s in known for side in s.sides)
    said = frozenset(side for s in found for side in s.sides)
    return [true == said] if true else []


def _same_sizes(known: Iterable[Statement], found: Iterable[Statement]) -> list[bool]:
    """Tell whether the largest sizes agree, because several lesions are often told by the largest; nothing without."""
    true = max((s.size_mm for s in known if s.size_mm is not None), default=None)
    said = max((s.size_mm for s in found if s.size_mm is not None), default=None)
    return [] if true is None or said is None else [abs(said - true) <= SIZE_TOLERANCE * true]


@dataclass(frozen=True, slots=True)
class BoxScores:
    """Places found: `iou` the mean over all true boxes (0 for one that is missed), `hits` those of at least `HIT_IOU`.

    `extra` counts predicted boxes that hit nothing, of all predicted ones. `iou` is None without true boxes.
    """

    iou: float | None
    hits: Share
    extra: Share


def box_scores(truth: Sequence[Sequence[Box]], predicted: Sequence[Sequence[Box]]) -> BoxScores:
    """Compare the boxes of sentences (or patients), each item matched within itself so that the sum of IoU is largest.

    Boxes are in RAS mm; the overlap is that of their volumes.
    """
    ious: list[float] = []
    hits, count = 0, 0
    for known, found in zip(truth, predicted, strict=True):
        table = np.array([[a.iou(b) for b in found] for a in known]).reshape(len(known), len(found))
        rows, columns = linear_sum_assignment(-table)
        best = np.zeros(len(known))
        best[rows] = table[rows, columns]
        ious += best.tolist()
        hits += int((best >= HIT_IOU).sum())
        count += len(found)
    mean = math.fsum(ious) / len(ious) if ious else None
    return BoxScores(mean, Share(hits, len(ious)), Share(count - hits, count))


def auroc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float | None:
    """Return the chance that a positive item scores higher than a negative one, ties counting half.

    By the ranks of Mann and Whitney (Hanley & McNeil, Radiology 1982;143:29). None if either kind is missing.
    """
    values, is_positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=np.bool_)
    if values.shape != is_positive.shape or values.ndim != 1:
        raise ValueError(f"scores and labels must be two lists of one length, got {values.shape}, {is_positive.shape}")
    many, few = int(is_positive.sum()), int((~is_positive).sum())
    if not many or not few:
        return None
    return float((rankdata(values)[is_positive].sum() - many * (many + 1) / 2) / (many * few))


def expected_calibration_error(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike, bins: int = 10) -> float | None:
    """Return the mean distance between confidence and frequency over equal bins of 0..1, weighted by their counts.

    After Guo et al., ICML 2017. A bin holds its upper end, the first one 0 too. None of nothing.
    """
    confidence, came = np.asarray(probabilities, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if confidence.shape != came.shape or confidence.ndim != 1:
        raise ValueError(f"expected two lists of one length, got {confidence.shape} and {came.shape}")
    if not confidence.size:
        return None
    if ((confidence < 0) | (confidence > 1)).any():
        raise ValueError("probabilities must lie in 0..1")
    where = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = [abs(float((came - confidence)[where == n].sum())) for n in range(bins)]
    return math.fsum(gaps) / confidence.size
