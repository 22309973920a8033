"""Clinical efficacy: which findings a report names, against a reference, from given 0/1 labels.

Labels come from a labeller that is not part of this room (CT-RATE's is a RadBERT classifier of report texts); this
file only counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# CT-RATE, in the order of its classifier (Hamamci et al., arXiv 2403.17834).
LABELS: tuple[str, ...] = (
    "Medical material",
    "Arterial wall calcification",
    "Cardiomegaly",
    "Pericardial effusion",
    "Coronary artery wall calcification",
    "Hiatal hernia",
    "Lymphadenopathy",
    "Emphysema",
    "Atelectasis",
    "Lung nodule",
    "Lung opacity",
    "Pulmonary fibrotic sequela",
    "Pleural effusion",
    "Mosaic attenuation pattern",
    "Peribronchial thickening",
    "Consolidation",
    "Bronchiectasis",
    "Interlobular septal thickening",
)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of one finding, or of several added up; true negatives do not enter any score here."""

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def support(self) -> int:
        """How often the reference has the finding."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> float | None:
        """Share of the predicted findings that are right; None if none is predicted."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """Share of the reference findings that are predicted; None if the reference has none."""
        return ratio(self.true_positives, self.support)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None only if neither side has the finding, so a finding never predicted scores 0."""
        wrong = self.false_positives + self.false_negatives
        return ratio(2 * self.true_positives, 2 * self.true_positives + wrong)

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )


@dataclass(frozen=True, slots=True)
class Average:
    """Precision, recall and F1 averaged over the labels where each is defined; None where it is for none."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Efficacy:
    """Scores of `count` reports: `by_label` in the order of the labels, their sum `micro`, and two averages.

    `macro` weighs all labels alike, `weighted` by support. An undefined precision or recall is left out of them, where
    scikit-learn's default counts 0; F1 agrees with it for every label that occurs. `crg` see `crg`.
    """

    count: int
    labels: tuple[str, ...]
    by_label: tuple[Confusion, ...]
    crg: float | None

    @property
    def micro(self) -> Confusion:
        """All decisions in one pot."""
        return sum(self.by_label, Confusion(0, 0, 0))

    @property
    def macro(self) -> Average:
        """The plain mean over labels."""
        return self._average([1] * len(self.by_label))

    @property
    def weighted(self) -> Average:
        """The mean over labels, each weighing as often as the reference has it."""
        return self._average([c.support for c in self.by_label])

    def _average(self, weights: Sequence[int]) -> Average:
        def mean(score: Callable[[Confusion], float | None]) -> float | None:
            scored = [(w, score(c)) for w, c in zip(weights, self.by_label, strict=True) if w]
            known = [(w, s) for w, s in scored if s is not None]
            return math.fsum(w * s for w, s in known) / sum(w for w, _ in known) if known else None

        return Average(mean(lambda c: c.precision), mean(lambda c: c.recall), mean(lambda c: c.f1))


def efficacy(reference: npt.ArrayLike, prediction: npt.ArrayLike, labels: Sequence[str] = LABELS) -> Efficacy:
    """Compare labels `(reports, labels)` of zeros and ones; ValueError if the shapes differ or a value is another."""
    truth, said = (_decisions(values, len(labels)) for values in (reference, prediction))
    if truth.shape != said.shape:
        raise ValueError(f"reference and prediction must have one shape, got {truth.shape} and {said.shape}")
    hits, extra, missed = (np.sum(a, axis=0) for a in (truth & said, ~truth & said, truth & ~said))
    by_label = tuple(Confusion(int(h), int(e), int(m)) for h, e, m in zip(hits, extra, missed, strict=True))
    return Efficacy(len(truth), tuple(labels), by_label, crg(sum(by_label, Confusion(0, 0, 0)), truth.size))


def crg(counts: Confusion, decisions: int) -> float | None:
    """Return the CRG score of all `decisions` (reports × labels), 0.2..1; 1/3 for both "nothing" and "everything".

    A hit weighs w = (T - A) / 2A, a miss -w, a false alarm -1, where A of T decisions are positive in the reference;
    with the largest possible sum S = wA the score is S / (2S - sum) (arXiv 2505.17167). None if the reference is all
    negative or all positive, where the weight is undefined or 0.
    """
    positive = counts.support
    if not 0 < positive < decisions:
        return None
    weight = (decisions - positive) / (2 * positive)
    best = weight * positive
    reached = weight * (counts.true_positives - counts.false_negatives) - counts.false_positives
    return best / (2 * best - reached)


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole, None of nothing."""
    return part / whole if whole else None


def _decisions(values: npt.ArrayLike, labels: int) -> npt.NDArray[np.bool_]:
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != labels:
        raise ValueError(f"labels must have shape (reports, {labels}), got {array.shape}")
    if not np.isin(array, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    return np.asarray(array, dtype=np.bool_)
