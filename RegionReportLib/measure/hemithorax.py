"""One side of the chest in the patient frame: its mask, and the fluid and free air found in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Side, Zone
from ..imaging.masks import BoolArray
from .frame import STEP_MM, Frame
from .zones import zone_slices


@dataclass(frozen=True, slots=True, eq=False)
class Hemithorax:
    """`mask`, `fluid` and `air` are `(k, j, i)` on `part`, a block of the patient frame a little larger than the side.

    `fluid_given` tells that the fluid is the segmenter's own structure, not found here by density.
    """

    side: Side
    part: Frame
    mask: BoolArray
    fluid: BoolArray
    air: BoolArray
    fluid_given: bool = False

    @property
    def lung(self) -> BoolArray:
        """The lung itself: the hemithorax without pleural fluid and free air."""
        return self.mask & ~self.fluid & ~self.air

    def extent_mm(self) -> tuple[float, float]:
        """Return the lowest and highest RAS z of the side's mask, slice edges included."""
        occupied = self.part.heights_mm()[np.any(self.mask, axis=(1, 2))]
        return float(occupied[0]) - STEP_MM / 2, float(occupied[-1]) + STEP_MM / 2

    def zones(self) -> dict[Zone, slice]:
        """Return the slices of `part` of each third, by the extent of this side's mask along superior–inferior."""
        return zone_slices(self.part.heights_mm(), *self.extent_mm())
