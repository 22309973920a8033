"""The report as the panel shows it: a rich text with one row per sentence, written for Qt's subset of HTML.

State is told by shape as well as by colour. A link `rr:choose/ID` chooses a sentence, `rr:flag/ID/N` a flag of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from RegionReportLib.anatomy.regions import Region
from RegionReportLib.export.standing import authorship
from RegionReportLib.report.sentence import Flag, Sentence, Verdict
from RegionReportLib.review.session import Session

STATE = {
    Verdict.PENDING: "○",
    Verdict.ACCEPTED: "✓",
    Verdict.EDITED: "✎",
    Verdict.REJECTED: "✗",
    Verdict.ADDED: "+",
}


@dataclass(frozen=True)
class Palette:
    """Colours of the text for a light or a dark application style."""

    ink: str
    soft: str
    chosen: str
    found: str
    flag: str
    line: str


LIGHT = Palette("#1c2126", "#66707a", "#d6e6f7", "#f1f4f7", "#b02a37", "#dde1e6")
DARK = Palette("#dfe3e8", "#98a2ad", "#27445f", "#2a3036", "#ff8f98", "#3a424a")


def report_rows(session: Session, palette: Palette) -> str:
    """Return the rows that the session lists, by region, as rich text."""
    rows = []
    for region, sentences in session.listed():
        if sentences or session.filter.value == "all":
            rows.append(_heading(region, session, palette))
            rows += [_row(sentence, session, palette) for sentence in sentences]
    rows += [_flag_row(flag, palette) for flag in session.report.flags]
    table = "<table width='100%' cellspacing='0' cellpadding='4'>"
    return f"<html><body style='color:{palette.ink}'>{table}{''.join(rows)}</table></body></html>"


def _heading(region: Region | None, session: Session, palette: Palette) -> str:
    if region is None:
        name, colour, coverage = "Without a place", palette.soft, ""
    else:
        name, colour = region.name, "#{:02x}{:02x}{:02x}".format(*region.color_rgb)
        coverage = session.report.coverage[region.id].value
    return (
        f"<tr><td colspan='3' style='padding-top:10px;border-bottom:1px solid {palette.line}'>"
        f"<span style='color:{colour}'>■</span> <b>{escape(name)}</b>"
        f" <span style='color:{palette.soft};font-size:small'>{escape(coverage)}</span></td></tr>"
    )


def _row(sentence: Sentence, session: Session, palette: Palette) -> str:
    chosen = session.chosen is not None and session.chosen.id == sentence.id
    back = palette.chosen if chosen else palette.found if sentence.id in session.found else ""
    back = f" bgcolor='{back}'" if back else ""
    dropped = sentence.verdict is Verdict.REJECTED
    colour = palette.soft if dropped or not (sentence.evidence or sentence.anchors) else palette.ink
    decoration = "line-through" if dropped else "none"
    link = f"<a href='rr:choose/{escape(sentence.id)}' style='color:{colour};text-decoration:{decoration}'>"
    place = "⌖ " + sentence.anchors[0].place.name if sentence.anchors else "no place"
    eye = "" if sentence.viewed or not sentence.anchors else " · not viewed yet"
    below = f"{place}{eye}" if chosen else ""
    small = f"<br><span style='color:{palette.soft};font-size:small'>{escape(below)}</span>" if below else ""
    return (
        f"<tr{back}><td width='18'>{STATE[sentence.verdict]}</td>"
        f"<td><a name='{escape(sentence.id)}'></a>{link}{_words(sentence)}</a>{small}"
        f"{''.join(_flag(sentence, n, flag, palette) for n, flag in enumerate(sentence.flags))}</td>"
        f"<td align='right' style='color:{palette.soft};font-size:small'>{escape(authorship(sentence))}</td></tr>"
    )


def _words(sentence: Sentence) -> str:
    if sentence.key_phrase is None:
        return escape(sentence.text)
    start, stop = sentence.key_phrase
    before, phrase, after = sentence.text[:start], sentence.text[start:stop], sentence.text[stop:]
    return f"{escape(before)}<b>{escape(phrase)}</b>{escape(after)}"


def _flag(sentence: Sentence, number: int, flag: Flag, palette: Palette) -> str:
    if flag.answer is not None:
        told = escape(f"⚑ {flag.message} — {flag.answer}")
        return f"<br><span style='color:{palette.soft};font-size:small'>{told}</span>"
    href = f"rr:flag/{escape(sentence.id)}/{number}"
    mark = "⚠" if flag.blocking else "⚐"
    return f"<br><a href='{href}' style='color:{palette.flag};text-decoration:none'>{mark} {escape(flag.message)}</a>"


def _flag_row(flag: Flag, palette: Palette) -> str:
    answered = f" — {flag.answer}" if flag.answer else ""
    return (
        f"<tr><td width='18'>{'⚠' if flag.blocking else '⚐'}</td>"
        f"<td colspan='2' style='color:{palette.soft}'>{escape(flag.message)}{escape(answered)}</td></tr>"
    )
