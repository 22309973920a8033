"""A slab of the scan while it is painted: values, labels, lesion numbers, and smooth fields on a coarse lattice.

Large organs are smooth, so their distances are evaluated every few millimetres and interpolated: linear interpolation
every 4 mm errs by less than 0.1 mm on a surface of 20 mm radius. The lattice follows the voxel indices, so any affine
costs the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from ..imaging.grid import Grid
from ..imaging.masks import Slices
from .solids import F32

LATTICE_MM = 4.0


class Fields:
    """Points with smooth quantities (distances to large organs) that are computed once, when first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[Fields], F32]], x: F32, y: F32, z: F32) -> None:
        self.x, self.y, self.z = x, y, z
        self.makers = makers
        self._known: dict[str, F32] = {}

    def __getitem__(self, name: str) -> F32:
        if name not in self._known:
            self._known[name] = self.makers[name](self)
        return self._known[name]

    def adopt(self, name: str, values: F32) -> None:
        """Take values that are known already."""
        self._known[name] = values


Makers = Mapping[str, Callable[[Fields], F32]]


@dataclass(frozen=True, slots=True)
class Axis:
    """Interpolation along one index axis: voxel n lies `share[n]` of the way from node `lower[n]` to the next."""

    nodes: npt.NDArray[np.float64]
    lower: npt.NDArray[np.intp]
    share: F32

    @classmethod
    def over(cls, count: int, spacing_mm: float, step_mm: float) -> Axis:
        """Return the axis of `count` voxels with nodes at most `step_mm` apart."""
        nodes = np.linspace(0, count - 1, max(2, int(np.ceil((count - 1) * spacing_mm / step_mm)) + 1))
        at = np.arange(count) * ((len(nodes) - 1) / max(count - 1, 1))
        lower = np.minimum(at.astype(np.intp), len(nodes) - 2)
        return cls(nodes, lower, (at - lower).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Lattice:
    """Fields at nodes along the three index axes of a grid, to be interpolated to its voxels."""

    fields: Fields
    axes: tuple[Axis, Axis, Axis]

    @classmethod
    def over(cls, grid: Grid, makers: Makers, step_mm: float = LATTICE_MM) -> Lattice:
        """Return the lattice whose nodes lie at most `step_mm` apart and span all voxels of `grid`."""
        k, j, i = (
            Axis.over(count, spacing, step_mm)
            for count, spacing in zip(grid.shape_kji, grid.spacing_mm[::-1], strict=True)
        )
        positions = [k.nodes, j.nodes, i.nodes]
        x, y, z = (np.broadcast_to(c, tuple(len(p) for p in positions)).copy() for c in _coordinates(grid, positions))
        return cls(Fields(makers, x, y, z), (k, j, i))

    def upsample(self, name: str, where: Slices) -> F32:
        """Return a field at the voxels of `where`."""
        out = self.fields[name]
        # From the shortest arrays to the longest: along i, then j, then k, where a slice is a blend of two planes.
        for axis in (2, 1, 0):
            along, part = self.axes[axis], where[axis]
            lower, share = along.lower[part], along.share[part]
            first = int(lower[0])
            out = out[(slice(None),) * axis + (slice(first, int(lower[-1]) + 2),)]
            lower = lower - first
            if axis == 0:
                return _blend(out, lower, share)
            weight = share.reshape((-1,) + (1,) * (2 - axis))
            low = np.take(out, lower, axis=axis)
            high = np.take(out, lower + 1, axis=axis)
            high -= low
            high *= weight
            high += low
            out = high
        raise AssertionError("the last axis returns")


class Block:
    """The voxels of a slab inside a box: their coordinates and fields at full resolution."""

    def __init__(self, slab: Slab, where: Slices) -> None:
        self._slab = slab
        self.where = where

    @cached_property
    def _xyz(self) -> tuple[F32, F32, F32]:
        return _coordinates(self._slab.grid, [np.arange(s.start, s.stop) for s in self.where])

    @property
    def x(self) -> F32:
        return self._xyz[0]

    @property
    def y(self) -> F32:
        return self._xyz[1]

    @property
    def z(self) -> F32:
        return self._xyz[2]

    def __getitem__(self, name: str) -> F32:
        return self._slab.field(name, self.where)


# Used by several painters over the whole slab, so worth keeping at full resolution.
_SHARED = ("wall", "body", "theta")


class Slab:
    """Slices `grid` of the standard patient: `hu` float32, `labels` and `lesions` uint8, all `(k, j, i)`."""

    def __init__(self, grid: Grid, makers: Makers, structures: tuple[str, ...], lattice_mm: float = LATTICE_MM) -> None:
        self.grid = grid
        self.hu = np.full(grid.shape_kji, -1000, dtype=np.float32)
        self.labels = np.zeros(grid.shape_kji, dtype=np.uint8)
        self.lesions = np.zeros(grid.shape_kji, dtype=np.uint8)
        self.voxel_mm = np.float32(grid.voxel_ml * 1000) ** np.float32(1 / 3)
        self._lattice = Lattice.over(grid, makers, lattice_mm)
        self._codes = {name: n for n, name in enumerate(structures, start=1)}
        self._shared: dict[str, F32] = {}
        self._content: F32 | None = None

    def code(self, structure: str) -> int:
        """Return the label value of a structure."""
        return self._codes[structure]

    def hosts(self, structures: tuple[str, ...]) -> npt.NDArray[np.float32]:
        """Return a table over label values that is 1 for the given structures and 0 elsewhere."""
        table = np.zeros(256, dtype=np.float32)
        table[[self._codes[name] for name in structures]] = 1
        return table

    def block(self, box: Box | None) -> Block | None:
        """Return the voxels in `box` (None: all), or None if the slab does not meet it."""
        if box is None:
            k, j, i = (slice(0, n) for n in self.grid.shape_kji)
        else:
            k, j, i = self.grid.indices_of(box)
        if any(s.stop <= s.start for s in (k, j, i)):
            return None
        return Block(self, (k, j, i))

    def content(self, where: Slices, background: float) -> F32:
        """Return what fills the pleural spaces so far, to be written to; `background` before anything else did."""
        if self._content is None:
            self._content = np.full(self.grid.shape_kji, background, dtype=np.float32)
        return self._content[where]

    def field(self, name: str, where: Slices) -> F32:
        """Return a smooth field at the voxels of `where`."""
        if name not in _SHARED:
            return self._lattice.upsample(name, where)
        if name not in self._shared:
            k, j, i = self.grid.shape_kji
            self._shared[name] = self._lattice.upsample(name, (slice(0, k), slice(0, j), slice(0, i)))
        return self._shared[name][where]


def _blend(planes: F32, lower: npt.NDArray[np.intp], share: F32) -> F32:
    """Return slices between planes of nodes."""
    out = np.empty((len(lower), *planes.shape[1:]), dtype=np.float32)
    for n, part, target in zip(lower, share, out, strict=True):
        np.subtract(planes[n + 1], planes[n], out=target)
        target *= part
        target += planes[n]
    return out


def _coordinates(
    grid: Grid, positions: list[npt.NDArray[np.float64]] | list[npt.NDArray[np.int64]]
) -> tuple[F32, F32, F32]:
    """Return x, y, z at index positions (k, j, i), each broadcast over only those axes that it depends on."""
    k, j, i = (np.asarray(p, dtype=np.float64) for p in positions)
    out = []
    for row in grid.affine[:3]:
        total = np.full((1, 1, 1), row[3])
        for factor, axis in ((row[0], i[None, None, :]), (row[1], j[None, :, None]), (row[2], k[:, None, None])):
            # A coefficient that moves the point by less than a micrometre is rounding of the affine.
            if abs(factor) * max(axis.size, 1) > 1e-3:
                total = total + factor * axis
        out.append(total.astype(np.float32))
    return out[0], out[1], out[2]
