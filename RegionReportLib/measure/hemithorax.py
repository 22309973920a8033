"""One side of the chest in the patient frame: its mask, and the fluid and free air found in it."""

from __future__ import annotations

from dataclasses import dataclass

from ..anatomy.regions import Side, Zone
from ..imaging.masks import BoolArray
from .frame import Frame
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

    def zones(self) -> dict[Zone, slice]:
        """Return the slices of `part` of each third, by the extent of this side's mask along superior–inferior."""
        heights = self.part.heights_mm()
        rows = self.mask.any(axis=(1, 2))
        occupied = heights[rows]
        return zone_slices(heights, float(occupied[0]), float(occupied[-1])) if len(occupied) > 1 else {}
