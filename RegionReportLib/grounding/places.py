"""The places of a scan that sentences and measurements can be tied to, computed once from the region masks.

After this no later step needs a mask: a click reads a box and a point. Which sentence belongs to which place is
decided in `anchors`, not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side, Zone
from ..imaging.box import Box, Point
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, RegionMasks, Slices, joined
from ..progress import Progress, Work
from ..report.place import Place

# Elsewhere the sided structures are few (a kidney, a vein), and "right upper abdomen" would be a kidney's box.
SIDED_REGIONS = ("lungs", "airways", "bones")

# Voxels that a distance transform may see: a point deep inside needs no finer look, and it keeps each under 10 ms.
POINT_VOXELS = 60_000
# In-plane samples of one lung for its zones; along the body axis every slice is kept.
ZONE_VOXELS = 800_000

_ZONES = (Zone.LOWER, Zone.MIDDLE, Zone.UPPER)


@dataclass(frozen=True, slots=True)
class _Sample:
    """A mask looked at on every `step_kji`-th voxel from `start_kji` on."""

    mask: BoolArray
    start_kji: tuple[int, int, int]
    step_kji: tuple[int, int, int]

    def ras(self, grid: Grid, index_kji: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the RAS points of sample indices `(n, 3)`."""
        ijk = (index_kji * self.step_kji + self.start_kji)[:, ::-1]
        return grid.to_ras(ijk)


def places_of(masks: RegionMasks) -> Work[tuple[Place, ...]]:
    """Compute all places that `masks` holds: regions, their sides, zones of each lung, and single structures.

    Report order, from the whole of a region to its parts. Boxes of regions, sides and structures enclose every voxel;
    a zone is a third of its own lung's height along the patient's axis, told by the RAS height of each voxel, so that
    an oblique scan has the same zones. Absent regions have no place. One pass over the map, then small samples only.
    """
    yield Progress(0.0, "places: extents")
    bounds = masks.bounds()
    places: list[Place] = []
    for number, region in enumerate(anatomy.regions()):
        yield Progress(0.3 + 0.7 * number / len(anatomy.regions()), f"places: {region.name.lower()}")
        present = {s.id: bounds[s.id] for s in region.structures if s.id in bounds}
        where = joined(present.values())
        if where is None:
            continue
        places.append(_place(masks, region.id, list(present), where))
        if region.id in SIDED_REGIONS:
            places.extend(_sides(masks, region, present))
        for name, block in present.items():
            side = anatomy.structure(name).side
            places.append(_place(masks, region.id, [name], block, structure=name, side=side))
    yield Progress(1.0, "places: done")
    return tuple(places)


def _sides(masks: RegionMasks, region: anatomy.Region, present: dict[str, Slices]) -> Iterator[Place]:
    for side in Side:
        names = [name for name in present if anatomy.structure(name).side is side]
        where = joined(present[name] for name in names)
        if where is None:
            continue
        yield _place(masks, region.id, names, where, side=side)
        if region.id == "lungs":
            yield from _zones(masks, side, names, where)


def _place(
    masks: RegionMasks,
    region_id: str,
    names: list[str],
    where: Slices,
    structure: str | None = None,
    side: Side | None = None,
) -> Place:
    sample = _sample(masks, names, where, _steps(where, POINT_VOXELS))
    if not sample.mask.any():  # a thin structure can slip between the samples
        sample = _sample(masks, names, where, (1, 1, 1))
    point = _deep_point(sample, masks.grid)
    return Place(region_id, masks.box(where), point, structure=structure, side=side)


def _zones(masks: RegionMasks, side: Side, names: list[str], where: Slices) -> Iterator[Place]:
    """Yield the zones of one lung that hold a voxel, upper zone first."""
    grid = masks.grid
    sample = _sample(masks, names, where, _steps(where, ZONE_VOXELS, keep=_axis_of_height(grid)))
    index = np.argwhere(sample.mask)
    if not len(index):
        return
    points = sample.ras(grid, index)
    edges = np.linspace(points[:, 2].min(), points[:, 2].max(), 4)
    third = np.clip(np.searchsorted(edges, points[:, 2], side="right") - 1, 0, 2)
    # A sample stands for the voxels up to the next one; half a voxel more reaches their edges.
    reach = np.abs(grid.affine[:3, :3]) @ (np.array(sample.step_kji[::-1]) - 0.5)
    lung = masks.box(where)
    for number in (2, 1, 0):
        inside = third == number
        if not inside.any():
            continue
        part = np.zeros_like(sample.mask)
        part[tuple(index[inside].T)] = True
        box = _zone_box(points[inside], reach, lung, (edges[number], edges[number + 1]))
        coarse = _thinned(_Sample(part, sample.start_kji, sample.step_kji))
        yield Place("lungs", box, _deep_point(coarse, grid), side=side, zone=_ZONES[number])


def _zone_box(
    points: npt.NDArray[np.float64], reach: npt.NDArray[np.float64], lung: Box, height_mm: tuple[float, float]
) -> Box:
    """Return the box around a zone's points, inside the lung's box and between the heights that divide the zones."""
    low = np.maximum(points.min(axis=0) - reach, lung.min_mm)
    high = np.minimum(points.max(axis=0) + reach, lung.max_mm)
    if points[:, 2].min() - reach[2] > lung.min_mm[2]:
        low[2] = min(max(low[2], height_mm[0]), points[:, 2].min())
    if points[:, 2].max() + reach[2] < lung.max_mm[2]:
        high[2] = max(min(high[2], height_mm[1]), points[:, 2].max())
    return Box.around([low, high])


def _deep_point(sample: _Sample, grid: Grid) -> Point:
    """Return a voxel centre well inside the mask: of its deepest half, the one nearest to the centroid."""
    spacing = np.array(grid.spacing_mm[::-1]) * sample.step_kji
    depth = ndimage.distance_transform_edt(np.pad(sample.mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    points = sample.ras(grid, np.argwhere(sample.mask))
    deep = sample.ras(grid, np.argwhere(depth >= 0.5 * depth.max()))
    nearest = np.argmin(((deep - points.mean(axis=0)) ** 2).sum(axis=1))
    x, y, z = deep[nearest]
    return float(x), float(y), float(z)


def _sample(masks: RegionMasks, names: list[str], where: Slices, step_kji: tuple[int, int, int]) -> _Sample:
    k, j, i = (slice(w.start, w.stop, step) for w, step in zip(where, step_kji, strict=True))
    lookup = np.zeros(256, dtype=bool)
    lookup[masks.values(names)] = True
    mask = lookup[masks.labels[k, j, i]]
    return _Sample(np.asarray(mask), (where[0].start, where[1].start, where[2].start), step_kji)


def _thinned(sample: _Sample) -> _Sample:
    """Return the sample on fewer voxels if it is larger than a distance transform should see, and still not empty."""
    shape = sample.mask.shape
    k, j, i = _steps((slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])), POINT_VOXELS)
    mask = sample.mask[::k, ::j, ::i]
    if not mask.any():
        return sample
    a, b, c = sample.step_kji
    return _Sample(mask, sample.start_kji, (a * k, b * j, c * i))


def _steps(where: Slices, voxels: int, keep: int | None = None) -> tuple[int, int, int]:
    """Return the strides that leave about `voxels` samples of a block, with stride 1 along the axis `keep`."""
    sizes = [w.stop - w.start for w in where]
    free = [a for a in range(3) if a != keep]
    excess = float(np.prod(sizes)) / voxels
    step = max(1, int(np.ceil(excess ** (1 / len(free)))))
    k, j, i = (step if a in free and sizes[a] > step else 1 for a in range(3))
    return k, j, i


def _axis_of_height(grid: Grid) -> int:
    """Return which array axis (0 = k, 1 = j, 2 = i) runs most along the body."""
    direction = np.abs(grid.affine[2, :3] / np.array(grid.spacing_mm))
    return 2 - int(np.argmax(direction))
