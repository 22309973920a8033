"""The report as the panel shows it: a rich text with one row per sentence, written for Qt's subset of HTML.

State is told by shape as well as by colour. A link `rr:choose/ID` chooses a sentence, `rr:flag/ID/N` answers a flag
of it, `rr:both/ID/N` shows both sides of the flag, `rr:redraft/REGION` offers to write a region anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.anatomy.regions import Region
from RegionReportLib.export.standing import VERDICT_SIGN, short_authorship, short_label
from RegionReportLib.report.sentence import Flag, Sentence, Verdict
from RegionReportLib.review.model_words import agreement, box_words, is_doubtful
from RegionReportLib.review.session import Session
from RegionReportLib.review.standing import COVERAGE_WORDS, has_two_sides

# The column of authors: its longest word, 'measured', and no more.
_AUTHOR_PX = 62
# The same with 'demonstration model' and '▽ agreement 0.34' in it.
_MODEL_PX = 118


@dataclass(frozen=True)
class Palette:
    """Colours of the text for a light or a dark application style."""

    ink: str
    soft: str
    chosen: str
    found: str
    flag: str
    line: str


LIGHT = Palette("#1c2126", "#5c666f", "#cfe2f5", "#eef3d8", "#b02a37", "#d5dae0")
DARK = Palette("#dfe3e8", "#98a2ad", "#27445f", "#3a3f2c", "#ff8f98", "#3a424a")


def report_rows(session: Session, palette: Palette) -> str:
    """Return the rows that the session lists, by region, as rich text."""
    rows = []
    for region, sentences in session.listed():
        if sentences or session.filter.value == "all":
            coverage = "" if region is None else COVERAGE_WORDS[session.report.coverage[region.id]]
            rows.append(_heading(region, coverage, palette, again=session.editable))
            rows += [_row(sentence, session, palette) for sentence in sentences]
    rows += [_flag_row(n, flag, palette) for n, flag in enumerate(session.report.flags)]
    if not any(sentences for _, sentences in session.listed()) and session.filter.value != "all":
        rows.append(_note_row(f"No sentence is {session.filter.value}.", palette))
    return _page(rows, palette)


def streamed_rows(sentences: Iterable[dict[str, Any]], palette: Palette) -> str:
    """Return rows for sentences that are being written, in the report's JSON form, as rich text."""
    rows, before = [], ""
    for sentence in sentences:
        region_id = next(iter(sentence.get("regions") or ()), "")
        if region_id != before:
            rows.append(_heading(anatomy.region(region_id) if region_id else None, "", palette))
            before = region_id
        rows.append(
            f"<tr><td width='18' style='color:{palette.soft}'>…</td>"
            f"<td>{_words(sentence['text'], sentence.get('key_phrase'))}</td>"
            f"<td align='right' style='color:{palette.soft};font-size:small'>{escape(_label(sentence))}</td></tr>"
        )
    return _page(rows, palette)


def _label(sentence: dict[str, Any]) -> str:
    return short_label(sentence["origin"].get("label", ""))


def note_page(text: str, palette: Palette) -> str:
    """Return one quiet sentence, for when there is no report."""
    return _page([_note_row(text, palette)], palette)


def _page(rows: list[str], palette: Palette) -> str:
    table = "<table width='100%' cellspacing='0' cellpadding='4'>"
    return f"<html><body style='color:{palette.ink}'>{table}{''.join(rows)}</table></body></html>"


def _note_row(text: str, palette: Palette) -> str:
    return f"<tr><td colspan='3' style='color:{palette.soft}'>{escape(text)}</td></tr>"


def _heading(region: Region | None, coverage: str, palette: Palette, again: bool = False) -> str:
    if region is None:
        name, colour = "Without a region", palette.soft
    else:
        name, colour = region.name, "#{:02x}{:02x}{:02x}".format(*region.color_rgb)
    line = f"padding-top:10px;border-bottom:1px solid {palette.line}"
    link = ""
    if again and region is not None:
        style = f"color:{palette.soft};font-size:small;text-decoration:none"
        link = f"&nbsp;&nbsp; <a href='rr:redraft/{region.id}' style='{style}'>redraft…</a>"
    return (
        f"<tr><td width='18' style='{line};color:{colour}'>■</td><td colspan='2' style='{line}'><b>{escape(name)}</b>"
        f"&nbsp;&nbsp; <span style='color:{palette.soft};font-size:small'>{escape(coverage)}</span>{link}</td></tr>"
    )


def _row(sentence: Sentence, session: Session, palette: Palette) -> str:
    chosen = session.chosen is not None and session.chosen.id == sentence.id
    back = palette.chosen if chosen else palette.found if sentence.id in session.found else ""
    back = f" bgcolor='{back}'" if back else ""
    dropped = sentence.verdict is Verdict.REJECTED
    colour = palette.soft if dropped else palette.ink
    decoration = "line-through" if dropped else "none"
    link = f"<a href='rr:choose/{escape(sentence.id)}' style='color:{colour};text-decoration:{decoration}'>"
    told = "<br>".join(escape(line) for line in (_place(sentence), *box_words(sentence)))
    below = f"<br><span style='color:{palette.soft};font-size:small'>{told}</span>"
    flags = "" if dropped else "".join(_flag(sentence, n, flag, palette) for n, flag in enumerate(sentence.flags))
    return (
        f"<tr{back}><td width='18'>{VERDICT_SIGN[sentence.verdict]}</td>"
        f"<td><a name='{escape(sentence.id)}'></a>"
        f"{link}{_words(sentence.text, sentence.key_phrase)}</a>{below if chosen else ''}{flags}</td>"
        f"<td width='{_author_px(session)}' align='right' style='color:{palette.soft};font-size:small'>"
        f"{_author(sentence, palette)}</td>"
        "</tr>"
    )


def _author(sentence: Sentence, palette: Palette) -> str:
    """Who wrote it, and how far its model trusts it, in short lines, so that the words get the room."""
    lines = [escape(one) for one in short_authorship(sentence) if one]
    if agreement(sentence):
        colour = palette.flag if is_doubtful(sentence) else palette.soft
        lines.append(f"<span style='color:{colour}'>{escape(agreement(sentence)).replace(' ', '&nbsp;')}</span>")
    return "<br>".join(lines)


def _author_px(session: Session) -> int:
    return _MODEL_PX if any(s.support is not None or s.origin.label for s in session.report.sentences) else _AUTHOR_PX


def _place(sentence: Sentence) -> str:
    """The places of a sentence in words."""
    if not sentence.anchors:
        return "no place" if sentence.placeless else "no place yet: tie it to one, or state that it has none (R)"
    names = " + ".join(dict.fromkeys(anchor.place.name for anchor in sentence.anchors))
    return f"◎ {names}{'' if sentence.viewed else ' · not viewed yet'}"


def _words(text: str, key_phrase: Any) -> str:
    if not key_phrase:
        return escape(text)
    start, stop = key_phrase
    return f"{escape(text[:start])}<b>{escape(text[start:stop])}</b>{escape(text[stop:])}"


def _flag(sentence: Sentence, number: int, flag: Flag, palette: Palette) -> str:
    if flag.answer is not None:
        told = escape(f"⚑ {flag.message} — {flag.answer}")
        return f"<br><span style='color:{palette.soft};font-size:small'>{told}</span>"
    at = f"{escape(sentence.id)}/{number}"
    colour = palette.flag if flag.blocking else palette.soft
    style = f"style='color:{colour};text-decoration:none'"
    both = "" if not has_two_sides(flag) else f" <a href='rr:both/{at}' style='color:{colour}'>show&nbsp;both</a>"
    answer = (
        f" · <a href='rr:flag/{at}' style='color:{colour}'>keep&nbsp;with&nbsp;a&nbsp;reason</a>"
        if flag.blocking
        else ""
    )
    return f"<br><span {style}>{'⚠' if flag.blocking else '⚐'} {escape(flag.message)}</span>{both}{answer}"


def _flag_row(number: int, flag: Flag, palette: Palette) -> str:
    colour = palette.flag if flag.blocking and flag.answer is None else palette.soft
    answered = f" — {flag.answer}" if flag.answer else ""
    answer = ""
    if flag.blocking and flag.answer is None:
        answer = f" · <a href='rr:flag//{number}' style='color:{colour}'>keep&nbsp;with&nbsp;a&nbsp;reason</a>"
    return (
        f"<tr><td width='18'>{'⚠' if flag.blocking else '⚐'}</td><td colspan='2' style='color:{colour}'>"
        f"{escape(flag.message)}{escape(answered)}{answer}</td></tr>"
    )
