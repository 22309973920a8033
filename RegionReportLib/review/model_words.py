"""What a model says of its own sentences, in the few words that a panel has room for; doubt is told by shape too."""

from __future__ import annotations

from ..report.place import Anchor, AnchorSource
from ..report.sentence import Sentence

LOW_SUPPORT = 0.5
"""Below this the model itself holds its sentence to be more likely wrong than right, as far as its score is
calibrated."""


def agreement(sentence: Sentence) -> str:
    """Return how well a model finds a sentence to agree with the image: 'agreement 0.81', '▽ agreement 0.34'.

    The sign marks a low one, as a hint to look twice and no more. Empty where no model says so.
    """
    if sentence.support is None:
        return ""
    return f"{'▽ ' if is_doubtful(sentence) else ''}agreement {sentence.support:.2f}"


def is_doubtful(sentence: Sentence) -> bool:
    """Tell whether the model itself doubts its sentence."""
    return sentence.support is not None and sentence.support < LOW_SUPPORT


def agreement_explained(sentence: Sentence) -> str:
    """Return what the number means, for a tooltip; empty where there is none."""
    if sentence.support is None:
        return ""
    low = " Low: look twice." if is_doubtful(sentence) else ""
    return f"How well the model finds its words to agree with the image, 0 to 1; a hint, not a finding.{low}"


def box_words(sentence: Sentence) -> tuple[str, ...]:
    """Return a line about each box that a model found: where, how sure, how far its guesses lie apart."""
    return tuple(_box(a) for a in sentence.anchors if a.source is AnchorSource.MODEL and a.dispersion_mm is not None)


def _box(anchor: Anchor) -> str:
    sure = "" if anchor.confidence is None else f", existence {anchor.confidence:.2f}"
    return f"Box of the model at {anchor.place.spot}{sure}, its guesses {anchor.dispersion_mm:.0f} mm apart"
