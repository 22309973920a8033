"""How an image file is named when it is refused, and the first look at it that every format shares.

Messages are one line, begin with the file as the user gave it, and say what can be done where there is something.
"""

from __future__ import annotations

import stat
from pathlib import Path

from ..errors import InputRefused


def shown(path: Path) -> str:
    """Return a path as one printable line; bytes that are no text and control characters are escaped."""
    return printable(str(path))


def printable(text: str) -> str:
    """Return text from outside with its control characters and lone surrogates escaped, so that a terminal is safe."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def brief(text: str) -> str:
    """Return text from a file short enough and printable for a message."""
    plain = printable(text)
    return plain if len(plain) <= 60 else plain[:57] + "..."


def refused(path: Path, cause: str) -> InputRefused:
    """Return the error for a file that cannot be used, its cause squeezed to one line."""
    return InputRefused(f"{shown(path)}: {printable(' '.join(cause.split()))}")


def size_of_regular_file(path: Path) -> int:
    """Return the size of a file in bytes; InputRefused unless it is a regular, readable, non-empty file.

    Pipes and devices are refused here because opening one may block for ever.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise refused(path, "is not a regular file")
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not found.st_size:
        raise refused(path, "the file is empty")
    return found.st_size


def unreadable(path: Path, error: OSError | ValueError) -> InputRefused:
    """Return the error for a path that the system will not open, in the system's words."""
    if isinstance(error, FileNotFoundError):
        return refused(path, "there is no such file or folder")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return refused(path, f"cannot be read: {reason.lower()}")
