"""What becomes of the parts of sentences when sentences are split and joined."""

from __future__ import annotations

from .phrase import Span
from .place import Anchor
from .sentence import Author, Flag, Origin, Polarity, Sentence

# Whose words are named when sentences of several authors become one: what least may pass unnoticed comes first.
_AUTHORS = (Author.MODEL, Author.MEASURED, Author.IMPORTED, Author.READER)


def clip(span: Span | None, start: int, stop: int) -> Span | None:
    """Return the part of a span that lies in `start..stop`, counted from `start`; None if less than half of it does."""
    if span is None:
        return None
    low, high = max(span[0], start), min(span[1], stop)
    return (low - start, high - start) if 2 * (high - low) > span[1] - span[0] else None


def first_phrase(parts: list[Sentence]) -> Span | None:
    """Return the first key phrase of sentences, as a span in their words joined by blanks."""
    offset = 0
    for part in parts:
        if part.key_phrase is not None:
            return part.key_phrase[0] + offset, part.key_phrase[1] + offset
        offset += len(part.text) + 1
    return None


def joined_polarity(parts: list[Polarity]) -> Polarity:
    """Return what a joined sentence says: the same if all agree, else present if any is."""
    if len(set(parts)) == 1:
        return parts[0]
    return Polarity.PRESENT if Polarity.PRESENT in parts else Polarity.UNCERTAIN


def joined_anchors(anchors: tuple[Anchor, ...]) -> tuple[Anchor, ...]:
    """Return anchors with each place once, the first tie to it kept."""
    return tuple(a for n, a in enumerate(anchors) if all(a.place != b.place for b in anchors[:n]))


def joined_flags(parts: list[Sentence]) -> tuple[Flag, ...]:
    """Return the flags of all sentences, each contradiction once, the first one's answer kept."""
    return tuple({flag.key: flag for part in reversed(parts) for flag in reversed(part.flags)}.values())[::-1]


def once(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return texts in their order, each once."""
    return tuple(dict.fromkeys(values))


def joined_origin(parts: list[Sentence]) -> Origin:
    """Return the origin that a joined sentence keeps: a model's before a measurement's before people's."""
    return min((part.origin for part in parts), key=lambda o: _AUTHORS.index(o.author))
