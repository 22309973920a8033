"""Edits as readers make them, as data: to see whether the tie of a sentence to its place survives them.

Each changes the words of one sentence; whether it moves the sentence to another place is part of the script.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScriptedEdit:
    """A change of words; `change` returns None where it does not apply. `moves` tells that the place is another now."""

    name: str
    moves: bool
    change: Callable[[str], str | None]


def _replaced(pairs: dict[str, str]) -> Callable[[str], str | None]:
    """Replace all of the words that occur, whole words only, keeping a capital; the name of a window is no place."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, pairs))})\b", re.IGNORECASE)

    def word(match: re.Match[str]) -> str:
        new = pairs[match.group().lower()]
        return new.capitalize() if match.group()[0].isupper() else new

    def change(text: str) -> str | None:
        new = pattern.sub(word, text) if "window" not in text else text
        return new if new != text else None

    return change


def _mistyped(text: str) -> str | None:
    """Swap two letters inside the longest word."""
    words = re.findall(r"[A-Za-z]{6,}", text)
    if not words:
        return None
    longest = max(words, key=len)
    at = len(longest) // 2
    wrong = longest[:at] + longest[at + 1] + longest[at] + longest[at + 2 :]
    return text.replace(longest, wrong, 1) if wrong != longest else None


def _shortened(text: str) -> str | None:
    """Keep what stands before the last comma, if that is most of it."""
    head, comma, tail = text.rpartition(",")
    return f"{head}." if comma and len(head) > len(tail) else None


def _ended(addition: str) -> Callable[[str], str | None]:
    return lambda text: text.rstrip(". ") + addition


def _other_side(text: str) -> str | None:
    """Swap right and left where one side is named and not both."""
    sides = {side.lower() for side in re.findall(r"\b(?:right|left)\b", text, re.IGNORECASE)}
    both = re.search(r"\b(?:both|bilateral|bilaterally)\b", text, re.IGNORECASE)
    if len(sides) != 1 or both:
        return None
    old = sides.pop()
    new = {"right": "left", "left": "right"}[old]
    return re.sub(old, lambda m: new.capitalize() if m.group()[0].isupper() else new, text, flags=re.IGNORECASE)


EDITS: tuple[ScriptedEdit, ...] = (
    ScriptedEdit(
        "verb reworded", False, _replaced({"observed": "seen", "detected": "noted", "is": "was", "are": "were"})
    ),
    ScriptedEdit("size added", False, _ended(", measuring 7 mm.")),
    ScriptedEdit("advice added", False, _ended("; follow-up is recommended.")),
    ScriptedEdit("shortened at a comma", False, _shortened),
    ScriptedEdit("mistyped", False, _mistyped),
    ScriptedEdit("made uncertain", False, lambda text: f"Possibly {text[0].lower()}{text[1:]}" if text else None),
    ScriptedEdit("in capitals", False, str.upper),
    ScriptedEdit(
        "British spelling",
        False,
        _replaced({"esophagus": "oesophagus", "esophageal": "oesophageal", "tumoral": "tumoural", "edema": "oedema"}),
    ),
    ScriptedEdit("other side", True, _other_side),
    ScriptedEdit(
        "other organ",
        True,
        _replaced(
            {"lungs": "kidneys", "lung": "liver", "heart": "aorta", "trachea": "oesophagus", "pleural": "pericardial"}
            | {"liver": "spleen", "esophagus": "trachea", "bone": "liver", "adrenal": "thyroid", "mediastinum": "liver"}
        ),
    ),
)
