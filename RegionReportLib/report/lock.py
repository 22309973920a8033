"""A lock that keeps two writers of one draft apart.

The operating system holds it for as long as the process lives, so a killed writer leaves none behind. The content of
the file only tells others who holds it. Shared folders whose file system has no locks are refused, not trusted.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from pathlib import Path
from types import TracebackType

from ..errors import Conflict, NeedMissing

LOCK_NAME = "lock"
# Beyond the content, so that others can read it on systems where a locked range cannot be read.
_LOCKED_BYTE = 1 << 20


class WriteLock:
    """Holds the lock of a draft folder until `release`; Conflict names who holds it already."""

    def __init__(self, folder: Path, holder: str, at: str) -> None:
        self.path = folder / LOCK_NAME
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as cause:
            raise NeedMissing(f"cannot open {self.path} for writing: {cause.strerror}") from cause
        try:
            _take(self._file)
        except BlockingIOError:
            os.close(self._file)
            raise Conflict(f"the draft {folder} is being edited{self._holder()}; open it read-only") from None
        except OSError as cause:
            os.close(self._file)
            raise NeedMissing(f"the file system of {folder} has no locks: {cause.strerror}") from cause
        self._tell(holder, at)

    def __enter__(self) -> WriteLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back; a second time does nothing. The empty file stays: removing it would race."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        with contextlib.suppress(OSError):  # only what it tells is stale then; the lock itself goes with the file
            os.ftruncate(file, 0)
        os.close(file)

    def _tell(self, holder: str, at: str) -> None:
        told = json.dumps({"holder": holder, "pid": os.getpid(), "host": socket.gethostname(), "since": at})
        with contextlib.suppress(OSError):  # a full disk may not tell who holds the lock, but it is held
            os.ftruncate(self._file, 0)
            os.write(self._file, told.encode())

    def _holder(self) -> str:
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return f" by {told['holder']} (process {told['pid']} on {told['host']} since {told['since']})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""


if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError as cause:
            raise BlockingIOError(*cause.args) from cause
        finally:
            os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
