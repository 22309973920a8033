"""How contradictions found elsewhere join a report.

A check is any function that returns the same report with other flags. What it found is recorded as data, so that
replaying a trail needs no check, and an answer lasts as long as its contradiction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import InputRefused
from .document import Report
from .json_form import Json, flag_from_dict, flag_to_dict
from .sentence import Flag

Check: TypeAlias = Callable[[Report], Report]


@dataclass(frozen=True, slots=True)
class FlagsFound:
    """The flags that changed: per sentence id, and those of the whole report (None: unchanged)."""

    sentences: tuple[tuple[str, tuple[Flag, ...]], ...] = ()
    report: tuple[Flag, ...] | None = None


def look_for_flags(report: Report, check: Check | None) -> FlagsFound | None:
    """Return which flags of `report` a check changes, earlier answers kept; None if none.

    Raises ValueError if the check touched anything but flags, which would be its defect.
    """
    if check is None:
        return None
    checked = check(report)
    bare = replace(checked, flags=report.flags, sentences=())
    if bare != replace(report, sentences=()) or len(checked.sentences) != len(report.sentences):
        raise ValueError("a check may change flags only")
    changed = []
    for old, new in zip(report.sentences, checked.sentences, strict=True):
        flags = _answered(new.flags, old.flags)
        if new is not old and replace(new, flags=()) != replace(old, flags=()):
            raise ValueError(f"a check may change flags only, but changed sentence {old.id}")
        if flags != old.flags:
            changed.append((old.id, flags))
    whole = _answered(checked.flags, report.flags)
    if not changed and whole == report.flags:
        return None
    return FlagsFound(tuple(changed), None if whole == report.flags else whole)


def with_flags(report: Report, found: FlagsFound | None) -> Report:
    """Return the report with the flags that were found; InputRefused if they belong to unknown sentences."""
    if found is None:
        return report
    flags = dict(found.sentences)
    unknown = flags.keys() - {s.id for s in report.sentences}
    if unknown:
        raise InputRefused(f"flags for unknown sentences {', '.join(sorted(unknown))}")
    sentences = tuple(replace(s, flags=flags[s.id]) if s.id in flags else s for s in report.sentences)
    return replace(report, sentences=sentences, flags=report.flags if found.report is None else found.report)


def flags_to_dict(found: FlagsFound) -> Json:
    """Return found flags as JSON values."""
    return {
        "sentences": {sentence_id: [flag_to_dict(f) for f in flags] for sentence_id, flags in found.sentences},
        "report": None if found.report is None else [flag_to_dict(f) for f in found.report],
    }


def flags_from_dict(value: Json) -> FlagsFound:
    """Read found flags; ValueError, TypeError or KeyError if they are none."""
    report = value["report"]
    return FlagsFound(
        tuple((one, tuple(flag_from_dict(f) for f in flags)) for one, flags in value["sentences"].items()),
        None if report is None else tuple(flag_from_dict(f) for f in report),
    )


def _answered(found: tuple[Flag, ...], before: tuple[Flag, ...]) -> tuple[Flag, ...]:
    answers = {flag.key: flag.answer for flag in before if flag.answer is not None}
    if not answers:
        return found
    return tuple(replace(f, answer=answers.get(f.key, f.answer)) for f in found)
