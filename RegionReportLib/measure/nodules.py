"""Lung nodules that a segmenter has marked: how many, how large, in which lobe. None is searched for here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial.distance import pdist, squareform

from ..anatomy.regions import Side, region
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, Slices
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import point_in
from .lobes import LOBES
from .scan import Scan
from .shape import hull_points
from .subject import Subject

METHOD = "connected part of the segmenter's nodule mask of at least 14 mm³, a ball of 3 mm"
DIAMETER_METHOD = f"largest distance between two points in space of a {METHOD}"
# A smaller part of a mask is a few voxels, whose size says nothing; 3 mm is our choice.
LEAST_MM3 = 14.0
_SHELL_MM = 4.0

NODULE = "lung_nodule"
NODULES = Subject("lungs", structure=NODULE)


@dataclass(frozen=True, slots=True)
class Nodule:
    """One nodule: volume, longest diameter, its side, and its place, whose structure is the lobe if lobes are known."""

    volume_ml: float
    diameter_mm: float
    side: Side | None
    place: Place


def nodule_measurements(scan: Scan) -> list[Measurement]:
    """Write down count, longest diameter and volume of the nodules, largest first; nothing without a nodule mask.

    A mask that is there but empty is a count of 0. The reason of the count names who found them.
    """
    if NODULE not in scan.masks.structures:
        return []
    nodules = nodules_in(scan)
    by = f"found by {scan.masks.method}"
    place = nodules[0].place if nodules else None
    found = [NODULES.known("count", len(nodules), METHOD, place, by)]
    for n, nodule in enumerate(nodules, start=1):
        subject = replace(NODULES, side=nodule.side)
        for quantity, value, method in (
            ("longest_diameter", nodule.diameter_mm, DIAMETER_METHOD),
            ("volume", nodule.volume_ml, METHOD),
        ):
            one = subject.known(quantity, value, method, nodule.place, by)
            found.append(replace(one, id=f"{NODULES.id_of(quantity)}.{n}"))
    return found


def nodules_in(scan: Scan) -> list[Nodule]:
    """Return the nodules of the mask that are large enough to be measured, by diameter, largest first."""
    where = scan.bounds.get(NODULE)
    if where is None:
        return []
    parts = cc3d.connected_components(scan.masks.structure(NODULE, where), connectivity=26)
    found = []
    for n, block in enumerate(ndimage.find_objects(parts), start=1):
        mask = parts[block] == n
        if mask.sum() * scan.volume.grid.voxel_ml * 1000.0 >= LEAST_MM3:
            k, j, i = (slice(w.start + b.start, w.start + b.stop) for w, b in zip(where, block, strict=True))
            found.append(_nodule(scan, mask, (k, j, i)))
    return sorted(found, key=lambda one: -one.diameter_mm)


def _nodule(scan: Scan, mask: BoolArray, block: Slices) -> Nodule:
    grid = scan.volume.grid.crop((block[0].start, block[1].start, block[2].start), mask.shape)
    point = point_in(grid, mask)
    lobe, side = _where(scan, mask, block)
    place = Place("lungs", grid.box, point, lobe or NODULE, side)
    return Nodule(float(mask.sum()) * grid.voxel_ml, longest_mm(mask, grid), side, place)


def longest_mm(mask: BoolArray, grid: Grid) -> float:
    """Return the largest distance between two points of a mask on its own grid.

    Between the outermost voxel centres, and half a voxel more in that direction: a voxel belongs to a mask if its
    centre does, so that the surface lies on average a quarter of a voxel beyond at either end.
    """
    points = grid.to_ras(hull_points(np.argwhere(mask))[:, ::-1])
    if len(points) < 2:
        return float(min(grid.spacing_mm))
    gaps = squareform(pdist(points))
    a, b = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
    along = (points[b] - points[a]) / gaps[a, b]
    steps: npt.NDArray[np.float64] = grid.to_ijk(points[a] + along) - grid.to_ijk(points[a])
    return float(gaps[a, b]) + 0.5 / float(np.linalg.norm(steps))


def _where(scan: Scan, mask: BoolArray, block: Slices) -> tuple[str | None, Side | None]:
    """Return the lobe whose voxels surround a nodule most, and its side; without lobes the side by the lungs."""
    more = np.ceil(_SHELL_MM / np.array(scan.volume.grid.spacing_mm[::-1])).astype(int)
    k, j, i = (
        slice(max(b.start - m, 0), min(b.stop + m, n))
        for b, m, n in zip(block, more, scan.masks.labels.shape, strict=True)
    )
    counts = np.bincount(scan.masks.labels[k, j, i].ravel(), minlength=256)
    lungs = {s.id: s.side for s in region("lungs").structures if s.side is not None}
    around = {name: int(counts[n]) for n, name in enumerate(scan.masks.structures, start=1) if name in lungs}
    best = max(around, key=lambda name: around[name], default=None)
    if best is None or around[best] == 0:
        return None, None
    return (best if best in LOBES else None), lungs[best]
