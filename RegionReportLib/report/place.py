"""Places in the patient that sentences and measurements are tied to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side, Zone
from ..imaging.box import Box, Point


@dataclass(frozen=True, slots=True)
class Place:
    """A region, or the part of it that `structure`, `side` and `zone` narrow it to, with its box and a point in it.

    `point_mm` is where the views jump to: inside the mask, not merely the middle of the box.
    Raises ValueError for an unknown region or a structure of another region.
    """

    region_id: str
    box: Box
    point_mm: Point
    structure: str | None = None
    side: Side | None = None
    zone: Zone | None = None

    def __post_init__(self) -> None:
        anatomy.region(self.region_id)
        x, y, z = (float(v) for v in self.point_mm)
        object.__setattr__(self, "point_mm", (x, y, z))
        if self.structure is not None and anatomy.structure(self.structure).region_id != self.region_id:
            raise ValueError(f"structure {self.structure!r} does not belong to region {self.region_id!r}")

    @property
    def name(self) -> str:
        """The place in words, side first: 'right lung, lower zone'."""
        if self.structure is not None:
            base = anatomy.structure(self.structure).name
        else:
            base = anatomy.region(self.region_id).name.lower()
            # One side has one lung; the other regions keep their name beside a side.
            base = f"{self.side.value} {'lung' if base == 'lungs' else base}" if self.side else base
        return f"{base}, {self.zone.value} zone" if self.zone else base

    @property
    def spot(self) -> str:
        """The point in words of the patient, in millimetres: 'L 57, P 85, I 115'; and the size of the box."""
        axes = zip(self.point_mm, ("RL", "AP", "SI"), strict=True)
        point = ", ".join(f"{towards[0 if value >= 0 else 1]} {abs(value):.0f}" for value, towards in axes)
        return f"{point}; {' × '.join(f'{size:.0f}' for size in self.box.size_mm)} mm"


class AnchorSource(str, Enum):
    """Who says that a sentence belongs to a place."""

    MODEL = "model"
    MEASUREMENT = "measurement"
    WORDING = "wording"
    HEADING = "heading"
    VOXTELL = "voxtell"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The tie of a sentence to a place; `confidence` 0..1 where the source has one; `note` says how it was narrowed.

    `dispersion_mm` is how far the guesses of a model that found the box lie apart, None for other sources.
    """

    place: Place
    source: AnchorSource
    confidence: float | None = None
    note: str = ""
    dispersion_mm: float | None = None

    def __post_init__(self) -> None:
        if self.dispersion_mm is not None and not self.dispersion_mm >= 0.0:
            raise ValueError(f"dispersion_mm cannot be negative, got {self.dispersion_mm}")
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence must lie in 0..1, got {self.confidence}")
