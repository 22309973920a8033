"""The trail of a report: one JSON line for each act, each holding the digest of the line before.

What the chain shows: any entry changed, removed, inserted, moved or cut in half. What it cannot show by itself: that
whole lines are missing at the end (a signed report holds the head of its trail, so there it shows; an unsigned one
shows it only if the missing acts changed the report), or a trail rewritten from the start with all digests made
anew, since no secret key is involved. Whoever must exclude that keeps the head digest in another place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import InputRefused
from .canonical import canonical, parse, sha256
from .document import Report
from .json_form import Json
from .signing import TrailHead

AUDIT_SCHEMA = "regionreport.audit/1"
START = TrailHead(0, "0" * 64)
_KEYS = {"seq", "at", "actor", "kind", "data", "words", "flags", "previous", "digest"}


@dataclass(frozen=True, slots=True)
class Words:
    """From which words to which a sentence went; None where it did not exist."""

    sentence_id: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """What was done: when (ISO 8601, UTC), by whom, what `kind`, its `data` and the changed words.

    `kind` is that of an edit, or created, undo, redo, checked, signed. `flags` holds flags that the act changed.
    """

    at: str
    actor: str
    kind: str
    data: Json
    words: tuple[Words, ...] = ()
    flags: Json | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An act in its place in the trail."""

    seq: int
    act: Act
    previous: str
    digest: str

    @property
    def head(self) -> TrailHead:
        """The head of a trail that ends here."""
        return TrailHead(self.seq, self.digest)


def chain(act: Act, head: TrailHead) -> Entry:
    """Return the entry that appends `act` to the trail with this head."""
    value = _body(act, head)
    return Entry(head.length + 1, act, head.sha256, sha256(canonical(value)))


def to_line(entry: Entry) -> bytes:
    """Return an entry as its one line, line end included."""
    value = _body(entry.act, TrailHead(entry.seq - 1, entry.previous))
    return canonical({**value, "digest": entry.digest}) + b"\n"


def from_line(line: bytes, head: TrailHead) -> Entry:
    """Read the entry that follows `head`; InputRefused names the line and what does not fit."""
    where = f"audit line {head.length + 1}"
    try:
        value = parse(line)
        entry = _entry(value)
        fits = to_line(entry) == line
    except (InputRefused, ValueError, TypeError, KeyError, AttributeError) as cause:
        raise InputRefused(f"{where} is damaged: {cause!s:.200}") from cause
    if not fits or chain(entry.act, TrailHead(entry.seq - 1, entry.previous)) != entry:
        raise InputRefused(f"{where} is not what was written: it does not fit its digest")
    if (entry.seq, entry.previous) != (head.length + 1, head.sha256):
        raise InputRefused(f"{where} does not follow the line before: entries were removed, inserted or moved")
    return entry


def read_trail(content: bytes) -> tuple[Entry, ...]:
    """Read a whole trail of complete lines; InputRefused names the first line that does not fit."""
    lines = content.count(b"\n")
    if not content.endswith(b"\n"):
        raise InputRefused(f"audit line {lines + 1} has no end")
    entries: list[Entry] = []
    for line in content[:-1].split(b"\n"):
        entries.append(from_line(line + b"\n", entries[-1].head if entries else START))
    return tuple(entries)


def changed_words(before: Report, after: Report) -> tuple[Words, ...]:
    """Return the sentences whose words an act changed, made or took away."""
    old = {s.id: s.text for s in before.sentences}
    new = {s.id: s.text for s in after.sentences}
    return tuple(Words(one, old.get(one), new.get(one)) for one in {**old, **new} if old.get(one) != new.get(one))


def _body(act: Act, head: TrailHead) -> Json:
    return {
        "seq": head.length + 1,
        "at": act.at,
        "actor": act.actor,
        "kind": act.kind,
        "data": act.data,
        "words": [[w.sentence_id, w.before, w.after] for w in act.words],
        "flags": act.flags,
        "previous": head.sha256,
    }


def _entry(value: Any) -> Entry:
    if not isinstance(value, dict) or set(value) != _KEYS:
        raise ValueError(f"expected the keys {sorted(_KEYS)}")
    if not isinstance(value["data"], dict) or not isinstance(value["flags"], dict | None):
        raise ValueError("data must be an object, flags an object or null")
    if not all(isinstance(value[key], str) for key in ("at", "actor", "kind", "previous", "digest")):
        raise ValueError("time, actor, kind and digests must be text")
    if type(value["seq"]) is not int:
        raise ValueError("seq must be a whole number")
    words = tuple(Words(one, before, after) for one, before, after in value["words"])
    act = Act(value["at"], value["actor"], value["kind"], value["data"], words, value["flags"])
    return Entry(value["seq"], act, value["previous"], value["digest"])
