"""How sure a score is: intervals by drawing patients anew, for scores that are quotients of sums over patients.

The bootstrap of Efron (Annals of Statistics 1979;7:1) with the percentile interval. Two scores are compared on the same
draws, so that what is hard for both does not blur their difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
DRAWS = 2000
"""Resamples; the ends of a 95 % interval then rest on 50 of them each."""
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """A score that is the sum of `parts` over the sum of `wholes`, one number `(n,)` of each for every patient.

    F1 is one: 2 TP over 2 TP + FP + FN. So is every share.
    """

    parts: FloatArray
    wholes: FloatArray

    def __post_init__(self) -> None:
        if self.parts.shape != self.wholes.shape or self.parts.ndim != 1:
            raise ValueError(f"parts and wholes need one number a patient, got {self.parts.shape}, {self.wholes.shape}")

    @property
    def value(self) -> float | None:
        """The score of all patients, None where the wholes sum to 0."""
        whole = float(self.wholes.sum())
        return float(self.parts.sum()) / whole if whole else None

    def drawn(self, draws: FloatArray) -> FloatArray:
        """Return the score of each of the draws `(b, n)`, nan where it is undefined."""
        wholes = draws @ self.wholes
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(wholes > 0, draws @ self.parts / wholes, np.nan), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Interval:
    """A score and the ends between which it lies in 95 of 100 draws."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is one: all of the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def draws_of(patients: int, rng: np.random.Generator, count: int = DRAWS) -> FloatArray:
    """Return how often each patient is drawn in each resample, `(count, patients)`, each row summing to `patients`."""
    if patients < 1:
        raise ValueError("nobody to draw from: there are no patients")
    chances = np.full(patients, 1.0 / patients)
    return rng.multinomial(patients, chances, size=count).astype(np.float64)


def interval_of(score: Quotient, draws: FloatArray) -> Interval | None:
    """Return a score with its interval, None where it is undefined; draws that do not define it are left out."""
    return _interval(score.value, score.drawn(draws))


def difference_of(one: Quotient, other: Quotient, draws: FloatArray) -> Interval | None:
    """Return `one` less `other`, both on the same draws of the same patients; None where either is undefined."""
    if one.value is None or other.value is None:
        return None
    return _interval(one.value - other.value, one.drawn(draws) - other.drawn(draws))


def _interval(value: float | None, drawn: FloatArray) -> Interval | None:
    known = drawn[~np.isnan(drawn)]
    if value is None or not known.size:
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
