"""The six regions of a chest CT and their structures, read once from `regions.json`.

The regions follow MedRegion-CT (arXiv 2506.23102 §3); its merge of the ten RadGenome-Chest CT regions is not
published, so `radgenome` holds ours. `labels` of a structure are the names that segmenters (TotalSegmentator,
VISTA3D, SAT) give to it, lower case.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any

from .codes import Code


class Side(str, Enum):
    """A side of the patient, never of the screen."""

    RIGHT = "right"
    LEFT = "left"


class Zone(str, Enum):
    """A third of a lung by height, each lung divided by its own extent."""

    UPPER = "upper"
    MIDDLE = "middle"
    LOWER = "lower"


class Coverage(str, Enum):
    """How much of a region the scan holds."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Structure:
    """A part of a region; its SNOMED CT `code` is the same for both sides, `side` tells them apart."""

    id: str
    name: str
    region_id: str
    code: Code
    side: Side | None
    synonyms: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """One of the six regions; `color_rgb` in 0..255, `window` is the CT preset (width, level) in HU."""

    id: str
    name: str
    code: Code
    color_rgb: tuple[int, int, int]
    window: tuple[float, float]
    synonyms: tuple[str, ...]
    radgenome: tuple[str, ...]
    structures: tuple[Structure, ...]


@cache
def regions() -> tuple[Region, ...]:
    """Return the six regions in report order."""
    table = json.loads(files(__package__).joinpath("regions.json").read_text(encoding="utf-8"))
    return tuple(_region(entry) for entry in table["regions"])


def region(region_id: str) -> Region:
    """Return a region by its id; ValueError names the known ones."""
    for candidate in regions():
        if candidate.id == region_id:
            return candidate
    raise ValueError(f"unknown region {region_id!r}, known are {', '.join(r.id for r in regions())}")


def structure(structure_id: str) -> Structure:
    """Return a structure by its id; ValueError if the table has none."""
    try:
        return _structures()[structure_id]
    except KeyError:
        raise ValueError(f"unknown structure {structure_id!r}") from None


def structure_of_label(label: str) -> Structure | None:
    """Return the structure that a segmenter's label name stands for, or None; case, `_` and blanks do not matter."""
    return _labels().get(_plain(label))


@cache
def _structures() -> dict[str, Structure]:
    return {s.id: s for r in regions() for s in r.structures}


@cache
def _labels() -> dict[str, Structure]:
    return {_plain(label): s for s in _structures().values() for label in (*s.labels, s.name)}


def _plain(label: str) -> str:
    return " ".join(label.lower().replace("_", " ").split())


def _region(entry: dict[str, Any]) -> Region:
    red, green, blue = bytes.fromhex(entry["color"].removeprefix("#"))
    width, level = entry["window"]
    return Region(
        id=entry["id"],
        name=entry["name"],
        code=Code(**entry["code"]),
        color_rgb=(red, green, blue),
        window=(float(width), float(level)),
        synonyms=tuple(entry["synonyms"]),
        radgenome=tuple(entry["radgenome"]),
        structures=tuple(_structure(part, entry["id"]) for part in entry["structures"]),
    )


def _structure(entry: dict[str, Any], region_id: str) -> Structure:
    return Structure(
        id=entry["id"],
        name=entry["name"],
        region_id=region_id,
        code=Code(**entry["code"]),
        side=Side(entry["side"]) if entry["side"] else None,
        synonyms=tuple(entry["synonyms"]),
        labels=tuple(entry["labels"]),
    )


REGION_IDS: tuple[str, ...] = tuple(r.id for r in regions())
