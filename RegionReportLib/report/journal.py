"""The trail as a file that only grows: each entry is on the disk before its act counts.

An append that fails is taken back, so the file always ends with a whole entry, unless the machine stopped in the
midst of one; such a torn tail is cut off at the next opening and kept aside.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import Conflict, NeedMissing
from .audit import Entry, to_line
from .files import cannot_write, read, sync_folder

JOURNAL_NAME = "audit.jsonl"
TORN_NAME = "audit.torn"


class Journal:
    """Appends entries to the journal of a draft folder, which holds `length` of them."""

    def __init__(self, folder: Path, length: int) -> None:
        self._length = length
        self.path = folder / JOURNAL_NAME
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        except OSError as cause:
            raise cannot_write(self.path, cause) from cause
        self._size = os.fstat(self._file).st_size
        self._broken = False

    def append(self, entry: Entry) -> None:
        """Write an entry and wait until the disk has it; NeedMissing if that fails, with the file as before."""
        if self._broken:
            raise NeedMissing(f"{self.path} could not be put right after a failed write; open the draft again")
        if entry.seq != self._length + 1:
            raise Conflict(
                f"{self.path} holds {self._length} entries, this is number {entry.seq}; open the draft again"
            )
        line = to_line(entry)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as cause:
            self._take_back()
            raise cannot_write(self.path, cause) from cause
        except BaseException:
            self._take_back()
            raise
        self._size += len(line)
        self._length += 1

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)
        except OSError:
            self._broken = True


def split_tail(content: bytes) -> tuple[bytes, bytes]:
    """Return the whole lines of a journal and the torn tail behind them, either may be empty."""
    cut = content.rfind(b"\n") + 1
    return content[:cut], content[cut:]


def mend_tail(folder: Path, tail: bytes, *, complete: bool) -> None:
    """Put the torn end of a journal right: add its line end if it is `complete`, else cut it off and keep it aside."""
    path = folder / JOURNAL_NAME
    try:
        if not complete:
            with (folder / TORN_NAME).open("ab") as aside:
                aside.write(tail + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
        with path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if complete:
                file.write(b"\n")
            else:
                file.truncate(end - len(tail))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(folder)
    except OSError as cause:
        raise cannot_write(path, cause) from cause


def read_journal(folder: Path) -> bytes:
    """Return the content of a folder's journal; InputRefused if there is none."""
    return read(folder / JOURNAL_NAME)
