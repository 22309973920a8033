"""Splitting the text of a report into sentences, each with the heading that it stands under.

Every character of the text that is not blank belongs to exactly one piece: a sentence, a heading or a list mark.
Decimals, abbreviations, lists and the "When examined in the lung window; …" style stay whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from .lexicon import Hit, Table, abbreviations, hits_in, tokens_of


class PieceKind(str, Enum):
    """What a piece of a text is."""

    SENTENCE = "sentence"
    HEADING = "heading"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Piece:
    """A span `start:stop` of the text; `heading` is the last heading above it, without its colon."""

    kind: PieceKind
    start: int
    stop: int
    heading: str = ""


# A stop and what may close with it; then a blank, the end, or a capital that lost its blank ("lesion.There").
_END = re.compile(r"[.!?…。]{1,4}[\"'”’)\]]{0,3}(?=\s|$|[A-ZÇĞİÖŞÜ][a-zçğıöşü])")
_WORD_BEFORE = re.compile(r"(?:[A-Za-z]\.)?[A-Za-z]{1,7}\Z")
_MARK = re.compile(r"(?:[-–—*•·▪]|\(?\d{1,2}[.)]|[a-hA-H]\))(?=[ \t])")
_HEADING = re.compile(
    r"(?:#{1,6}[ \t]*|\*\*)?([A-Za-z][A-Za-z ,/&()]{1,58}?)(?:\*\*)?[ \t]?(?::(?:\*\*)?|\.\*\*|[ \t][-–—](?=[ \t]))"
)
_HEADING_LINE = re.compile(r"(?:#{1,6}[ \t]*|\*\*)?([A-Za-z][A-Za-z ,/&()]{1,58})(?:\*\*)?[ \t]*:?(?:\*\*)?[ \t]*\Z")
# Words that may stand in a heading beside the names of regions, structures and sections.
_FILLERS = frozenset(
    ("and", "the", "of", "other", "upper", "both", "organ", "structure", "system", "evaluation", "ct", "window", "soft")
)
# After these a capital does not begin a sentence.
_BEFORE_NAMES = frozenset(("dr", "prof", "mr", "mrs", "ms", "st", "vs", "e.g", "i.e"))


def pieces_of(text: str) -> tuple[Piece, ...]:
    """Split a text into sentences, headings and list marks, in order and without overlap."""
    found: list[Piece] = []
    heading = ""
    for start, stop in _paragraphs(text):
        at = start
        while at < stop:
            piece = _piece_at(text, at, stop, heading, fresh=at == start)
            if piece.kind is PieceKind.HEADING:
                heading = piece.heading
            found.append(piece)
            at = _skip_blanks(text, piece.stop, stop)
    return tuple(found)


def sentences_of(text: str) -> tuple[Piece, ...]:
    """Return only the sentences of a text, each with its heading."""
    return tuple(p for p in pieces_of(text) if p.kind is PieceKind.SENTENCE)


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Return the spans of lines; a line that a next one continues in lower case is joined with it."""
    spans: list[tuple[int, int]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        start, stop = at, at + len(line)
        at = stop
        body = line.strip()
        if not body:
            continue
        start += len(line) - len(line.lstrip())
        stop = start + len(body)
        if spans and _continues(text, spans[-1], start):
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    return spans


def _continues(text: str, above: tuple[int, int], start: int) -> bool:
    gap = text[above[1] : start]
    soft = gap.count("\n") <= 1 and text[start].islower() and text[above[1] - 1] not in ".!?:…。"
    return soft and not _MARK.match(text, start)


def _piece_at(text: str, at: int, stop: int, heading: str, fresh: bool) -> Piece:
    if fresh:
        mark = _MARK.match(text, at, stop)
        if mark:
            return Piece(PieceKind.MARK, at, mark.end(), heading)
    title = _heading_at(text, at, stop, fresh)
    if title is not None:
        return title
    end = _end_of_sentence(text, at, stop)
    return Piece(PieceKind.SENTENCE, at, end, heading)


def _heading_at(text: str, at: int, stop: int, fresh: bool) -> Piece | None:
    match = _HEADING.match(text, at, stop)
    if match is None and fresh and stop - at <= 70:
        match = _HEADING_LINE.match(text, at, stop)
    if match is None or not is_heading(match.group(1)):
        return None
    return Piece(PieceKind.HEADING, at, match.end(), match.group(1).strip())


def is_heading(words: str) -> bool:
    """Tell whether words are a heading: nothing but names of sections, regions and structures, or all capitals."""
    tokens = tokens_of(words)
    if not tokens or len(tokens) > 7:
        return False
    if words.strip().isupper() and len(words.strip()) > 3:
        return True
    hits = hits_in(tokens)
    named = _covered(hits, (Table.SECTION, Table.OTHER_SECTION, Table.PLACE))
    allowed = named | _covered(hits, (Table.SIDE,))
    return bool(named) and all(n in allowed or t.form in _FILLERS for n, t in enumerate(tokens))


def _covered(hits: dict[Table, list[Hit]], tables: tuple[Table, ...]) -> set[int]:
    return {n for table in tables for hit in hits[table] for n in range(hit.first, hit.last)}


def _end_of_sentence(text: str, at: int, stop: int) -> int:
    for match in _END.finditer(text, at, stop):
        if match.end() >= stop:
            break
        if not _is_abbreviation(text, at, match.start(), match.end()):
            return match.end()
    return stop


def _is_abbreviation(text: str, start: int, dot: int, after: int) -> bool:
    """Tell whether the stop at `dot` belongs to the word before it and the sentence goes on."""
    opened = text[max(start, dot - 200) : dot]
    if opened.count("(") > opened.count(")") and ")" in text[dot : after + 120]:
        return True
    if text[dot] == "?":  # "(cyst?) is seen"
        return text[after : after + 12].lstrip()[:1].islower()
    if text[dot] != "." or after - dot > 1:
        return False
    before = _WORD_BEFORE.search(text, max(start, dot - 9), dot)
    if before is None:
        # "No. 5" style numbering is in the table; a number before a stop ends a sentence unless it opens it.
        return text[start:dot].isdigit()
    word = before.group().lower()
    following = text[after : after + 12].lstrip()[:1]
    goes_on = following.islower() or following.isdigit()
    if len(word) == 1:  # "a. carotis", or the initial of a name
        return goes_on or dot - start <= 1 or text[max(start, dot - 3) : dot - 1].strip() == "."
    if word not in abbreviations():
        return False
    return goes_on or word in _BEFORE_NAMES


def _skip_blanks(text: str, at: int, stop: int) -> int:
    while at < stop and text[at].isspace():
        at += 1
    return at
