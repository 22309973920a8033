"""What the page may ask for: each message becomes one act of the session, its parts checked on the way.

A message is a JSON object whose `do` names the act. Nothing of it is trusted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..errors import InputRefused
from ..report.sentence import Flag
from ..review.session import Filter, Session

Message = dict[str, Any]

LONGEST_TEXT = 10_000
"""Characters of one sentence; a whole chest report has about 2000."""
_LONGEST_NAME = 200


def act(session: Session, message: Message) -> None:
    """Do what a message asks for; InputRefused if it asks for nothing known or with parts that do not fit."""
    name = text_of(message, "do", _LONGEST_NAME)
    doing = _ACTS.get(name)
    if doing is None:
        raise InputRefused(f"there is no act {name!r:.60}")
    doing(session, message)


def text_of(message: Message, key: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text of a message; InputRefused if it is missing, too long or no text that can be written down."""
    value = message.get(key)
    if not isinstance(value, str):
        raise InputRefused(f"the page sent no text for {key!r}")
    if len(value) > longest:
        raise InputRefused(f"{len(value)} characters are too many, at most {longest} are taken")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as cause:
        raise InputRefused("the text holds half a character that no file can keep") from cause
    return value.replace("\x00", "�")


def number_of(message: Message, key: str) -> float:
    """Return a number of a message, within ± 1 000 000; InputRefused if it is none, 0 if it is missing."""
    value = message.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputRefused(f"the page sent no number for {key!r}")
    return max(-1e6, min(1e6, float(value)))


def _words(message: Message) -> str:
    text = text_of(message, "text").strip()
    if not text:
        raise InputRefused("a sentence needs words")
    return text


def _number(message: Message, key: str, below: int) -> int:
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise InputRefused(f"{key} must be a number from 0 to {below - 1}, got {value!r:.40}")
    return value


def _choose(session: Session, message: Message) -> None:
    sentence_id = message.get("id")
    if sentence_id is not None and sentence_id not in {s.id for s in session.report.sentences}:
        raise InputRefused("this sentence is gone; the list shows what there is")
    session.choose(sentence_id)


def _edit(session: Session, message: Message) -> None:
    _still(session, message)
    session.change_text(_words(message))


def _split(session: Session, message: Message) -> None:
    """Words that were changed before are kept first; the place to divide is counted in them as typed."""
    _still(session, message)
    typed = text_of(message, "text")
    at = _number(message, "at", len(typed) + 1) - (len(typed) - len(typed.lstrip()))
    session.change_text(_words(message))
    session.split(at)


def _add(session: Session, message: Message) -> None:
    chosen = session.chosen
    session.add(_words(message), chosen.regions[0] if chosen and chosen.regions else None)


def _retie(session: Session, message: Message) -> None:
    places = session.report.places
    place = places[_number(message, "place", len(places))]
    session.retie(place.region_id, place.side, place.zone, place.structure)


def _show_both(session: Session, message: Message) -> None:
    session.show_both(_flag(session, message))


def _answer(session: Session, message: Message) -> None:
    reason = text_of(message, "text").strip()
    if not reason:
        raise InputRefused("a flag is overridden with a reason")
    session.answer(_flag(session, message), reason)


def _flag(session: Session, message: Message) -> Flag:
    """Return the named flag, after choosing the sentence that carries it; without an id it is the report's."""
    sentence_id = message.get("id")
    flags = session.report.flags
    if sentence_id is not None:
        if session.chosen is None or session.chosen.id != sentence_id:
            _choose(session, message)
        assert session.chosen is not None
        flags = session.chosen.flags
    return flags[_number(message, "n", len(flags))]


def _still(session: Session, message: Message) -> None:
    """Words typed for one sentence are never given to another that a second tab chose meanwhile."""
    sentence_id = message.get("id")
    if session.chosen is None or session.chosen.id != sentence_id:
        _choose(session, message)


def _step(session: Session, message: Message) -> None:
    session.step(-1 if message.get("by") == -1 else 1)


def _shift(session: Session, message: Message) -> None:
    session.shift(-1 if message.get("by") == -1 else 1)


def _filter(session: Session, message: Message) -> None:
    name = text_of(message, "name", _LONGEST_NAME)
    if name not in {one.value for one in Filter}:
        raise InputRefused(f"there is no filter {name!r:.60}")
    session.set_filter(Filter(name))


def _sign(session: Session, message: Message) -> None:
    session.sign(text_of(message, "name", _LONGEST_NAME))


_ACTS: dict[str, Callable[[Session, Message], None]] = {
    "choose": _choose,
    "step": _step,
    "accept": lambda session, _: session.accept(),
    "reject": lambda session, _: session.reject(),
    "edit": _edit,
    "add": _add,
    "split": _split,
    "merge": lambda session, _: session.merge_with_next(),
    "shift": _shift,
    "retie": _retie,
    "placeless": lambda session, _: session.mark_placeless(),
    "undo": lambda session, _: session.undo(),
    "redo": lambda session, _: session.redo(),
    "next_open": lambda session, _: session.choose_open(),
    "next_found": lambda session, _: session.choose_found(),
    "both": _show_both,
    "answer": _answer,
    "filter": _filter,
    "sign": _sign,
}
