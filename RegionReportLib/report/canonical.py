"""JSON text with exactly one form for each value, so that digests can be taken of it, and the strict reader for it.

Canonical: keys sorted by code point, no blanks, UTF-8 without escapes, floats in their shortest exact form.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from ..errors import InputRefused

# Beyond this a double cannot hold each integer (RFC 7493 §2.2), so two readers could read two numbers.
LARGEST_INTEGER = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return the one canonical JSON form of `value`; InputRefused if it has none (not finite, broken characters)."""
    return _encode(value, sort_keys=True, separators=(",", ":"))


def readable(value: object) -> bytes:
    """Return JSON text for files that people open: indented, keys in their given order, one form for each value."""
    return _encode(value, indent=1) + b"\n"


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parse(text: str | bytes) -> Any:
    """Read strict JSON; InputRefused for anything that two readers could understand differently.

    That is: other encodings than UTF-8, doubled keys, numbers that are not finite or not exact, half surrogate pairs.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_exact,
        )
        # Half a surrogate pair can only come from an escape; it has no UTF-8 form.
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as cause:
        raise InputRefused(f"not JSON text: {cause!s:.200}") from cause
    return value


def _encode(value: object, **form: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, **form).encode("utf-8")
    except (ValueError, TypeError, RecursionError) as cause:
        raise InputRefused(f"has no JSON form: {cause!s:.200}") from cause


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text:.40} is beyond what a double holds")
    return number


def _exact(text: str) -> int:
    # The length first: turning a very long text into a number takes long or fails.
    if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError(f"the integer {text:.40} is beyond what a double holds exactly")
    return int(text)
