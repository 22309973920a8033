"""Applying an edit to a report: a pure function from report and edit to report.

Flags are carried along but not looked for here; `flags.py` says how a check made elsewhere joins in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import singledispatch

from ..anatomy import regions as anatomy
from ..errors import Conflict
from . import edits as e
from .document import Report, Status
from .joining import clip, first_phrase, joined_anchors, joined_flags, joined_origin, joined_polarity, once
from .phrase import follow_phrase
from .place import Anchor, AnchorSource, Place
from .sentence import Author, Origin, Sentence, Verdict, is_untouched

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def apply(report: Report, edit: e.Edit) -> Report:
    """Return the report after an edit, or the same object if the edit changes nothing.

    Raises Conflict, naming the cause, for a signed report, unknown ids and edits that cannot be.
    """
    if report.status is Status.SIGNED:
        raise Conflict(f"report {report.id} is signed and locked; a change is an addendum")
    try:
        after = _applied(edit, report)
    except ValueError as cause:
        raise Conflict(f"{edit.kind} cannot be done: {cause}") from cause
    unchanged = after.sentences == report.sentences and after.flags == report.flags
    return report if unchanged else after


@singledispatch
def _applied(edit: object, report: Report) -> Report:
    raise TypeError(f"not an edit: {edit!r}")


@_applied.register
def _change_text(edit: e.ChangeText, report: Report) -> Report:
    old = _kept(report, edit.sentence_id)
    if edit.text == old.text and edit.polarity in (None, old.polarity) and edit.key_phrase in (None, old.key_phrase):
        return report
    text = _words(edit.text)
    phrase = edit.key_phrase or follow_phrase(old.text, text, old.key_phrase)
    new = replace(old, text=text, key_phrase=phrase, polarity=edit.polarity or old.polarity)
    return _swap(report, new if edit.text == old.text else replace(new, verdict=_verdict_after_edit(old)))


@_applied.register
def _accept(edit: e.Accept, report: Report) -> Report:
    old = _find(report, edit.sentence_id)
    verdict = old.verdict_before or old.verdict
    if verdict not in (Verdict.EDITED, Verdict.ADDED):
        verdict = Verdict.ADDED if old.origin.author is Author.READER else Verdict.ACCEPTED
    return _swap(report, replace(old, verdict=verdict, verdict_before=None))


@_applied.register
def _reject(edit: e.Reject, report: Report) -> Report:
    old = _find(report, edit.sentence_id)
    if old.verdict is Verdict.REJECTED:
        return report
    return _swap(report, replace(old, verdict=Verdict.REJECTED, verdict_before=old.verdict))


@_applied.register
def _restore(edit: e.Restore, report: Report) -> Report:
    old = _find(report, edit.sentence_id)
    if old.verdict is not Verdict.REJECTED:
        raise Conflict(f"sentence {old.id} is not rejected but {old.verdict.value}; there is nothing to restore")
    return _swap(report, replace(old, verdict=old.verdict_before or Verdict.PENDING, verdict_before=None))


@_applied.register
def _add(edit: e.Add, report: Report) -> Report:
    places = tuple(a.place.region_id for a in edit.anchors)
    new = Sentence(
        id=_new_id(edit.sentence_id),
        text=_words(edit.text),
        regions=once(edit.regions + places),
        anchors=edit.anchors,
        polarity=edit.polarity,
        origin=Origin(Author.READER),
        key_phrase=edit.key_phrase,
        verdict=Verdict.ADDED,
    )
    return _insert(report, new, edit.before)


@_applied.register
def _split(edit: e.Split, report: Report) -> Report:
    old = _kept(report, edit.sentence_id)
    if not 0 < edit.at < len(old.text):
        raise Conflict(f"sentence {old.id} has {len(old.text)} characters; it cannot be split at {edit.at}")
    head, tail = old.text[: edit.at].rstrip(), old.text[edit.at :].lstrip()
    offset = len(old.text) - len(tail)
    new = replace(old, verdict=_verdict_after_edit(old))
    first = replace(new, text=_words(head), key_phrase=clip(old.key_phrase, 0, len(head)))
    second = replace(
        new, id=_new_id(edit.new_id), text=_words(tail), key_phrase=clip(old.key_phrase, offset, len(old.text))
    )
    at = report.sentences.index(old)
    return report.with_sentences((*report.sentences[:at], first, second, *report.sentences[at + 1 :]))


@_applied.register
def _merge(edit: e.Merge, report: Report) -> Report:
    if len(edit.sentence_ids) < 2 or len(set(edit.sentence_ids)) != len(edit.sentence_ids):
        raise Conflict(f"merging needs two or more different sentences, got {', '.join(edit.sentence_ids) or 'none'}")
    parts = [_kept(report, one) for one in edit.sentence_ids]
    joined = " ".join(part.text for part in parts)
    text = joined if edit.text is None else _words(edit.text)
    anchors = joined_anchors(tuple(a for part in parts for a in part.anchors))
    own = all(part.origin.author is Author.READER for part in parts)
    new = replace(
        parts[0],
        text=text,
        regions=once(tuple(r for part in parts for r in part.regions)),
        anchors=anchors,
        polarity=edit.polarity or joined_polarity([part.polarity for part in parts]),
        origin=joined_origin(parts),
        evidence=once(tuple(m for part in parts for m in part.evidence)),
        key_phrase=follow_phrase(joined, text, first_phrase(parts)),
        verdict=Verdict.ADDED if own else Verdict.EDITED,
        # What has no place of its own adds none, so it need not have been on screen.
        viewed=all(part.viewed for part in parts if part.anchors) and bool(anchors),
        placeless=all(part.placeless for part in parts),
        flags=joined_flags(parts),
    )
    gone = set(edit.sentence_ids[1:])
    return report.with_sentences(new if s.id == new.id else s for s in report.sentences if s.id not in gone)


@_applied.register
def _move(edit: e.Move, report: Report) -> Report:
    sentence = _find(report, edit.sentence_id)
    if edit.before == sentence.id:
        raise Conflict(f"sentence {sentence.id} cannot stand in front of itself")
    return _insert(report.with_sentences(s for s in report.sentences if s is not sentence), sentence, edit.before)


@_applied.register
def _retie_to_place(edit: e.RetieToPlace, report: Report) -> Report:
    wanted = (edit.region_id, edit.structure, edit.side, edit.zone)
    for place in report.places:
        if (place.region_id, place.structure, place.side, place.zone) == wanted:
            return _retie(report, edit.sentence_id, Anchor(place, AnchorSource.READER), keep=edit.keep)
    named = ", ".join(part for part in (edit.region_id, edit.structure, edit.side, edit.zone) if part)
    raise Conflict(f"this scan has no place {named}")


@_applied.register
def _retie_to_box(edit: e.RetieToBox, report: Report) -> Report:
    place = Place(edit.region_id, edit.box, edit.box.center_mm, side=edit.side)
    anchor = Anchor(place, AnchorSource.READER, note="box drawn by the reader")
    return _retie(report, edit.sentence_id, anchor, keep=edit.keep)


@_applied.register
def _offer_places(edit: e.OfferPlaces, report: Report) -> Report:
    old = _kept(report, edit.sentence_id)
    if not edit.anchors or any(a.source is not AnchorSource.VOXTELL for a in edit.anchors):
        raise Conflict(f"only places that a program found can be offered, got {len(edit.anchors)} places")
    if old.placeless:
        raise Conflict(f"sentence {old.id} was declared to have no place; tie it to one first")
    kept = tuple(a for a in old.anchors if a.source is not AnchorSource.VOXTELL)
    anchors = joined_anchors((*kept, *edit.anchors))
    if anchors == old.anchors:
        return report
    regions = once((*old.regions, *(a.place.region_id for a in edit.anchors)))
    return _swap(report, replace(old, anchors=anchors, regions=regions, viewed=False))


@_applied.register
def _redraft(edit: e.Redraft, report: Report) -> Report:
    anatomy.region(edit.region_id)
    for one in edit.sentence_ids:
        if not is_untouched(_find(report, one)):
            raise Conflict(f"sentence {one} holds what the reader did; a redraft cannot replace it")
    for new in edit.sentences:
        if new.viewed or new.flags or not is_untouched(replace(new, id=_new_id(new.id), text=_words(new.text))):
            raise Conflict(f"sentence {new.id} of a redraft is not as a writer leaves it")
    gone = set(edit.sentence_ids)
    staying = report.with_sentences(s for s in report.sentences if s.id not in gone)
    at = len(staying.sentences) if edit.before is None else staying.sentences.index(_find(staying, edit.before))
    return staying.with_sentences((*staying.sentences[:at], *edit.sentences, *staying.sentences[at:]))


@_applied.register
def _mark_viewed(edit: e.MarkViewed, report: Report) -> Report:
    old = _find(report, edit.sentence_id)
    if not old.anchors:
        raise Conflict(f"sentence {old.id} has no place that could have been viewed")
    return _swap(report, replace(old, viewed=True))


@_applied.register
def _mark_placeless(edit: e.MarkPlaceless, report: Report) -> Report:
    old = _find(report, edit.sentence_id)
    return _swap(report, replace(old, anchors=(), placeless=True, viewed=False))


@_applied.register
def _answer_flag(edit: e.AnswerFlag, report: Report) -> Report:
    if not _encodable(edit.reason) or not edit.reason.strip():
        raise Conflict("overriding a flag needs a reason in words")
    carrier = None if edit.sentence_id is None else _find(report, edit.sentence_id)
    flags = report.flags if carrier is None else carrier.flags
    if all(flag.key != edit.flag for flag in flags):
        raise Conflict(f"{carrier.id if carrier else 'the report'} carries no flag {edit.flag[1]!r}")
    answered = tuple(replace(f, answer=edit.reason) if f.key == edit.flag else f for f in flags)
    if carrier is None:
        return replace(report, flags=answered)
    return _swap(report, replace(carrier, flags=answered))


@_applied.register
def _put_back(edit: e.PutBack, report: Report) -> Report:
    known = {s.id: s for s in report.sentences} | {s.id: s for s in edit.sentences}
    order = tuple(s.id for s in report.sentences) if edit.order is None else edit.order
    lost = [one for one in order if one not in known] + [s.id for s in edit.sentences if s.id not in order]
    if lost:
        raise Conflict(f"putting back does not fit: no sentence {', '.join(lost)} in both its order and its content")
    flags = report.flags if edit.flags is None else edit.flags
    return replace(report, sentences=tuple(known[one] for one in order), flags=flags)


def _find(report: Report, sentence_id: str) -> Sentence:
    try:
        return report.sentence(sentence_id)
    except KeyError:
        raise Conflict(f"the report has no sentence {sentence_id!r}") from None


def _kept(report: Report, sentence_id: str) -> Sentence:
    """Return a sentence whose words may change; a rejected one must be restored before."""
    sentence = _find(report, sentence_id)
    if sentence.verdict is Verdict.REJECTED:
        raise Conflict(f"sentence {sentence_id} is rejected; restore it before changing its words")
    return sentence


def _swap(report: Report, new: Sentence) -> Report:
    return report.with_sentences(new if s.id == new.id else s for s in report.sentences)


def _insert(report: Report, new: Sentence, before: str | None) -> Report:
    at = len(report.sentences) if before is None else report.sentences.index(_find(report, before))
    return report.with_sentences((*report.sentences[:at], new, *report.sentences[at:]))


def _retie(report: Report, sentence_id: str, anchor: Anchor, *, keep: bool) -> Report:
    old = _find(report, sentence_id)
    anchors = joined_anchors((*old.anchors, anchor)) if keep else (anchor,)
    if anchors == old.anchors:
        return report
    regions = once(tuple(a.place.region_id for a in anchors))
    # A new place has not been on screen yet, whatever was before.
    return _swap(report, replace(old, anchors=anchors, regions=regions, placeless=False, viewed=False))


def _words(text: str) -> str:
    """Return the text if it can be a sentence: words, in characters that every export can hold."""
    if not any(c.isalnum() for c in text):
        raise Conflict("a sentence needs words; to leave it out, reject it")
    if not _encodable(text):
        raise Conflict(f"a sentence is one line of printable characters, got {text!r:.80}")
    return text


def _new_id(new_id: str) -> str:
    if not _ID.fullmatch(new_id):
        raise Conflict(f"an id is 1 to 64 letters, digits or . _ : -, got {new_id!r:.80}")
    return new_id


def _encodable(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)


def _verdict_after_edit(old: Sentence) -> Verdict:
    return Verdict.ADDED if old.origin.author is Author.READER else Verdict.EDITED
