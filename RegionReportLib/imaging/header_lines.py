"""Splits off the text header that NRRD and MetaImage files begin with, and reads the numbers in its lines."""

from __future__ import annotations

import math
from pathlib import Path

from .refusal import brief, refused

_LONGEST_HEADER = 2**20


def text_head(path: Path) -> bytes:
    """Return the first mebibyte of a file, in which its text header must end."""
    with path.open("rb") as file:
        return file.read(_LONGEST_HEADER)


def numbers(path: Path, field: str, text: str, count: int) -> tuple[float, ...]:
    """Return `count` finite numbers divided by blanks, commas or brackets; InputRefused names the field otherwise."""
    words = text.replace(",", " ").replace("(", " ").replace(")", " ").split()
    try:
        values = tuple(float(word) for word in words[: count + 1])
    except ValueError:
        values = ()
    if len(values) != count or not all(math.isfinite(v) for v in values):
        raise refused(path, f"its header is damaged: {field} is {brief(text)!r}, expected {count} numbers")
    return values


def whole_numbers(path: Path, field: str, text: str, count: int) -> tuple[int, ...]:
    """Return `count` whole numbers; InputRefused names the field otherwise."""
    values = numbers(path, field, text, count)
    if not all(v.is_integer() for v in values):
        raise refused(path, f"its header is damaged: {field} is {brief(text)!r}, expected whole numbers")
    return tuple(int(v) for v in values)
