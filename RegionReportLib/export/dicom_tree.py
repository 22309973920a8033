"""A read content tree of DICOM SR: finding items by their concept name and taking typed values out of them.

Whatever is missing or of another kind is an InputRefused that names the concept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from ..anatomy.codes import Code
from ..errors import InputRefused
from ..imaging.box import Box, Point
from .dicom_codes import code_of, same
from .dicom_sr_items import name_of_person


@dataclass(frozen=True, slots=True)
class Item:
    """One content item."""

    dataset: Dataset

    @property
    def name(self) -> Code | None:
        """Its concept name, None where it has none."""
        names = self.dataset.get("ConceptNameCodeSequence")
        return code_of(names) if names else None

    def all(self, name: Code, kind: str | None = None) -> Iterator[Item]:
        """Yield the children with a concept name, and of a value type, in their order."""
        for child in self.dataset.get("ContentSequence", ()):
            item = Item(child)
            if item.name is not None and same(item.name, name) and kind in (None, str(child.ValueType)):
                yield item

    def every(self, kind: str) -> Iterator[Item]:
        """Yield the children of a value type, in their order."""
        return (Item(child) for child in self.dataset.get("ContentSequence", ()) if str(child.ValueType) == kind)

    def find(self, name: Code, kind: str | None = None) -> Item | None:
        """Return the first child with a concept name, or None."""
        return next(self.all(name, kind), None)

    def need(self, name: Code, kind: str | None = None) -> Item:
        """Return the first child with a concept name; InputRefused if there is none."""
        found = self.find(name, kind)
        if found is None:
            raise InputRefused(f"the DICOM SR has no {name.meaning!r} where one belongs")
        return found

    @property
    def text(self) -> str:
        """The words of a TEXT item."""
        return str(self.dataset.TextValue)

    @property
    def code(self) -> Code:
        """The value of a CODE item."""
        return code_of(self.dataset.ConceptCodeSequence)

    @property
    def uid(self) -> str:
        """The value of a UIDREF item."""
        return str(self.dataset.UID)

    @property
    def person(self) -> str:
        """The name of a PNAME item."""
        return name_of_person(str(self.dataset.PersonName))

    @property
    def number(self) -> float | None:
        """The value of a NUM item, None where it has none."""
        measured = self.dataset.get("MeasuredValueSequence")
        if not measured:
            return None
        exact = measured[0].get("FloatingPointValue")
        return float(measured[0].NumericValue if exact is None else exact)

    @property
    def needed_number(self) -> float:
        """The value of a NUM item; InputRefused where it has none."""
        value = self.number
        if value is None:
            raise InputRefused(f"the DICOM SR has no value for {self.name}")
        return value

    @property
    def instance(self) -> Dataset:
        """What an IMAGE item points at."""
        return self.dataset.ReferencedSOPSequence[0]

    @property
    def segments(self) -> tuple[int, ...]:
        """The segment numbers that an IMAGE item points at."""
        numbers = self.instance.get("ReferencedSegmentNumber")
        if numbers is None:
            return ()
        return (int(numbers),) if isinstance(numbers, int) else tuple(int(n) for n in numbers)

    @property
    def box(self) -> Box:
        """The RAS box around the points of a SCOORD3D item."""
        return Box.around(self._points())

    @property
    def point(self) -> Point:
        """The RAS point of a SCOORD3D item."""
        x, y, z = (float(v) for v in self._points()[0])
        return x, y, z

    def _points(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        points = np.array([float(v) for v in self.dataset.GraphicData]).reshape(-1, 3)
        return np.asarray(points * (-1.0, -1.0, 1.0) + 0.0)

    def text_of(self, name: Code) -> str:
        """Return the words of a child; empty if there is none."""
        found = self.find(name)
        return "" if found is None else found.text

    def word_of(self, name: Code) -> str:
        """Return the value of a child of our own codes as our word."""
        return self.need(name, "CODE").code.value.lower()

    def says_yes(self, name: Code) -> bool:
        """Tell whether there is a child with this name that says yes."""
        return self.find(name, "CODE") is not None
