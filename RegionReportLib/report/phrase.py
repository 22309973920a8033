"""Where the key phrase of a sentence lies after its words were changed.

The phrase is a span of characters; it follows its own words and is given up only when they are gone.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")
# Words that hold no phrase together by themselves.
_SMALL = frozenset(
    ("a", "an", "the", "of", "in", "on", "at", "to", "by", "with", "and", "or", "no", "not", "is", "are")
)
# A phrase may grow by this many words typed into its midst; with more, its largest part is kept.
_LARGEST_GAP = 4
# Alignment takes quadratic time at worst; a text pasted in beyond this many characters is no sentence any more.
_LONGEST_ALIGNED = 4000


def follow_phrase(old: str, new: str, span: Span | None) -> Span | None:
    """Return where the phrase `span` of `old` lies in `new`: its best surviving part, or None if its words are gone."""
    if span is None or old == new:
        return span
    kept = _outside_change(old, new, span)
    if kept is None:
        kept = _same_words(old, new, span)
    return _surviving(old, new, span) if kept is None else kept


def _outside_change(old: str, new: str, span: Span) -> Span | None:
    """Return the span if the change lies wholly before or behind it; it cuts no word, so `nodule` becomes `nodules`."""
    start, stop = span
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    shift = len(new) - len(old)
    if stop <= head:
        return _whole_words(new, start, stop) if _at_word_ends(old, start, stop) else span
    if start >= len(old) - tail:
        moved = start + shift, stop + shift
        return _whole_words(new, *moved) if _at_word_ends(old, start, stop) else moved
    return None


def _same_words(old: str, new: str, span: Span) -> Span | None:
    """Return the only place where the same words stand in the new text, whatever the case; None for none or several."""
    words = re.escape(old[span[0] : span[1]])
    found = [m.span() for m in re.finditer(rf"(?<!\w){words}(?!\w)", new, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def _surviving(old: str, new: str, span: Span) -> Span | None:
    """Align the words of both texts and return the part of the new text that the phrase's words became."""
    before = list(_TOKEN.finditer(old))
    after = list(_TOKEN.finditer(new))
    inside = [n for n, token in enumerate(before) if token.start() < span[1] and token.end() > span[0]]
    if not inside or max(len(old), len(new)) > _LONGEST_ALIGNED:
        return None
    first, last = inside[0], inside[-1] + 1
    matcher = SequenceMatcher(None, [t[0].lower() for t in before], [t[0].lower() for t in after], autojunk=False)
    same: list[int] = []
    corrected: list[int] = []
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what == "equal":
            same.extend(j1 + n - i1 for n in range(max(i1, first), min(i2, last)))
        elif what == "replace" and first <= i1 and i2 <= last:
            corrected.extend(range(j1, j2))
    if not any(_carries(after[n][0]) for n in same):
        return None
    run = _largest_run(sorted(same + corrected), set(same))
    return after[run[0]].start(), after[run[-1]].end()


def _largest_run(tokens: list[int], same: set[int]) -> list[int]:
    runs: list[list[int]] = [[tokens[0]]]
    for token in tokens[1:]:
        if token - runs[-1][-1] > _LARGEST_GAP + 1:
            runs.append([])
        runs[-1].append(token)
    return max(runs, key=lambda run: sum(token in same for token in run))


def _carries(token: str) -> bool:
    return token[0].isalnum() and token.lower() not in _SMALL


def _at_word_ends(text: str, start: int, stop: int) -> bool:
    return _whole_words(text, start, stop) == (start, stop)


def _whole_words(text: str, start: int, stop: int) -> Span:
    """Widen a span so that it cuts no word."""
    while start > 0 and _joined(text, start):
        start -= 1
    while stop < len(text) and _joined(text, stop):
        stop += 1
    return start, stop


def _joined(text: str, at: int) -> bool:
    return text[at - 1].isalnum() and text[at].isalnum()
