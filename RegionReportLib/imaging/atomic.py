"""Writes a file, or several, under passing names and gives them their final ones only when all is whole."""

from __future__ import annotations

import os
import secrets
import shutil
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


@contextmanager
def whole_files(folder: Path, staging: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder to write into; its files move into `folder` when the block ends well, else they vanish.

    `folder` is made if need be; what is in it stays, save files of the same names. `staging` is the passing folder, on
    the same disk (default: a hidden one in `folder`).
    """
    was_there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / f".unfinished-{secrets.token_hex(6)}" if staging is None else staging
    try:
        staging.mkdir()
        yield staging
        for file in sorted(staging.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not was_there and not any(folder.iterdir()):
            folder.rmdir()
