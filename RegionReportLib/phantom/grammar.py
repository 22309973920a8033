"""Templates with alternatives, `[a|b|]`, and how one or all of their readings are written out.

Knows nothing of medicine. Alternatives may hold further alternatives; an empty one leaves the words away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_T = TypeVar("_T")


def one_of(choices: Sequence[_T], rng: np.random.Generator) -> _T:
    """Draw one of the choices."""
    return choices[int(rng.integers(len(choices)))]


def expand(template: str, rng: np.random.Generator) -> str:
    """Return one reading of a template."""
    while match := _INNERMOST.search(template):
        template = template[: match.start()] + one_of(match[1].split("|"), rng) + template[match.end() :]
    return template


def expansions(template: str) -> Iterator[str]:
    """Yield every reading of a template."""
    match = _INNERMOST.search(template)
    if match is None:
        yield template
        return
    for choice in match[1].split("|"):
        yield from expansions(template[: match.start()] + choice + template[match.end() :])


def tidy(text: str) -> str:
    """Return a sentence with single blanks, the right article, a capital first letter and a full stop."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\b([Aa]) (?=[aeio]|8|11\b|18\b)", r"\1n ", text)
    text = re.sub(r"\s+([,.;:)])", r"\1", text)
    text = text if text.endswith(".") else text + "."
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str], joint: str = "or") -> str:
    """Return "a, b or c"."""
    return f" {joint} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
