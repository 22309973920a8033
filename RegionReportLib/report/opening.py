"""Reading a draft folder: the report as drafted, its trail, and what the two give together.

Nothing is written here. What a crash left behind is told in `notes`; what cannot be explained by one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..errors import InputRefused
from .audit import START, Entry, from_line, read_trail
from .canonical import sha256
from .document import Report
from .files import read
from .journal import JOURNAL_NAME, TORN_NAME, read_journal, split_tail
from .migration import NewerSchema
from .replay import states
from .report_file import DRAFT_NAME, REPORT_NAME, report_bytes, report_from_bytes
from .timeline import Timeline


class ReportFile(Enum):
    """What report.json is, compared with what the trail tells."""

    CURRENT = "is the current report"
    BEHIND = "is behind its trail, as a crash leaves it; it is brought up to date"
    REWORDED = "holds the current report in another form; it is written anew"
    MISSING = "is missing; it is made anew from the trail"
    DAMAGED = "is damaged; it is made anew from the trail"
    FOREIGN = "holds what its trail does not tell; it is made anew from the trail"


@dataclass(frozen=True, slots=True)
class Trail:
    """The entries of a trail and the torn `tail` of its file; `tail_counts` tells that it lacks only its line end."""

    entries: tuple[Entry, ...]
    tail: bytes = b""
    tail_counts: bool = False

    @property
    def note(self) -> str:
        """What is to be said about the tail, empty if there is none."""
        if not self.tail:
            return ""
        if self.tail_counts:
            return f"The last entry of {JOURNAL_NAME} lacks its line end; it is added."
        return f"The last {len(self.tail)} bytes of {JOURNAL_NAME} are a torn entry; a writer keeps it in {TORN_NAME}."


@dataclass(frozen=True, slots=True)
class Opened:
    """What a draft folder holds: the trail, the timeline it gives, and what was found on the way.

    `report_file` tells how report.json compares with the trail.
    `used_ids` are all sentence ids that ever were.
    """

    trail: Trail
    timeline: Timeline
    used_ids: frozenset[str]
    report_file: ReportFile
    notes: tuple[str, ...]


def read_folder(folder: Path, *, rebuild: bool = False) -> Opened:
    """Read a draft folder; InputRefused names what no crash can explain.

    `rebuild` takes the trail's word for the current report where report.json tells something else.
    """
    content = read_report_file(folder)
    trail = read_entries(folder)
    initial = read_initial(folder, trail.entries[0])
    timelines = [Timeline(initial), *states(initial, trail.entries)]
    state = compare_report_file(content, [t.report for t in timelines])
    if state is ReportFile.FOREIGN and not rebuild:
        raise InputRefused(
            f"{folder / REPORT_NAME} holds what its trail does not tell: it was changed by hand or the trail was cut; "
            f"verify tells more, rebuilding takes the trail's word"
        )
    told = f"{REPORT_NAME} {state.value}." if state is not ReportFile.CURRENT else ""
    used = frozenset(s.id for t in timelines for s in t.report.sentences)
    return Opened(trail, timelines[-1], used, state, tuple(note for note in (trail.note, told) if note))


def read_entries(folder: Path) -> Trail:
    """Return the trail with its torn tail, if it has one; InputRefused if the trail is damaged or empty."""
    whole, tail = split_tail(read_journal(folder))
    entries = read_trail(whole) if whole else ()
    try:
        last = (from_line(tail + b"\n", entries[-1].head if entries else START),) if tail else ()
    except InputRefused:
        last = ()
    if not (entries or last):
        raise InputRefused(f"{folder / JOURNAL_NAME} holds no whole entry")
    return Trail((*entries, *last), tail, bool(last))


def read_initial(folder: Path, created: Entry) -> Report:
    """Return the report as drafted; InputRefused if it is not the one that the trail starts from."""
    content = read(folder / DRAFT_NAME)
    if sha256(content) != created.act.data.get("draft_sha256"):
        raise InputRefused(f"{folder / DRAFT_NAME} is not the draft that its trail starts from")
    return report_from_bytes(content)


def read_report_file(folder: Path) -> bytes | None:
    """Return the content of report.json, None if there is none.

    Read it before the trail: a writer at work writes it after the trail, so it is then never ahead of what was read.
    """
    path = folder / REPORT_NAME
    return read(path) if path.exists() else None


def compare_report_file(content: bytes | None, reports: list[Report]) -> ReportFile:
    """Tell what report.json is, given the states of the report; NewerSchema if a newer program wrote it."""
    if content is None:
        return ReportFile.MISSING
    if content == report_bytes(reports[-1]):
        return ReportFile.CURRENT
    try:
        found = report_from_bytes(content)
    except NewerSchema:
        raise
    except InputRefused:
        return ReportFile.DAMAGED
    if found == reports[-1]:
        return ReportFile.REWORDED
    return ReportFile.BEHIND if found in reports else ReportFile.FOREIGN
