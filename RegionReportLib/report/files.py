"""Writing files so that a crash or a full disk leaves the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

from ..errors import InputRefused, NeedMissing


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` under `path` at once: written beside it, synced, renamed; NeedMissing if it cannot be written."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as cause:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
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


def remove_parts(path: Path) -> None:
    """Remove what killed writers of `path` left beside it."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
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
