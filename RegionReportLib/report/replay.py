"""Doing again what a trail tells: from the report as drafted to the report as it is now.

Each entry is checked against what could have been done: an undo must lead to a state that was, a signature must
have been allowed. Everything else in it is the edit applied again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import Conflict, InputRefused
from .apply import apply
from .audit import AUDIT_SCHEMA, Act, Entry, changed_words
from .document import Report, Status
from .edit_json import edit_from_dict
from .edits import PutBack
from .flags import flags_from_dict, with_flags
from .json_form import Json, signature_from_dict
from .signing import TrailHead, sign
from .timeline import Timeline
from .undo import difference

CREATED, UNDO, REDO, CHECKED, SIGNED = "created", "undo", "redo", "checked", "signed"


def replay(initial: Report, trail: Iterable[Entry]) -> Report:
    """Return the report that a trail leads to; InputRefused names the first entry that cannot have happened."""
    report = initial
    for timeline in states(initial, trail):
        report = timeline.report
    return report


def states(initial: Report, trail: Iterable[Entry]) -> Iterator[Timeline]:
    """Yield the timeline after each entry of a trail; InputRefused names the first that cannot have happened."""
    timeline = Timeline(initial)
    for entry in trail:
        try:
            timeline = advance(timeline, entry)
        except (Conflict, InputRefused, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as cause:
            raise InputRefused(f"audit line {entry.seq} cannot have happened: {cause!s:.300}") from cause
        yield timeline


def advance(timeline: Timeline, entry: Entry) -> Timeline:
    """Return the timeline after one more entry; raises whatever its content does not fit."""
    act = entry.act
    if (act.kind == CREATED) != (entry.seq == 1):
        raise InputRefused("a trail starts with the creation of the draft, and only there")
    after = _after(timeline, act, TrailHead(entry.seq - 1, entry.previous))
    if changed_words(timeline.report, after) != act.words:
        raise InputRefused("its words are not those that its act changes")
    after = with_flags(after, None if act.flags is None else flags_from_dict(act.flags))
    if act.kind == UNDO:
        return timeline.undo(after)
    if act.kind == REDO:
        return timeline.redo(after)
    if act.kind in (CREATED, CHECKED, SIGNED):
        return timeline.now(after)
    return timeline.acted(entry.seq, act.kind, after)


def _after(timeline: Timeline, act: Act, head: TrailHead) -> Report:
    report = timeline.report
    if act.kind == CREATED:
        return _created(report, act.data)
    if act.kind in (UNDO, REDO):
        return _taken_back(timeline, act)
    if act.kind == CHECKED:
        if report.status is Status.SIGNED:
            raise Conflict("the report was signed before")
        return report
    if act.kind == SIGNED:
        given = signature_from_dict(act.data)
        signed = sign(report, given.name, given.signed_at, head)
        if signed.signature != given:
            raise InputRefused("its signature is not that of the report it signs")
        return signed
    edit = edit_from_dict(act.data)
    if edit.kind != act.kind or isinstance(edit, PutBack):
        raise InputRefused(f"a {edit.kind} under the name of {act.kind}")
    return apply(report, edit)


def _created(report: Report, data: Json) -> Report:
    if data.get("schema") != AUDIT_SCHEMA:
        raise InputRefused(f"expected a trail of schema {AUDIT_SCHEMA}, got {data.get('schema')!r:.80}")
    if data.get("report") != report.id:
        raise InputRefused(f"the trail of report {data.get('report')!r:.80}, not of {report.id}")
    return report


def _taken_back(timeline: Timeline, act: Act) -> Report:
    undo = act.kind == UNDO
    step = timeline.to_undo() if undo else timeline.to_redo()
    wanted = step.before if undo else step.after
    edit = edit_from_dict(act.data["put"])
    if act.data["of"] != step.seq or edit != difference(timeline.report, wanted):
        raise InputRefused(f"it does not lead back to a state that was (act {step.seq})")
    return apply(timeline.report, edit)
