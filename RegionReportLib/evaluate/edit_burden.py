"""How much of a draft must be changed to reach the report: the effort that a draft saves or costs.

A draft is only worth something above a constant normal template, which is therefore measured beside it. Low effort
says nothing about missed findings; it must be read together with finding recall.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from .regions import RegionText


@dataclass(frozen=True, slots=True)
class Burden:
    """Effort from one draft text to its reference.

    `word_edit_rate` is word Levenshtein over reference words (may exceed 1; None for an empty reference),
    `similarity` 1 − character distance / longer length, `exact` whether nothing need be changed.
    """

    word_edit_rate: float | None
    similarity: float
    exact: bool


@dataclass(frozen=True, slots=True)
class BurdenSummary:
    """Means over `count` texts; None where there is nothing to average."""

    count: int
    word_edit_rate: float | None
    similarity: float | None
    exact_percent: float | None


def burden(draft: str, reference: str) -> Burden:
    """Compare a draft with its reference; case, blanks and the last stop do not count."""
    ours, theirs = _plain(draft), _plain(reference)
    own_words, reference_words = ours.split(), theirs.split()
    edits = Levenshtein.distance(own_words, reference_words)
    longer = max(len(ours), len(theirs))
    return Burden(
        word_edit_rate=edits / len(reference_words) if reference_words else None,
        similarity=1.0 - Levenshtein.distance(ours, theirs) / longer if longer else 1.0,
        exact=ours == theirs,
    )


def summary(burdens: Iterable[Burden]) -> BurdenSummary:
    """Return the means of several texts."""
    found = list(burdens)
    rates = [b.word_edit_rate for b in found if b.word_edit_rate is not None]
    return BurdenSummary(
        count=len(found),
        word_edit_rate=statistics.fmean(rates) if rates else None,
        similarity=statistics.fmean(b.similarity for b in found) if found else None,
        exact_percent=100.0 * statistics.fmean(b.exact for b in found) if found else None,
    )


def constant_template(texts: Sequence[RegionText]) -> str:
    """Return the most frequent reference, the first in reading order among equals: what a template would say."""
    if not texts:
        raise ValueError("a template needs at least one reference text")
    counts = Counter(_plain(text.reference) for text in texts)
    best = max(counts.values())
    return next(_plain(t.reference) for t in texts if counts[_plain(t.reference)] == best)


def burden_of_template(texts: Sequence[RegionText]) -> BurdenSummary:
    """Return the effort of the constant template, chosen on one half of the patients and judged on the other."""
    burdens = []
    for chosen, judged in (("A", "B"), ("B", "A")):
        seen = [t for t in texts if t.half == chosen]
        if seen:
            template = constant_template(seen)
            burdens += [burden(template, t.reference) for t in texts if t.half == judged]
    return summary(burdens)


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).removesuffix(".")
