"""Measurements looked up by what they are, and a line of a report in the making."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..anatomy.regions import Side, Zone
from ..report.measurement import Measurement
from ..report.place import Place
from ..report.sentence import Polarity


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence before it has an id: words, the phrase a click points with, what it rests on and where it points.

    Without `places` it is tied to the places of its evidence.
    """

    text: str
    phrase: str
    evidence: tuple[Measurement, ...]
    polarity: Polarity = Polarity.PRESENT
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if self.phrase not in self.text:
            raise ValueError(f"phrase {self.phrase!r} does not occur in {self.text!r}")


class Findings:
    """The measurements and places of one scan."""

    def __init__(self, measurements: Iterable[Measurement], places: Iterable[Place]) -> None:
        self._measurements = tuple(measurements)
        self._places = tuple(places)

    def all(self, quantity: str, side: Side | None = None) -> list[Measurement]:
        """Return the measurements of a quantity on a side (None: not sided), known ones only."""
        return [m for m in self._measurements if (m.quantity, m.side) == (quantity, side) and m.value is not None]

    def of(self, quantity: str, structure: str) -> list[Measurement]:
        """Return all measurements of a quantity of a structure, known or not."""
        return [m for m in self._measurements if (m.quantity, m.structure) == (quantity, structure)]

    def known(self, quantity: str, structure: str) -> Measurement | None:
        """Return the first known measurement of a quantity of just this structure, or None."""
        return next((m for m in self.of(quantity, structure) if m.value is not None), None)

    def whole(self, quantity: str, side: Side | None = None, structure: str | None = None) -> Measurement | None:
        """Return the known measurement of a quantity that is not narrowed to a zone, or None.

        One of a structure is returned only if that `structure` is asked for: a lobe's volume is not the lung's.
        """
        found = (m for m in self.all(quantity, side) if m.zone is None)
        return next((m for m in found if m.structure in (None, structure)), None)

    def unknown(self, quantity: str, side: Side | None = None, structure: str | None = None) -> Measurement | None:
        """Return the measurement that says why a quantity has no value, or None; `structure` as for `whole`."""
        found = (m for m in self._measurements if (m.quantity, m.side) == (quantity, side))
        return next((m for m in found if m.value is None and m.structure in (None, structure)), None)

    def place(self, region_id: str, side: Side | None = None) -> Place | None:
        """Return the place of a region or of a side of it, or None if the masks do not hold it."""
        narrow = (p for p in self._places if p.region_id == region_id and p.zone is None and p.structure is None)
        return next((p for p in narrow if p.side is side), None)

    def zones(self, quantity: str, side: Side) -> dict[Zone, Measurement]:
        """Return the known measurements of a quantity by zone of one side."""
        return {m.zone: m for m in self.all(quantity, side) if m.zone is not None}


def value_of(measurement: Measurement) -> float:
    """Return the value of a known measurement; ValueError for an unknown one."""
    if measurement.value is None:
        raise ValueError(f"measurement {measurement.id} has no value: {measurement.reason}")
    return measurement.value
