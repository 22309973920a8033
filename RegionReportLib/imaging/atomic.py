"""Writes a file under a passing name and gives it its final name only when it is whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears as `path` when the block ends well, and leaves nothing behind when it does not."""
    passing = path.with_name(f".{secrets.token_hex(6)}.part")  # not longer than `path` may be, hidden, unlike any other
    try:
        with passing.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        passing.replace(path)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise
