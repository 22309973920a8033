"""Histograms of each lung on the scan's own voxels: volume and density need every voxel, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Side
from ..imaging.masks import BoolArray, joined
from ..progress import Progress, Work
from .frame import Frame
from .hemithorax import Hemithorax
from .scan import Scan

Heights: TypeAlias = npt.NDArray[np.float64]

_LOW_HU = -1024
_BINS = 4096
_SLAB = 24


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Voxel counts per HU from −1024 up; values beyond the ends count at the ends."""

    counts: npt.NDArray[np.int64]

    @property
    def total(self) -> int:
        """Number of voxels."""
        return int(self.counts.sum())

    @property
    def mean_hu(self) -> float:
        """Mean density; needs at least one voxel."""
        return float((self.counts * (_LOW_HU + np.arange(_BINS))).sum() / self.total)

    def percent_below(self, hu: int) -> float:
        """Return the share of voxels below a density, in percent."""
        return 100.0 * float(self.counts[: hu - _LOW_HU].sum()) / self.total

    def percentile_hu(self, percent: float) -> float:
        """Return the density below which `percent` of the voxels lie."""
        return float(_LOW_HU + np.searchsorted(np.cumsum(self.counts), percent / 100.0 * self.total))


def joint(parts: Iterable[Histogram]) -> Histogram:
    """Return the histogram of several lungs together."""
    return Histogram(np.sum([p.counts for p in parts], axis=0))


def lung_histograms(scan: Scan, halves: dict[Side, Hemithorax]) -> Work[dict[Side, Histogram]]:
    """Count each lung without its pleural fluid and free air, slab by slab."""
    sides = list(halves)
    lookup = np.zeros(256, dtype=np.uint8)
    for n, side in enumerate(sides, start=1):
        lookup[scan.masks.values(scan.sided(side))] = n
    where = joined(scan.bounds[name] for side in sides for name in scan.sided(side))
    counts = np.zeros((len(sides) + 1) * _BINS, dtype=np.int64)
    if where is not None:
        k, j, i = where
        for start in range(k.start, k.stop, _SLAB):
            rows = slice(start, min(start + _SLAB, k.stop))
            which = lookup[scan.masks.labels[rows, j, i]]
            inside = which > 0
            counts += counted(scan.volume.hu[rows, j, i][inside], which[inside], len(sides))
            yield Progress((start - k.start) / (k.stop - k.start), "lung density")
    tables = counts.reshape(-1, _BINS)[1:]
    return {side: Histogram(tables[n] - _excluded(scan, halves[side])) for n, side in enumerate(sides)}


def counted(hu: npt.NDArray[np.generic], which: npt.NDArray[np.uint8], sides: int) -> npt.NDArray[np.int64]:
    """Count densities by the number `which` 0..`sides` of each voxel; one run of bins after the other."""
    bins = np.clip(np.rint(hu) if hu.dtype.kind == "f" else hu, _LOW_HU, _LOW_HU + _BINS - 1).astype(np.int32)
    return np.bincount(bins - _LOW_HU + which.astype(np.int32) * _BINS, minlength=(sides + 1) * _BINS)


def voxels_in(scan: Scan, half: Hemithorax, mask: BoolArray) -> Iterator[tuple[npt.NDArray[Any], Heights]]:
    """Yield HU and RAS z of the side's own voxels whose centre lies in `mask` (on `half.part`), slab by slab."""
    found = np.argwhere(mask)
    if not len(found):
        return
    box = half.part.grid.box_of(found.min(axis=0), found.max(axis=0) + 1)
    k, j, i = scan.volume.grid.indices_of(box)
    values = scan.masks.values(scan.sided(half.side))
    for start in range(k.start, k.stop, _SLAB):
        rows = slice(start, min(start + _SLAB, k.stop))
        voxels = np.argwhere(np.isin(scan.masks.labels[rows, j, i], values)).astype(np.int32)
        voxels += (start, j.start, i.start)
        points = scan.volume.grid.to_ras(voxels[:, ::-1])
        inside = _in_frame(half.part, mask, points)
        yield scan.volume.hu[tuple(voxels[inside].T)], points[inside, 2]


def _excluded(scan: Scan, half: Hemithorax) -> npt.NDArray[np.int64]:
    """Count the voxels of a side that lie in its fluid or free air."""
    total = np.zeros(_BINS, dtype=np.int64)
    for hu, _ in voxels_in(scan, half, (half.fluid | half.air) & half.mask):
        total += counted(hu, np.zeros(len(hu), np.uint8), 0)
    return total


def _in_frame(part: Frame, mask: BoolArray, points_ras_mm: npt.NDArray[np.float64]) -> BoolArray:
    index = np.floor(part.grid.to_ijk(points_ras_mm) + 0.5).astype(np.int32)[:, ::-1]
    inside = ((index >= 0) & (index < mask.shape)).all(axis=1)
    index[~inside] = 0
    return np.asarray(mask[tuple(index.T)] & inside)
