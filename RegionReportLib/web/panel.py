"""What the page shows of a review, as plain JSON values; text is text, the page never takes it for markup."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..anatomy import regions as anatomy
from ..export.standing import VERDICT_SIGN, authorship, short_authorship, short_label, state_line
from ..report.document import Report, Status
from ..report.sentence import Flag, Sentence, Verdict
from ..review.model_words import agreement, agreement_explained, box_words, is_doubtful
from ..review.session import Session
from ..review.standing import COVERAGE_WORDS, has_two_sides

Json = dict[str, Any]

_REASONS = 8


def panel(session: Session) -> Json:
    """Return the review as the page shows it."""
    report = session.report
    standing = session.standing()
    reasons = Counter(reason.message for reason in standing.reasons)
    return {
        "id": report.id,
        "signed": report.status is Status.SIGNED,
        "editable": session.editable,
        "state": state_line(report),
        "writer": report.writer,
        "notes": list(report.notes),
        "regions": [_region(session, region, sentences) for region, sentences in session.listed()],
        "flags": [_flag(n, flag) for n, flag in enumerate(report.flags)],
        "standing": standing.words,
        "reasons": [f"{n} × {line}" if n > 1 else line for line, n in reasons.items()][:_REASONS],
        "may_sign": not standing.reasons,
        "chosen": session.chosen.id if session.chosen else None,
        "found": list(session.found),
        "filter": session.filter.value,
        "places": _places(report),
    }


def streamed(sentences: list[Json]) -> list[Json]:
    """Return sentences that are being written, in the report's JSON form, grouped as the panel groups them."""
    groups: list[Json] = []
    for sentence in sentences:
        region_id = next(iter(sentence.get("regions") or ()), None)
        if not groups or groups[-1]["id"] != region_id:
            groups.append({**_heading(anatomy.region(region_id) if region_id else None), "sentences": []})
        phrase = sentence.get("key_phrase")
        label = short_label(sentence["origin"].get("label", ""))
        groups[-1]["sentences"].append({"id": sentence["id"], "text": sentence["text"], "phrase": phrase, "by": label})
    return groups


def _region(session: Session, region: anatomy.Region | None, sentences: tuple[Sentence, ...]) -> Json:
    coverage = "" if region is None else COVERAGE_WORDS[session.report.coverage[region.id]]
    note = "" if region is None else session.report.coverage_notes.get(region.id, "")
    return {
        **_heading(region),
        "coverage": coverage,
        "note": note,
        "sentences": [_sentence(sentence) for sentence in sentences],
    }


def _heading(region: anatomy.Region | None) -> Json:
    if region is None:
        return {"id": None, "name": "Without a region", "colour": "#98a2ad"}
    return {"id": region.id, "name": region.name, "colour": "#{:02x}{:02x}{:02x}".format(*region.color_rgb)}


def _sentence(sentence: Sentence) -> Json:
    mark = VERDICT_SIGN[sentence.verdict]
    state = "open" if sentence.verdict is Verdict.PENDING else sentence.verdict.value
    return {
        "id": sentence.id,
        "text": sentence.text,
        "phrase": sentence.key_phrase,
        "mark": mark,
        "state": state,
        "author": ", ".join(filter(None, short_authorship(sentence))),
        "by": authorship(sentence),
        "agreement": agreement(sentence),
        "doubtful": is_doubtful(sentence),
        "explained": agreement_explained(sentence),
        "boxes": list(box_words(sentence)),
        "place": _place(sentence),
        "flags": [_flag(n, flag) for n, flag in enumerate(sentence.flags)],
    }


def _place(sentence: Sentence) -> str:
    if not sentence.anchors:
        return "no place" if sentence.placeless else "no place yet: tie it to one, or state that it has none (R)"
    names = " + ".join(dict.fromkeys(anchor.place.name for anchor in sentence.anchors))
    return f"◎ {names}{'' if sentence.viewed else ' · not viewed yet'}"


def _flag(number: int, flag: Flag) -> Json:
    return {
        "n": number,
        "message": flag.message,
        "blocking": flag.blocking,
        "answer": flag.answer,
        "both": has_two_sides(flag),
    }


def _places(report: Report) -> list[Json]:
    """The places that a sentence can be tied to, by region, each name once; the page names one by its number."""
    numbered = list({place.name: (n, place) for n, place in reversed(list(enumerate(report.places)))}.values())[::-1]
    groups = []
    for region in anatomy.regions():
        places = [{"n": n, "name": place.name} for n, place in numbered if place.region_id == region.id]
        if places:
            groups.append({**_heading(region), "places": places})
    return groups
