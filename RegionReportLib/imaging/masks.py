"""Region masks: one label map whose values name structures of the anatomy table.

Structures do not overlap; a region is the union of its structures, so six regions never cost six volumes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy import regions as anatomy
from ..progress import Progress, Work
from .box import Box
from .grid import Grid

BoolArray: TypeAlias = npt.NDArray[np.bool_]
LabelArray: TypeAlias = npt.NDArray[np.uint8]
Slices: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class RegionMasks:
    """Label map `labels` `(k, j, i)` uint8 on `grid`; value n > 0 is structure `structures[n - 1]`, 0 is none.

    `method` names the segmenter and its version. `coverage` tells for each region id whether the scan holds it
    completely, partly or not at all; `coverage_notes` says in words what is cut.
    Raises ValueError for unknown structures, doubled names, labels beyond the list, or a missing region in `coverage`.
    """

    labels: LabelArray
    grid: Grid
    structures: tuple[str, ...]
    method: str
    coverage: dict[str, anatomy.Coverage]
    coverage_notes: dict[str, str]

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape_kji or self.labels.dtype != np.uint8:
            raise ValueError(
                f"labels must be uint8 of shape {self.grid.shape_kji}, got {self.labels.dtype} of {self.labels.shape}"
            )
        if len(set(self.structures)) != len(self.structures):
            raise ValueError(f"structures must be unique, got {self.structures}")
        for name in self.structures:
            anatomy.structure(name)
        top = int(self.labels.max(initial=0))
        if top > len(self.structures):
            raise ValueError(f"labels hold value {top}, but only {len(self.structures)} structures are named")
        if set(self.coverage) != set(anatomy.REGION_IDS):
            raise ValueError(f"coverage must name each of {anatomy.REGION_IDS}, got {sorted(self.coverage)}")
        labels = np.ascontiguousarray(self.labels)
        labels.setflags(write=False)
        object.__setattr__(self, "labels", labels)

    def values(self, names: Iterable[str]) -> list[int]:
        """Return the label values of those structures of `names` that this map has."""
        wanted = set(names)
        return [n for n, name in enumerate(self.structures, start=1) if name in wanted]

    def structure(self, name: str, within: Slices | None = None) -> BoolArray:
        """Return the mask of one structure `(k, j, i)`, or of a sub-block `within`; all False if it is absent."""
        return self._mask(self.values([name]), within)

    def region(self, region_id: str, within: Slices | None = None) -> BoolArray:
        """Return the mask of one region `(k, j, i)`: the union of its structures."""
        return self._mask(self.values(s.id for s in anatomy.region(region_id).structures), within)

    def side(self, region_id: str, side: anatomy.Side, within: Slices | None = None) -> BoolArray:
        """Return the union of the structures of a region that lie on one side."""
        return self._mask(self.values(s.id for s in anatomy.region(region_id).structures if s.side is side), within)

    def bounds(self) -> dict[str, Slices]:
        """Return for each present structure the `(k, j, i)` slices around it, in one pass over the map."""
        found = ndimage.find_objects(self.labels, max_label=len(self.structures))
        return {name: (w[0], w[1], w[2]) for name, w in zip(self.structures, found, strict=True) if w is not None}

    def bounds_by_slab(self, slices: int = 16) -> Work[dict[str, Slices]]:
        """Do what `bounds` does, a few slices at a time, for callers that must not stand still."""
        blocks: dict[str, list[Slices]] = {}
        for first in range(0, len(self.labels), slices):
            yield Progress(first / len(self.labels), "looking where the structures lie")
            found = ndimage.find_objects(self.labels[first : first + slices], max_label=len(self.structures))
            for name, where in zip(self.structures, found, strict=True):
                if where is not None:
                    k, j, i = where
                    blocks.setdefault(name, []).append((slice(k.start + first, k.stop + first), j, i))
        merged = ((name, joined(blocks[name])) for name in self.structures if name in blocks)
        return {name: where for name, where in merged if where is not None}

    def box(self, where: Slices) -> Box:
        """Return the RAS box of the index block `where`."""
        return self.grid.box_of([s.start for s in where], [s.stop for s in where])

    def _mask(self, values: list[int], within: Slices | None) -> BoolArray:
        labels = self.labels if within is None else self.labels[within]
        if len(values) == 1:
            return np.asarray(labels == values[0])
        lookup = np.zeros(256, dtype=bool)
        lookup[values] = True
        return np.asarray(lookup[labels])


def joined(slices: Iterable[Slices]) -> Slices | None:
    """Return the smallest block around several, or None for none."""
    blocks = list(slices)
    if not blocks:
        return None
    k, j, i = (slice(min(b[a].start for b in blocks), max(b[a].stop for b in blocks)) for a in range(3))
    return k, j, i
