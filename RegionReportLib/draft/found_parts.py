"""What a mask that was found by words consists of: connected parts with their size, region and side.

Region and side are those of the region masks of the scan; nothing is taken from the words here.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..grounding.places import SIDED_REGIONS
from ..imaging.masks import BoolArray, Slices
from ..measure.frame import point_in
from ..measure.lobes import LOBES
from ..measure.nodules import LEAST_MM3, longest_mm
from ..report.place import Place
from ..segment.voxtell import Cut
from .writer import Seen

# A nodule that the masks leave out of its lung is told by what lies right around it.
_AROUND_MM = 4.0
# What lies no further from the middle of the lungs can belong to either side.
_MIDDLE_MM = 15.0
# In the middle of the chest "right" is a word for a place, not for a half of the body.
_HALVES = ("lungs", "bones", "upper_abdomen")


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A connected part: its place, its size, and the patient's side that it lies on, None where none can be told."""

    place: Place
    volume_ml: float
    longest_mm: float
    side: Side | None


def parts_of(cut: Cut, seen: Seen) -> tuple[FoundPart, ...]:
    """Return the parts of a mask that lie in a region and can be measured, the largest first."""
    labelled = cc3d.connected_components(cut.mask, connectivity=26)
    found = []
    for number, block in enumerate(ndimage.find_objects(labelled), start=1):
        mask = np.asarray(labelled[block] == number)
        if mask.sum() * seen.volume.grid.voxel_ml * 1000.0 < LEAST_MM3:
            continue
        k, j, i = (slice(w.start + b.start, w.start + b.stop) for w, b in zip(cut.where, block, strict=True))
        one = _part(mask, (k, j, i), seen)
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: -one.volume_ml))


def _part(mask: BoolArray, where: Slices, seen: Seen) -> FoundPart | None:
    counts = _structures(mask, where, seen)
    by_region: dict[str, int] = {}
    for name, count in counts.items():
        region_id = anatomy.structure(name).region_id
        by_region[region_id] = by_region.get(region_id, 0) + count
    if not by_region:
        return None
    region_id = max(by_region, key=lambda one: by_region[one])
    own = {name: count for name, count in counts.items() if anatomy.structure(name).region_id == region_id}
    grid = seen.volume.grid.crop((where[0].start, where[1].start, where[2].start), mask.shape)
    point = point_in(grid, mask)
    side = _side(own) if region_id in SIDED_REGIONS else None
    lobe = next((name for name, count in own.items() if name in LOBES and 2 * count > by_region[region_id]), None)
    place = Place(region_id, grid.box, point, lobe, side)
    volume_ml = float(mask.sum()) * grid.voxel_ml
    return FoundPart(place, volume_ml, longest_mm(mask, grid), side or _half(place, seen))


def _structures(mask: BoolArray, where: Slices, seen: Seen) -> dict[str, int]:
    """Return how many voxels of each structure a mask covers; where it covers none, how many lie right around it."""
    inside = _counted(seen.masks.labels[where][mask], seen)
    if inside:
        return inside
    more = np.ceil(_AROUND_MM / np.array(seen.volume.grid.spacing_mm[::-1])).astype(int)
    k, j, i = (
        slice(max(w.start - m, 0), min(w.stop + m, n))
        for w, m, n in zip(where, more, seen.masks.labels.shape, strict=True)
    )
    return _counted(seen.masks.labels[k, j, i].ravel(), seen)


def _counted(labels: npt.NDArray[np.uint8], seen: Seen) -> dict[str, int]:
    counts = np.bincount(labels, minlength=256)
    return {name: int(counts[n]) for n, name in enumerate(seen.masks.structures, start=1) if counts[n]}


def _side(own: dict[str, int]) -> Side | None:
    """Return the side of most of the sided structures, None if they do not say."""
    shares = {side: sum(n for name, n in own.items() if anatomy.structure(name).side is side) for side in Side}
    right, left = shares[Side.RIGHT], shares[Side.LEFT]
    if max(right, left) < 2 * min(right, left) or right == left:
        return None
    return Side.RIGHT if right > left else Side.LEFT


def _half(place: Place, seen: Seen) -> Side | None:
    """Return the half of the body that a place clearly lies in, as seen from the two lungs."""
    lungs = {p.side: p.box for p in seen.places if (p.region_id, p.structure, p.zone) == ("lungs", None, None)}
    if place.region_id not in _HALVES or not {*Side} <= lungs.keys():
        return None
    middle = (lungs[Side.RIGHT].center_mm[0] + lungs[Side.LEFT].center_mm[0]) / 2
    off = place.point_mm[0] - middle
    if abs(off) <= _MIDDLE_MM:
        return None
    return Side.RIGHT if off > 0 else Side.LEFT
