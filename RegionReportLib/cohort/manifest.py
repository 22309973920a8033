"""What is known of each study of a cohort, in one SQLite file: waiting, running, done or failed, and why.

The file is the memory of a run: whoever opens it again goes on where it stopped. Only the driver writes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ..draft.choose import WriterChoice
from ..errors import Conflict, InputRefused
from ..progress import Progress, Work
from .order import Done, Failed, Order, Settings
from .table import StudyRow

MANIFEST_NAME = "cohort.sqlite"
_SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS cohort (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS study (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE COLLATE NOCASE,
    row TEXT NOT NULL, taken INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0, digest TEXT, seconds TEXT, size INTEGER, kind TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS study_by_state ON study (state, position);
"""
# One name on every file system: no separators, no device names, not hidden, short enough to carry a suffix.
_PLAIN = re.compile(r"(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))[a-z0-9_]([a-z0-9_.-]{0,98}[a-z0-9_-])?", re.IGNORECASE)
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many studies are in each state."""

    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All studies of the cohort."""
        return self.waiting + self.running + self.done + self.failed


@dataclass(frozen=True, slots=True)
class Entry:
    """One study as the manifest knows it; `folder` is relative to the cohort's folder, `seconds` by stage."""

    row: StudyRow
    folder: str
    state: str
    attempts: int
    digest: str | None
    seconds: dict[str, float]
    size: int | None
    kind: str | None
    reason: str | None


class Manifest:
    """The manifest of a cohort folder, opened for the one process that may write it (the caller holds its lock)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._base = sqlite3.connect(folder / MANIFEST_NAME, isolation_level=None)
        try:
            # Readable while it is written; the last commits may be lost with the power, never the file. What is lost
            # so is found again, because a study is done when its folder is there.
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.executescript(_TABLES)
        except sqlite3.DatabaseError as cause:
            self._base.close()
            raise InputRefused(f"{folder / MANIFEST_NAME} is no manifest of a cohort: {cause}") from cause

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def settle(self, settings: Settings) -> Settings:
        """Return the settings of this cohort: `settings` for a new one, the recorded ones for one that goes on.

        All studies of a cohort carry the time of its beginning, so that a second run writes the same bytes. Raises
        Conflict where other settings were asked for than the cohort was begun with.
        """
        kept = self._base.execute("SELECT value FROM cohort WHERE key = 'settings'").fetchone()
        if kept is None:
            value = json.dumps({"schema": _SCHEMA, **asdict(settings)})
            self._base.execute("INSERT INTO cohort VALUES ('settings', ?)", (value,))
            return settings
        values = json.loads(kept[0])
        if values.pop("schema", None) != _SCHEMA:
            raise InputRefused(f"{self.folder / MANIFEST_NAME} was written by another version of this program")
        begun = Settings(**{**values, "writer": WriterChoice(**values["writer"])})
        for name in ("segmenter", "writer"):
            was, now = getattr(begun, name), getattr(settings, name)
            if was != now:
                raise Conflict(f"this cohort was begun with the {name} {was}, not {now}; choose another folder")
        return begun

    def take_in(self, rows: Iterator[StudyRow]) -> Work[int]:
        """Take studies in, leaving known ones as they are; return how many are new.

        Raises InputRefused if an id comes twice or stands for another scan than before; then nothing was taken in.
        """
        taken = 1 + self._number("SELECT COALESCE(MAX(taken), 0) FROM study")
        position = self._number("SELECT COALESCE(MAX(position), 0) FROM study")
        before, seen = position, 0
        self._base.execute("BEGIN")
        try:
            while batch := list(islice(rows, _BATCH)):
                for row in batch:
                    position += self._take(row, position + 1, taken)
                seen += len(batch)
                yield Progress(0.0, f"reading the list: {seen:,} studies")
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        return position - before

    def _take(self, row: StudyRow, position: int, taken: int) -> int:
        known = self._base.execute("SELECT row, taken FROM study WHERE id = ?", (row.id,)).fetchone()
        text = json.dumps(asdict(row), ensure_ascii=False)
        if known is None:
            insert = "INSERT INTO study (position, id, folder, row, taken) VALUES (?, ?, ?, ?, ?)"
            try:
                self._base.execute(insert, (position, row.id, _folder_of(row.id), text, taken))
            except sqlite3.IntegrityError:  # another id differs in case alone, which not all file systems tell apart
                self._base.execute(insert, (position, row.id, _made_folder(row.id), text, taken))
            return 1
        if known[1] == taken:
            raise InputRefused(f"the study {row.id!r} comes twice in the list")
        if known[0] != text:
            raise InputRefused(f"the study {row.id!r} was {known[0]} before and is {text} now; choose another folder")
        self._base.execute("UPDATE study SET taken = ? WHERE id = ?", (taken, row.id))
        return 0

    def put_back(self, *, failed: bool) -> None:
        """Let studies that were running when an earlier run ended wait again, and `failed` ones too if wished."""
        states = ("running", "failed") if failed else ("running",)
        marks = ",".join("?" * len(states))
        self._base.execute(f"UPDATE study SET state = 'waiting', kind = NULL WHERE state IN ({marks})", states)

    def forget(self, study_id: str) -> None:
        """Let a study wait again whose draft is gone."""
        self._base.execute("UPDATE study SET state = 'waiting', digest = NULL WHERE id = ?", (study_id,))

    def orders(self, settings: Settings) -> Iterator[Order]:
        """Yield each waiting study once, in the order of the list, marking it as running when it is handed out."""
        last = 0
        while True:
            rows = self._base.execute(
                "SELECT position, row, folder FROM study WHERE state = 'waiting' AND position > ? ORDER BY position"
                " LIMIT 100",
                (last,),
            ).fetchall()
            if not rows:
                return
            for last, row, place in rows:
                self._base.execute(
                    "UPDATE study SET state = 'running', attempts = attempts + 1 WHERE position = ?", (last,)
                )
                yield Order(StudyRow(**json.loads(row)), str(self.folder.absolute() / place), settings)

    def record(self, outcome: Done | Failed) -> None:
        """Write down how the drafting of a study ended."""
        if isinstance(outcome, Done):
            self._base.execute(
                "UPDATE study SET state = 'done', digest = ?, seconds = ?, size = ?, kind = NULL, reason = NULL"
                " WHERE id = ?",
                (outcome.digest, json.dumps(outcome.seconds), outcome.size, outcome.id),
            )
        else:
            self._base.execute(
                "UPDATE study SET state = 'failed', kind = ?, reason = ? WHERE id = ?",
                (outcome.kind, outcome.reason, outcome.id),
            )

    def counts(self) -> Counts:
        """Count the studies by state."""
        return Counts(**dict(self._base.execute("SELECT state, COUNT(*) FROM study GROUP BY state")))

    def entries(self, condition: str = "1") -> Iterator[Entry]:
        """Yield what is known of each study in the order of the list; `condition` is an SQL condition of ours."""
        columns = "row, folder, state, attempts, digest, seconds, size, kind, reason"
        for row, place, state, attempts, digest, seconds, *rest in self._base.execute(
            f"SELECT {columns} FROM study WHERE {condition} ORDER BY position"
        ):
            size, kind, reason = rest
            stages: dict[str, float] = json.loads(seconds) if seconds else {}
            yield Entry(StudyRow(**json.loads(row)), place, state, attempts, digest, stages, size, kind, reason)

    def _number(self, query: str) -> int:
        value: Any = self._base.execute(query).fetchone()[0]
        return int(value)


def _folder_of(study_id: str) -> str:
    """Return the folder of a study below the cohort's: its id where that is a plain name, else made one."""
    return f"studies/{study_id}" if _PLAIN.fullmatch(study_id) else _made_folder(study_id)


def _made_folder(study_id: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", study_id).strip("_")[-60:]
    return f"studies/{plain or 'study'}-{hashlib.sha256(study_id.encode()).hexdigest()[:12]}"
