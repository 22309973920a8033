"""The words of a report as FHIR shows them: XHTML with spans that point at ImagingSelections, and HTML with links.

Both come from the same lines, so that they say the same. Elements and attributes are those of FHIR R4 §2.30
(narrative); the spans are those of IHE IMR (RAD-141). All text is escaped; where a phrase starts and ends is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from ..report.document import Report
from ..report.sentence import Sentence, Verdict
from .fhir_selections import Link, PlaceLinks
from .fhir_values import clean
from .standing import authorship, authorship_line, kept, state_line

SPAN_CLASS = "imr-ref-ImagingSelection"
_STYLE = "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}small{color:#555}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of a line, and what they point at."""

    text: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with the id of its element, its pieces, and the pieces that tell its places and its author."""

    element_id: str
    sentence: Sentence
    words: tuple[Piece, ...]
    places: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A region with its lines."""

    title: str
    lines: tuple[Line, ...]


def sections(report: Report, links: Callable[[Sentence], tuple[PlaceLinks, ...]]) -> tuple[Section, ...]:
    """Return the kept sentences in reading order; their elements are numbered through the report."""
    staying = {s.id for s in kept(report)}
    found = []
    number = 0
    for region, sentences in report.by_region():
        lines = []
        for sentence in sentences:
            if sentence.id in staying:
                number += 1
                lines.append(_line(f"sentence-{number}", sentence, links(sentence)))
        title = "Without a place" if region is None else region.name
        if region is not None and report.coverage[region.id].value != "complete":
            note = report.coverage_notes.get(region.id, "")
            title += f" ({report.coverage[region.id].value} in the scan{f': {note}' if note else ''})"
        found.append(Section(title, tuple(lines)))
    return tuple(found)


def sentence_lines(made: tuple[Section, ...]) -> Iterator[Line]:
    """Yield the sentences in reading order."""
    return (line for section in made for line in section.lines)


def links_of(made: tuple[Section, ...]) -> Iterator[Link]:
    """Yield the links in reading order."""
    for line in sentence_lines(made):
        yield from (piece.link for piece in (*line.words, *line.places) if piece.link is not None)


def xhtml(report: Report, made: tuple[Section, ...]) -> str:
    """Return the narrative `div`; a piece with a link is a span that names its ImagingSelection."""

    def span(piece: Piece) -> str:
        if piece.link is None:
            return _escaped(piece.text)
        target = f"ImagingSelection/{piece.link.selection['id']}"
        return f'<span class="{SPAN_CLASS}" id="{target}">{_escaped(piece.text)}</span>'

    return f'<div xmlns="http://www.w3.org/1999/xhtml">{_body(report, made, span)}</div>'


def html(report: Report, made: tuple[Section, ...]) -> str:
    """Return the same as an HTML page; a piece with an address is a link, one without is plain."""

    def anchor(piece: Piece) -> str:
        if piece.link is None or piece.link.href is None:
            return _escaped(piece.text)
        return f'<a href="{_escaped(piece.link.href)}" rel="noopener noreferrer">{_escaped(piece.text)}</a>'

    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Chest CT report</title><style>{_STYLE}</style></head>"
        f"<body>{_body(report, made, anchor)}</body></html>\n"
    )


def _line(element_id: str, sentence: Sentence, links: tuple[PlaceLinks, ...]) -> Line:
    text = sentence.text
    start, stop = sentence.key_phrase or (0, len(text))
    first = None if not links else links[0].slice or links[0].segments
    words = tuple(p for p in (Piece(text[:start]), Piece(text[start:stop], first), Piece(text[stop:])) if p.text)
    places: list[Piece] = []
    for n, one in enumerate(links):
        # The phrase has the first link already; what it has not stands beside the sentence.
        segments = one.segments if n or first is not one.segments else None
        places += [Piece("; ")] if n else []
        places.append(Piece(one.place.name, segments))
        if n and one.slice is not None:
            places += [Piece(" ("), Piece("image", one.slice), Piece(")")]
    return Line(element_id, sentence, words, tuple(places))


def _body(report: Report, made: tuple[Section, ...], show: Callable[[Piece], str]) -> str:
    parts = [f"<h2>Chest CT</h2><p><b>{_escaped(state_line(report))}</b></p>"]
    parts += [f"<p>{_escaped(note)}</p>" for note in report.notes if note.strip()]
    for section in made:
        parts.append(f"<h3>{_escaped(section.title)}</h3>")
        parts += [_paragraph(line, show) for line in section.lines]
        parts += [] if section.lines else ["<p>No sentence.</p>"]
    parts.append(f"<p><small>{_escaped(authorship_line(report))}</small></p>")
    return "".join(parts)


def _paragraph(line: Line, show: Callable[[Piece], str]) -> str:
    words = "".join(show(piece) for piece in line.words)
    places = "".join(show(piece) for piece in line.places) or "no place"
    return (
        f'<p id="{line.element_id}">{words} <small>[{places}; {_escaped(authorship(line.sentence))}'
        f"{_judged(line.sentence)}]</small></p>"
    )


def _judged(sentence: Sentence) -> str:
    return "; not yet judged" if sentence.verdict is Verdict.PENDING else ""


def _escaped(text: str) -> str:
    return escape(clean(text), quote=True)
