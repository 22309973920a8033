"""Thousands of thin rods at once: vessels and bronchi of the lungs.

One rod covers few voxels, so painting them one by one would be all overhead: the voxels of many rods are looked at
together, as flat arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .slab import Slab
from .solids import F32

Array: TypeAlias = npt.NDArray[np.float64]
Index: TypeAlias = npt.NDArray[np.intp]
_CHUNK_VOXELS = 1_500_000


@dataclass(frozen=True, slots=True, eq=False)
class Rods:
    """Many thin cones `(n, 2, 3)` with radii `(n, 2)` that brighten their surroundings to `hu` (vessels, septa).

    Only voxels of `hosts` are touched; a rod thinner than a voxel is diluted by the area it fills. Rods darker than
    the background darken instead (air in bronchi); `within` keeps them to one lesion. `lesion` is their own number in
    the lesion map (0: none).
    """

    ends: Array
    radii: Array
    hu: float
    background: float
    hosts: tuple[str, ...]
    within: int = 0
    lesion: int = 0

    def paint(self, slab: Slab) -> None:
        """Blend all rods that meet the slab, the one that differs most winning."""
        table = slab.hosts(self.hosts) > 0
        labels, lesions, hu = slab.labels.reshape(-1), slab.lesions.reshape(-1), slab.hu.reshape(-1)
        rise = np.float32(self.hu - self.background)
        winner = np.maximum if rise > 0 else np.minimum
        thin = np.minimum(1.0, np.pi * (self.radii.mean(axis=1) / slab.voxel_mm) ** 2).astype(np.float32)
        for rod, k, j, i in self._voxels(slab):
            _, rows, columns = slab.grid.shape_kji
            at = (k * rows + j) * columns + i
            keep = table[labels[at]]
            if self.within:
                keep &= lesions[at] == self.within
            rod, at = rod[keep], at[keep]
            away = self._distance(slab, rod, (k[keep], j[keep], i[keep]))
            share = np.clip(np.float32(0.5) - away / slab.voxel_mm, 0, 1) * thin[rod]
            hit = share > 0
            winner.at(hu, at[hit], np.float32(self.background) + share[hit] * rise)
            if self.lesion:
                lesions[at[away < 0.25 * slab.voxel_mm]] = self.lesion

    def _voxels(self, slab: Slab) -> Iterator[tuple[Index, Index, Index, Index]]:
        """Yield rod numbers and voxel indices k, j, i of the boxes around the rods, some million at a time."""
        inverse = np.linalg.inv(slab.grid.affine[:3, :3])
        reach = self.radii.max(axis=1)[:, None] + float(slab.voxel_mm)
        middle = (self.ends.mean(axis=1) - slab.grid.affine[:3, 3]) @ inverse.T
        half = (np.abs(self.ends[:, 1] - self.ends[:, 0]) / 2 + reach) @ np.abs(inverse).T
        limit = np.array(slab.grid.shape_kji[::-1]) - 1
        low = np.maximum(np.ceil(middle - half), 0).astype(np.intp)
        size = np.minimum(np.floor(middle + half), limit).astype(np.intp) - low + 1
        counts = np.where((size > 0).all(axis=1), size.prod(axis=1), 0)
        chosen = np.flatnonzero(counts)
        parts = np.cumsum(counts[chosen]) // _CHUNK_VOXELS
        for part in np.unique(parts):
            rods = chosen[parts == part]
            rod = np.repeat(rods, counts[rods])
            starts = np.repeat(np.cumsum(counts[rods]) - counts[rods], counts[rods])
            rest, i = np.divmod(np.arange(len(rod)) - starts, size[rod, 0])
            k, j = np.divmod(rest, size[rod, 1])
            yield rod, k + low[rod, 2], j + low[rod, 1], i + low[rod, 0]

    def _distance(self, slab: Slab, rod: Index, at: tuple[Index, Index, Index]) -> F32:
        """Return the distance of voxels to the surface of their rods."""
        k, j, i = (index.astype(np.float32) for index in at)
        start = self.ends[:, 0].astype(np.float32)
        along = (self.ends[:, 1] - self.ends[:, 0]).astype(np.float32)
        length2 = np.maximum((along * along).sum(axis=1), 1e-6)
        rows = slab.grid.affine[:3].astype(np.float32)
        away = [row[0] * i + row[1] * j + row[2] * k + (row[3] - start[rod, n]) for n, row in enumerate(rows)]
        t = np.clip(sum(away[n] * along[rod, n] for n in range(3)) / length2[rod], 0, 1)
        far = np.sqrt(sum((away[n] - t * along[rod, n]) ** 2 for n in range(3)))
        first, last = self.radii.astype(np.float32).T
        return np.asarray(far - (first[rod] + t * (last - first)[rod]), dtype=np.float32)
