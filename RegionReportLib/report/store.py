"""A draft as a folder of plain files: made, opened by one writer at a time, changed act by act, signed.

`draft.json` is the report as drafted, `audit.jsonl` what was done since (on the disk before an act counts),
`report.json` the report as it is, brought up to date by `save`, signing and closing.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from ..errors import Conflict, InputRefused, NeedMissing, RegionReportError
from .apply import apply
from .audit import AUDIT_SCHEMA, START, Act, Entry, chain, changed_words, to_line
from .canonical import sha256
from .document import Report, Status
from .edit_json import edit_to_dict
from .edits import Edit, PutBack
from .files import cannot_write, read, remove_parts, write_atomically
from .flags import Check, FlagsFound, flags_to_dict, look_for_flags, with_flags
from .journal import JOURNAL_NAME, Journal, mend_tail
from .json_form import Json, signature_to_dict
from .lock import WriteLock
from .opening import Opened, ReportFile, read_folder
from .replay import CHECKED, CREATED, REDO, SIGNED, UNDO, advance
from .report_file import DRAFT_NAME, REPORT_NAME, lasting_bytes, report_bytes, report_from_bytes
from .signing import TrailHead, sign
from .undo import difference

logger = logging.getLogger(__name__)

DAMAGED_NAME = "report.json.damaged"


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose hand writes: the `actor` named in the trail, the `clock` it goes by, the `check` that looks for flags."""

    actor: str
    clock: Callable[[], datetime] = utc_now
    check: Check | None = None

    def __post_init__(self) -> None:
        if not self.actor.strip() or not self.actor.isprintable():
            raise InputRefused(f"the trail needs the name of who acts, got {self.actor!r:.80}")

    def now(self) -> str:
        """Return the time as ISO 8601 in UTC, to the millisecond."""
        return self.clock().astimezone(timezone.utc).isoformat(timespec="milliseconds")


def create_draft(
    folder: Path,
    report: Report,
    *,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
    check: Check | None = None,
) -> Report:
    """Lay a report down as a new draft and return it, with the flags that `check` found.

    Without an `actor` the trail names the writer of the draft. The journal is written last, so a folder without one
    holds no draft. Raises Conflict if the folder holds a draft already or the report is signed, InputRefused if the
    report cannot be written, NeedMissing if the disk refuses.
    """
    hand = Hand(actor or report.writer, clock, check)
    if report.status is Status.SIGNED:
        raise Conflict(f"report {report.id} is signed; start an addendum instead")
    report = with_flags(report, look_for_flags(report, check))
    content = lasting_bytes(report)
    data = {"schema": AUDIT_SCHEMA, "report": report.id, "draft_sha256": sha256(content)}
    entry = chain(Act(hand.now(), hand.actor, CREATED, data), START)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise cannot_write(folder, cause) from cause
    with WriteLock(folder, hand.actor, entry.act.at):
        if (folder / JOURNAL_NAME).exists():
            raise Conflict(f"{folder} holds a draft already")
        write_atomically(folder / DRAFT_NAME, content)
        write_atomically(folder / REPORT_NAME, content)
        write_atomically(folder / JOURNAL_NAME, to_line(entry))
    return report


def open_draft(
    folder: Path,
    *,
    actor: str,
    clock: Callable[[], datetime] = utc_now,
    check: Check | None = None,
    rebuild: bool = False,
) -> Draft:
    """Open a draft for writing and put right what a crash left; `Draft.notes` tells what that was.

    Raises Conflict if another writer has it, InputRefused if its files do not fit each other (`rebuild` takes the
    trail's word where only report.json does not), NeedMissing if the disk refuses.
    """
    hand = Hand(actor, clock, check)
    if not (folder / JOURNAL_NAME).is_file():
        # Asked before the lock, so that no lock file appears in a folder that is none of ours.
        raise InputRefused(f"{folder} holds no draft: there is no {JOURNAL_NAME}")
    with contextlib.ExitStack() as undo:
        lock = undo.enter_context(WriteLock(folder, actor, hand.now()))
        remove_parts(folder)
        opened = read_folder(folder, rebuild=rebuild)
        if opened.trail.tail:
            mend_tail(folder, opened.trail.tail, complete=opened.trail.tail_counts)
        if opened.report_file is not ReportFile.CURRENT:
            _renew(folder, opened)
        journal = Journal(folder, len(opened.trail.entries))
        undo.callback(journal.close)
        draft = Draft(folder, opened, (hand, lock, journal))
        draft.recheck()
        undo.pop_all()
    return draft


def view_draft(folder: Path) -> Draft:
    """Open a draft for reading, whoever is writing; nothing in the folder is touched."""
    return Draft(folder, read_folder(folder), None)


def report_of(folder: Path) -> Report:
    """Return the report of a folder as its trail tells it, so also after a crash, whoever is writing.

    A report that was imported to be read has no trail. InputRefused if the folder holds no report.
    """
    if (folder / JOURNAL_NAME).is_file():
        return read_folder(folder).timeline.report
    if not (folder / REPORT_NAME).is_file():
        raise InputRefused(f"{folder} is no report folder: it has no {REPORT_NAME}")
    return report_from_bytes(read(folder / REPORT_NAME))


class Draft:
    """An open draft; use it as a context manager or `close` it. Everything that changes it is on the disk on return.

    It belongs to one thread. `notes` tell what was found and put right when it was opened.
    """

    def __init__(self, folder: Path, opened: Opened, writing: tuple[Hand, WriteLock, Journal] | None) -> None:
        self.folder = folder
        self.notes = opened.notes
        self._timeline = opened.timeline
        self._entries = list(opened.trail.entries)
        self._used_ids = set(opened.used_ids)
        self._writing = writing
        self._saved: Report = opened.timeline.report

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    @property
    def report(self) -> Report:
        """The report as it is now."""
        return self._timeline.report

    @property
    def read_only(self) -> bool:
        """Tell whether the draft was opened for reading, or closed: nothing can be changed through it."""
        return self._writing is None

    @property
    def head(self) -> TrailHead:
        """The head of the trail; kept elsewhere, it proves later that the trail was not rewritten."""
        return self._entries[-1].head

    def history(self) -> tuple[Entry, ...]:
        """Return the whole trail, oldest first."""
        return tuple(self._entries)

    def new_id(self) -> str:
        """Return an id for a new sentence that none ever had in this draft."""
        number = len(self._entries)
        while f"r{number}" in self._used_ids:
            number += 1
        return f"r{number}"

    def apply(self, edit: Edit) -> Report:
        """Apply an edit and return the report; one that changes nothing leaves no trace.

        Raises Conflict if it cannot be applied, NeedMissing if it cannot be written; nothing is changed then.
        """
        if isinstance(edit, PutBack):
            raise Conflict("putting back is done by undo and redo only")
        after = apply(self.report, edit)
        new = {s.id for s in after.sentences} - {s.id for s in self.report.sentences}
        if reused := new & self._used_ids:
            raise Conflict(f"the id {', '.join(sorted(reused))} belonged to another sentence before")
        return self.report if after is self.report else self._act(edit.kind, edit_to_dict(edit), after)

    def undo(self) -> Report:
        """Take the last deliberate act back, with the viewings after it; Conflict if there is none."""
        step = self._timeline.to_undo()
        return self._put_back(UNDO, step.seq, step.before)

    def redo(self) -> Report:
        """Do the last undone act again; Conflict if there is none."""
        step = self._timeline.to_redo()
        return self._put_back(REDO, step.seq, step.after)

    def recheck(self) -> Report:
        """Look for flags again, for example with a newer program, and record what changed."""
        if self._writing is None or self.report.status is Status.SIGNED:
            return self.report
        found = look_for_flags(self.report, self._writing[0].check)
        return self.report if found is None else self._record(CHECKED, {}, self.report, found)

    def sign(self, name: str) -> Report:
        """Sign and lock the report; Conflict names what forbids it."""
        hand, _, _ = self._writer()
        self.recheck()
        signed = sign(self.report, name, hand.now(), self.head)
        assert signed.signature is not None
        self._record(SIGNED, signature_to_dict(signed.signature), self.report, None)
        self.save()
        return self.report

    def save(self) -> None:
        """Bring report.json up to date; NeedMissing if the disk refuses, while the trail holds everything."""
        self._writer()
        if self._saved is not self.report:
            write_atomically(self.folder / REPORT_NAME, report_bytes(self.report))
            self._saved = self.report

    def close(self) -> None:
        """Save and give the draft free; a second time does nothing."""
        if self._writing is None:
            return
        try:
            self.save()
        except RegionReportError as cause:
            # The trail has every act, so the next opening writes the file; an error now would only hide another.
            logger.warning("report.json is behind its trail: %s", cause)
        (_, lock, journal), self._writing = self._writing, None
        journal.close()
        lock.release()

    def _writer(self) -> tuple[Hand, WriteLock, Journal]:
        if self._writing is None:
            raise Conflict(f"the draft {self.folder} is open for reading only")
        return self._writing

    def _put_back(self, kind: str, of: int, wanted: Report) -> Report:
        put = difference(self.report, wanted)
        return self._act(kind, {"of": of, "put": edit_to_dict(put)}, apply(self.report, put))

    def _act(self, kind: str, data: Json, after: Report) -> Report:
        hand, _, _ = self._writer()
        return self._record(kind, data, after, look_for_flags(after, hand.check))

    def _record(self, kind: str, data: Json, after: Report, found: FlagsFound | None) -> Report:
        """Write the act down; only then it counts. What is kept in memory is what a replay would give."""
        hand, _, journal = self._writer()
        flags = None if found is None else flags_to_dict(found)
        words = changed_words(self.report, after)
        entry = chain(Act(hand.now(), hand.actor, kind, data, words, flags), self.head)
        timeline = advance(self._timeline, entry)
        journal.append(entry)
        self._timeline = timeline
        self._entries.append(entry)
        self._used_ids.update(s.id for s in timeline.report.sentences)
        return timeline.report


def _renew(folder: Path, opened: Opened) -> None:
    """Write report.json anew; one that is no earlier state is kept aside, for somebody may want to know."""
    path = folder / REPORT_NAME
    try:
        if opened.report_file in (ReportFile.DAMAGED, ReportFile.FOREIGN):
            write_atomically(folder / DAMAGED_NAME, path.read_bytes())
    except OSError as cause:
        raise NeedMissing(f"cannot keep {path} aside: {cause.strerror}") from cause
    write_atomically(path, report_bytes(opened.timeline.report))
