"""What all measurements of one scan share: volume, masks, the patient frame, what is cut, and the contrast guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Coverage, Side, region
from ..imaging.grid import FloatArray
from ..imaging.masks import RegionMasks, Slices
from ..imaging.volume import Volume
from .contrast import Blood
from .frame import Frame, side_names

_FACES = ("left", "right", "posterior", "anterior", "inferior", "superior")


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """`frame` is the scan in the patient frame, `bounds` the native block of each present structure."""

    volume: Volume
    masks: RegionMasks
    frame: Frame
    bounds: dict[str, Slices]
    blood: Blood

    def present(self, region_id: str) -> tuple[str, ...]:
        """Return the structures of a region that the masks hold."""
        return tuple(s.id for s in region(region_id).structures if s.id in self.bounds)

    def sided(self, side: Side) -> tuple[str, ...]:
        """Return the lung structures of one side that the masks hold."""
        return side_names(self.bounds, side)

    def coverage(self, region_id: str) -> Coverage:
        """Tell how much of a region the scan holds."""
        return self.masks.coverage[region_id]

    def caveat(self, region_id: str) -> str:
        """Return the words for a region that is only partly in the scan, empty for a complete one."""
        if self.coverage(region_id) is Coverage.COMPLETE:
            return ""
        note = self.masks.coverage_notes.get(region_id, "")
        return "of the part in the scan" + (f" ({note})" if note else "")

    def cut_faces(self, names: tuple[str, ...]) -> frozenset[str]:
        """Return the directions (RAS words) in which structures reach the edge of the scan, thus may go on beyond."""
        faces = set()
        for name in names:
            if name not in self.bounds:
                continue
            for axis, (block, size) in enumerate(zip(self.bounds[name], self.masks.labels.shape, strict=True)):
                column = self.volume.grid.affine[:3, 2 - axis]
                if block.start == 0:
                    faces.add(_face(-column))
                if block.stop == size:
                    faces.add(_face(column))
        return frozenset(faces)

    @property
    def slice_spacing_mm(self) -> float:
        """The largest voxel spacing: what bounds resolution, whatever axis the slices were stored along."""
        return max(self.volume.grid.spacing_mm)


def _face(direction: FloatArray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _FACES[2 * axis + (1 if direction[axis] > 0 else 0)]


def together(*caveats: str) -> str:
    """Join caveats into one line, leaving out empty ones."""
    return "; ".join(c for c in caveats if c)
