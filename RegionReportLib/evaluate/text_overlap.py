"""Word overlap of a report with its reference: BLEU-1..4, ROUGE-1/2/L, METEOR, CIDEr-D, as the field computes them.

Overlap rewards the usual words, not true findings: a constant normal template scores high. Never read it alone.
All of it works without network, models or Java.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

from nltk.stem.porter import PorterStemmer  # type: ignore[import-untyped]
from nltk.translate.meteor_score import single_meteor_score  # type: ignore[import-untyped]
from pycocoevalcap.cider.cider_scorer import CiderScorer  # type: ignore[import-untyped]
from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
from rouge_score.tokenize import tokenize  # type: ignore[import-untyped]
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

Counts: TypeAlias = tuple[int, int, int, int]

DEFINITIONS: dict[str, str] = {
    "bleu": "tokeniser 13a, case kept; each n-gram precision is (matches + 1) / (n-grams + 1), orders 1 to 4; brevity "
    "penalty exp(1 - reference words / words)",
    "corpus_bleu": "the same from the counts summed over all texts",
    "rouge": "rouge_score, F-measure, no stemming, lower case",
    "meteor": "nltk METEOR with exact and stem matches, without WordNet synonyms, tokeniser 13a, lower case",
    "cider": "pycocoevalcap CiderScorer (CIDEr-D, sigma 6, times 10), one reference, raw words, document frequencies "
    "from the references of the same set",
}


@dataclass(frozen=True, slots=True)
class NgramCounts:
    """What BLEU rests on: clipped matches and n-grams of the prediction for n = 1..4, and both lengths in words."""

    matches: Counts
    totals: Counts
    words: int
    reference_words: int

    def bleu(self, order: int) -> float | None:
        """Return BLEU up to n-grams of `order`, 0..1; 0 for an empty prediction, None for an empty reference.

        Lin & Och 2004 (smoothing), as in the script that the field's tables come from: also the unigrams are smoothed,
        which sacrebleu's own `add-k` does not do.
        """
        if not self.reference_words:
            return None
        if not self.words:
            return 0.0
        pairs = list(zip(self.matches, self.totals, strict=True))[:order]
        mean = sum(math.log((match + 1) / (total + 1)) for match, total in pairs) / order
        return min(1.0, math.exp(1 - self.reference_words / self.words)) * math.exp(mean)


@dataclass(frozen=True, slots=True)
class TextOverlap:
    """Overlap of one prediction with its reference, each 0..1.

    None where undefined: everything for a reference without words, ROUGE-2 for a reference of one word.
    """

    counts: NgramCounts
    rouge_1: float | None
    rouge_2: float | None
    rouge_l: float | None
    meteor: float | None


def text_overlap(reference: str, prediction: str) -> TextOverlap:
    """Compare one prediction with its reference."""
    counts = ngram_counts(reference, prediction)
    words = len(tokenize(reference, None))
    rouge = _rouge().score(reference, prediction)
    return TextOverlap(
        counts,
        rouge_1=float(rouge["rouge1"].fmeasure) if words else None,
        rouge_2=float(rouge["rouge2"].fmeasure) if words > 1 else None,
        rouge_l=float(rouge["rougeL"].fmeasure) if words else None,
        meteor=_meteor(reference, prediction) if counts.reference_words else None,
    )


def ngram_counts(reference: str, prediction: str) -> NgramCounts:
    """Count the n-grams of one prediction against its reference."""
    score = _bleu().corpus_score([prediction], [[reference]])
    matches, totals = (_four(n) for n in (score.counts, score.totals))
    return NgramCounts(matches, totals, score.sys_len, score.ref_len)


def corpus_counts(counts: Iterable[NgramCounts]) -> NgramCounts:
    """Return the counts of a whole set of texts."""
    found = list(counts)
    return NgramCounts(
        _four(sum(c.matches[n] for c in found) for n in range(4)),
        _four(sum(c.totals[n] for c in found) for n in range(4)),
        sum(c.words for c in found),
        sum(c.reference_words for c in found),
    )


def cider(references: Sequence[str], predictions: Sequence[str]) -> tuple[float, ...] | None:
    """Return CIDEr-D of each prediction, 0..10; it depends on all references of the set.

    None if there are not two different references: then no word tells one report from another and every weight is 0.
    """
    if len(references) != len(predictions):
        raise ValueError(f"as many references as predictions are needed, got {len(references)} and {len(predictions)}")
    if len({tuple(reference.split()) for reference in references}) < 2:
        return None
    scorer = CiderScorer()
    for reference, prediction in zip(references, predictions, strict=True):
        scorer += (prediction, [reference])
    return tuple(float(score) for score in scorer.compute_score()[1])


class _NoSynonyms:
    """Stands where nltk expects WordNet, whose data would have to be downloaded: no word has a synonym."""

    def synsets(self, word: str) -> tuple[()]:
        return ()


class _KeptStems:
    """Porter's stems, each found once: reports say the same words again and again."""

    def stem(self, word: str) -> str:
        return _stem(word)


def _meteor(reference: str, prediction: str) -> float:
    ours, theirs = (_tokenizer()(text).split() for text in (prediction, reference))
    return float(single_meteor_score(theirs, ours, stemmer=_KeptStems(), wordnet=_NoSynonyms()))


def _four(values: Iterable[int]) -> Counts:
    one, two, three, four = values
    return one, two, three, four


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return str(_porter().stem(word))


@cache
def _porter() -> PorterStemmer:
    return PorterStemmer()


@cache
def _bleu() -> BLEU:
    return BLEU(tokenize="13a", force=True)


@cache
def _rouge() -> RougeScorer:
    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)


@cache
def _tokenizer() -> Callable[[str], str]:
    return Tokenizer13a()  # type: ignore[no-untyped-call]
