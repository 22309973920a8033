"""All text scores of a set of reports, region by region, each beside the share of regions that were written at all.

Published region scores look only at regions that both texts have, which hides what a reporter leaves out. Here they
stand beside the same scores over all regions of the reference, where a missing text counts as an empty one.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..progress import Progress, Work, part
from .edit_burden import burden
from .findings import ratio
from .table import TextPair, whole_reports
from .text_overlap import TextOverlap, cider, corpus_counts, text_overlap

METRICS = (
    *("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_1", "rouge_2", "rouge_l", "meteor", "cider"),
    *("word_edit_rate", "similarity", "exact"),
)
WHOLE = "whole report"
_TEXTS_PER_STEP = 10


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and population standard deviation of the `count` texts where a metric is defined."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True, slots=True)
class TextScore:
    """All metrics of one text by name, None where undefined; `missing` if the prediction has no such text."""

    case: str
    region: str | None
    missing: bool
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class SetScores:
    """The metrics of `count` texts: means by name (None where defined for no text) and BLEU-1..4 of the corpus."""

    count: int
    means: dict[str, Spread | None]
    corpus_bleu: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One line of the scoreboard: a region, or all of the report.

    `written` scores the texts that both have, `all_texts` all of the reference's (a missing one counts as empty).
    """

    region: str
    in_reference: int
    in_prediction: int
    in_both: int
    written: SetScores
    all_texts: SetScores

    @property
    def recall(self) -> float | None:
        """Share of the reference's texts that the prediction has too; None of nothing."""
        return ratio(self.in_both, self.in_reference)

    @property
    def precision(self) -> float | None:
        """Share of the prediction's texts that the reference has too; None of nothing."""
        return ratio(self.in_both, self.in_prediction)


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Rows, the whole report first, and the scores of every text."""

    rows: tuple[RegionRow, ...]
    texts: tuple[TextScore, ...]


def score_reports(pairs: Sequence[TextPair], by_region: bool) -> Work[Scoreboard]:
    """Score whole reports, and region by region if asked; ValueError if the texts are not divided into regions."""
    names = list(dict.fromkeys(pair.region for pair in pairs)) if by_region else []
    if None in names:
        raise ValueError("texts without a region cannot be scored by region")
    sets = [(WHOLE, whole_reports(pairs))]
    sets += [(str(name), tuple(p for p in pairs if p.region == name)) for name in names]
    total = sum(len(own) for _, own in sets) or 1
    rows, texts, done = [], [], 0
    for name, own in sets:
        row, scores = yield from part(_score_set(name, own), done / total, (done + len(own)) / total)
        rows.append(row)
        texts += scores
        done += len(own)
    return Scoreboard(tuple(rows), tuple(texts))


def _score_set(name: str, pairs: Sequence[TextPair]) -> Work[tuple[RegionRow, list[TextScore]]]:
    asked = [p for p in pairs if p.reference is not None]
    overlaps = []
    for n, pair in enumerate(asked):
        if n % _TEXTS_PER_STEP == 0:
            yield Progress(n / len(asked), f"scoring {name}")
        overlaps.append(text_overlap(pair.reference or "", pair.prediction or ""))
    both = [n for n, pair in enumerate(asked) if pair.prediction is not None]
    scores = _scored(asked, overlaps)
    written = scores
    if len(both) < len(asked):
        # CIDEr weighs words by the set that is scored, so the texts of both are weighed anew among themselves.
        written = _scored([asked[n] for n in both], [overlaps[n] for n in both])
    row = RegionRow(
        region=name,
        in_reference=len(asked),
        in_prediction=sum(p.prediction is not None for p in pairs),
        in_both=len(both),
        written=_set_scores(written, [overlaps[n] for n in both]),
        all_texts=_set_scores(scores, overlaps),
    )
    return row, scores


def _scored(pairs: Sequence[TextPair], overlaps: Sequence[TextOverlap]) -> list[TextScore]:
    weighed = cider([p.reference or "" for p in pairs], [p.prediction or "" for p in pairs])
    ciders: Sequence[float | None] = weighed if weighed is not None else [None] * len(pairs)
    return [
        TextScore(p.case, p.region, p.prediction is None, _values(p, overlap, c))
        for p, overlap, c in zip(pairs, overlaps, ciders, strict=True)
    ]


def _values(pair: TextPair, overlap: TextOverlap, cider_score: float | None) -> dict[str, float | None]:
    effort = burden(pair.prediction or "", pair.reference or "")
    bleu = {f"bleu_{n}": overlap.counts.bleu(n) for n in (1, 2, 3, 4)}
    return {
        **bleu,
        "rouge_1": overlap.rouge_1,
        "rouge_2": overlap.rouge_2,
        "rouge_l": overlap.rouge_l,
        "meteor": overlap.meteor,
        "cider": cider_score,
        "word_edit_rate": effort.word_edit_rate,
        "similarity": effort.similarity,
        "exact": float(effort.exact),
    }


def _set_scores(scores: Sequence[TextScore], overlaps: Iterable[TextOverlap]) -> SetScores:
    counts = corpus_counts(overlap.counts for overlap in overlaps)
    means = {name: _spread([s.values[name] for s in scores]) for name in METRICS}
    return SetScores(len(scores), means, tuple(counts.bleu(n) for n in (1, 2, 3, 4)))


def _spread(values: Iterable[float | None]) -> Spread | None:
    known = [v for v in values if v is not None]
    return Spread(statistics.fmean(known), statistics.pstdev(known), len(known)) if known else None
