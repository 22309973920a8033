"""The table of phrases, `phrases.json`, as values.

A phrase is a template of `grammar`; a name in braces is filled from the lesion. `nouns` are what lists deny. A
background sentence says what is normal; it holds if none of `denies` is there and its `condition` is met.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .kinds import FindingKind


@dataclass(frozen=True, slots=True)
class Phrases:
    """How one finding is said: `part` is the region's name in RadGenome-Chest CT, `special` are forms by variety."""

    region_id: str
    part: str
    nouns: tuple[str, ...]
    present: tuple[str, ...]
    hedged: tuple[str, ...]
    absent: tuple[str, ...]
    special: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Background:
    """A normal statement; `condition` is one of those that `reports` checks, empty for none."""

    part: str
    denies: tuple[FindingKind, ...]
    text: str
    condition: str


@dataclass(frozen=True, slots=True)
class PhraseTable:
    """All phrases: by finding, by region, and the forms of lists."""

    findings: dict[FindingKind, Phrases]
    background: dict[str, tuple[Background, ...]]
    lists: tuple[str, ...]
    pairs: tuple[str, ...]
    tails: tuple[str, ...]


@cache
def phrase_table() -> PhraseTable:
    """Return the table, read once."""
    table = json.loads(files(__package__).joinpath("phrases.json").read_text(encoding="utf-8"))
    return PhraseTable(
        {FindingKind(kind): _phrases(entry) for kind, entry in table["findings"].items()},
        {region: tuple(_background(row) for row in rows) for region, rows in table["background"].items()},
        tuple(table["lists"]),
        tuple(table["pairs"]),
        tuple(table["tails"]),
    )


_PLAIN = ("region", "part", "nouns", "present", "hedged", "absent")


def _phrases(entry: dict[str, Any]) -> Phrases:
    lists = {name: tuple(entry.get(name, ())) for name in ("nouns", "present", "hedged", "absent")}
    special = {name: tuple(forms) for name, forms in entry.items() if name not in _PLAIN}
    return Phrases(entry["region"], entry["part"], **lists, special=special)


def _background(row: list[str]) -> Background:
    part, denies, text, condition = row
    return Background(part, tuple(FindingKind(kind) for kind in denies.split()), text, condition)
