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
class Lattice:
    """Nodes along the three index axes of a grid and, per axis, the weights `(voxels, nodes)` of interpolation."""

    fields: Fields
    weights: tuple[F32, F32, F32]

    @classmethod
    def over(cls, grid: Grid, makers: Makers, step_mm: float = LATTICE_MM) -> Lattice:
        """Return the lattice whose nodes lie at most `step_mm` apart and span all voxels of `grid`."""
        positions, weights = [], []
        for count, spacing in zip(grid.shape_kji, grid.spacing_mm[::-1], strict=True):
            nodes = np.linspace(0, count - 1, max(2, int(np.ceil((count - 1) * spacing / step_mm)) + 1))
            nodes = nodes if count > 1 else np.zeros(1)
            gap = nodes[1] - nodes[0] if count > 1 else 1.0
            tent = 1 - np.abs(np.arange(count)[:, None] - nodes[None, :]) / gap
            positions.append(nodes)
            weights.append(np.maximum(tent, 0).astype(np.float32))
        x, y, z = (np.broadcast_to(c, tuple(len(p) for p in positions)).copy() for c in _coordinates(grid, positions))
        return cls(Fields(makers, x, y, z), (weights[0], weights[1], weights[2]))

    def upsample(self, name: str, where: Slices) -> F32:
        """Return a field at the voxels of `where`."""
        out = self.fields[name]
        matrices = []
        for axis, (weights, part) in enumerate(zip(self.weights, where, strict=True)):
            rows = weights[part]
            used = np.flatnonzero(rows.any(axis=0))
            nodes = slice(int(used[0]), int(used[-1]) + 1)
            matrices.append(rows[:, nodes])
            out = out[(slice(None),) * axis + (nodes,)]
        # In plane first: there are fewer planes of nodes than slices, and a slice is then a blend of two planes.
        planes = np.matmul(np.matmul(matrices[1], out), matrices[2].T)
        return _blend(planes, matrices[0])


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

    def __init__(self, grid: Grid, makers: Makers, structures: tuple[str, ...]) -> None:
        self.grid = grid
        self.hu = np.full(grid.shape_kji, -1000, dtype=np.float32)
        self.labels = np.zeros(grid.shape_kji, dtype=np.uint8)
        self.lesions = np.zeros(grid.shape_kji, dtype=np.uint8)
        self.voxel_mm = np.float32(grid.voxel_ml * 1000) ** np.float32(1 / 3)
        self._lattice = Lattice.over(grid, makers)
        self._codes = {name: n for n, name in enumerate(structures, start=1)}
        self._shared: dict[str, F32] = {}

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

    def field(self, name: str, where: Slices) -> F32:
        """Return a smooth field at the voxels of `where`."""
        if name not in _SHARED:
            return self._lattice.upsample(name, where)
        if name not in self._shared:
            k, j, i = self.grid.shape_kji
            self._shared[name] = self._lattice.upsample(name, (slice(0, k), slice(0, j), slice(0, i)))
        return self._shared[name][where]


def _blend(planes: F32, weights: F32) -> F32:
    """Return `weights @ planes` for rows that hold at most two neighbouring entries."""
    out = np.empty((len(weights), *planes.shape[1:]), dtype=np.float32)
    for row, target in zip(weights, out, strict=True):
        first = int(np.argmax(row))
        np.multiply(planes[first], row[first], out=target)
        for n in (first - 1, first + 1):
            if 0 <= n < len(row) and row[n] > 0:
                target += planes[n] * row[n]
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
