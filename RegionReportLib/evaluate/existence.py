"""Whether the confidence of a box means anything: how often boxes of a confidence hit what they are said to show."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..imaging.box import Box
from .phantom_scores import HIT_IOU, expected_calibration_error
from .regions import Share

BINS = 10


@dataclass(frozen=True, slots=True)
class ConfidentBox:
    """A predicted box with the chance 0..1 that there is something in it."""

    box: Box
    confidence: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence must lie in 0..1, got {self.confidence}")


@dataclass(frozen=True, slots=True)
class Bin:
    """The boxes whose confidence lies above `low` and at most at `high` (the first bin holds 0 too).

    `confidence` is their mean, None of nothing; `hits` those that hit.
    """

    low: float
    high: float
    confidence: float | None
    hits: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """The bins, and the expected calibration error over them; None without boxes."""

    bins: tuple[Bin, ...]
    error: float | None


def hits_of(truth: Sequence[Box], predicted: Sequence[ConfidentBox]) -> tuple[bool, ...]:
    """Tell of each predicted box, in the order given, whether it hits a true one by at least `HIT_IOU`.

    The surest box chooses first, as in the detection challenges (Everingham et al., IJCV 2010;88:303), so a second
    box on the same true one hits nothing.
    """
    free = list(truth)
    hits = [False] * len(predicted)
    for n in sorted(range(len(predicted)), key=lambda n: -predicted[n].confidence):
        best = max(free, key=predicted[n].box.iou, default=None)
        if best is not None and predicted[n].box.iou(best) >= HIT_IOU:
            hits[n] = True
            free.remove(best)
    return tuple(hits)


def calibration(confidences: Sequence[float], hits: Sequence[bool]) -> Calibration:
    """Return how often boxes of each confidence hit, in ten equal bins of 0..1."""
    error = expected_calibration_error(confidences, hits, BINS)
    edges = [n / BINS for n in range(BINS + 1)]
    bins = []
    for n, (low, high) in enumerate(itertools.pairwise(edges)):
        own = [(c, h) for c, h in zip(confidences, hits, strict=True) if (c > low or not n) and c <= high]
        mean = sum(c for c, _ in own) / len(own) if own else None
        bins.append(Bin(low, high, mean, Share(sum(h for _, h in own), len(own))))
    return Calibration(tuple(bins), error)
