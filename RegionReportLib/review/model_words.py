"""What a model says of its own sentences, in the few words that a panel has room for; doubt is told by shape too."""

from __future__ import annotations

from ..report.place import Anchor, AnchorSource
from ..report.sentence import Authorship, Sentence, authorship

_MOST_TOLD = 3

LOW_SUPPORT = 0.5
"""Below this the model itself holds its sentence to be more likely wrong than right, as far as its score is
calibrated."""


def agreement(sentence: Sentence) -> str:
    """Return how well a model finds a sentence to agree with the image: 'agreement 0.81', '▽ agreement 0.34'.

    The sign marks a low one, as a hint to look twice and no more. Empty where no model says so, and for words that the
    reader changed: of those the model has said nothing.
    """
    support = _support(sentence)
    return "" if support is None else f"{'▽ ' if is_doubtful(sentence) else ''}agreement {support:.2f}"


def is_doubtful(sentence: Sentence) -> bool:
    """Tell whether the model itself doubts its sentence."""
    support = _support(sentence)
    return support is not None and support < LOW_SUPPORT


def agreement_explained(sentence: Sentence) -> str:
    """Return what the number means, for a tooltip; empty where there is none."""
    if _support(sentence) is None:
        return ""
    low = " Low: look twice." if is_doubtful(sentence) else ""
    return f"How well the model finds its words to agree with the image, 0 to 1; a hint, not a finding.{low}"


def box_words(sentence: Sentence) -> tuple[str, ...]:
    """Return a line about each box that a model or VoxTell found: where, and how sure or by which words."""
    by_model = tuple(
        _box(a) for a in sentence.anchors if a.source is AnchorSource.MODEL and a.dispersion_mm is not None
    )
    found = [a for a in sentence.anchors if a.source is AnchorSource.VOXTELL]
    by_words = tuple(f"{a.note} (at {a.place.spot})" for a in found[:_MOST_TOLD])
    more = (f"VoxTell, {len(found) - _MOST_TOLD} smaller places more",) if len(found) > _MOST_TOLD else ()
    return by_model + by_words + more


def _support(sentence: Sentence) -> float | None:
    return sentence.support if authorship(sentence) is Authorship.AI else None


def _box(anchor: Anchor) -> str:
    sure = "" if anchor.confidence is None else f", existence {anchor.confidence:.2f}"
    return f"Box of the model at {anchor.place.spot}{sure}, its guesses {anchor.dispersion_mm:.0f} mm apart"
