"""Writing files so that a crash or a full disk leaves the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from ..errors import InputRefused, NeedMissing
from ..imaging.atomic import whole_file


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` under `path` at once: written beside it, synced, renamed; NeedMissing if it cannot be written."""
    try:
        with whole_file(path) as file:
            file.write(content)
        sync_folder(path.parent)
    except OSError as cause:
        raise cannot_write(path, cause) from cause


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder last; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_parts(folder: Path) -> None:
    """Remove what writers that were killed more than a day ago left in a folder; a younger part may still grow."""
    for part in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > 24 * 3600:
                part.unlink()


def read(path: Path) -> bytes:
    """Return the content of a file; InputRefused names why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as cause:
        raise InputRefused(f"cannot read {path}: {cause.strerror}") from cause


def cannot_write(path: Path, cause: OSError) -> NeedMissing:
    """Return the error that tells why a file could not be written."""
    return NeedMissing(f"cannot write {path}: {cause.strerror}; the last saved state is kept")
