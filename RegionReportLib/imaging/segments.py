"""Which segments a label map is handed out as: whole regions (the lungs by side) or single structures.

One rule for every file that other programs open, so that their segments have the same ids, names and codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..anatomy import regions as anatomy
from ..anatomy.codes import Code
from .masks import RegionMasks, Slices, joined

Grouping: TypeAlias = Literal["region", "structure"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: the union of the label `values`, which lie within the `(k, j, i)` slices `where`.

    `code` names the body part or finding, `side` its side if it has one.
    """

    id: str
    name: str
    region: anatomy.Region
    code: Code
    side: anatomy.Side | None
    values: tuple[int, ...]
    where: Slices


def segments_of(
    masks: RegionMasks, grouping: Grouping = "region", bounds: dict[str, Slices] | None = None
) -> list[Segment]:
    """Return the segments that hold voxels, in the order of the report; `bounds` of the masks where known already.

    By region the lungs are `lung_right` and `lung_left`, and lung structures without a side keep their own segment.
    """
    bounds = masks.bounds() if bounds is None else bounds
    return _by_structure(masks, bounds) if grouping == "structure" else _by_region(masks, bounds)


def _by_structure(masks: RegionMasks, bounds: dict[str, Slices]) -> list[Segment]:
    return [
        _segment(structure.id, structure.name, (structure,), masks, bounds)
        for region in anatomy.regions()
        for structure in region.structures
        if structure.id in bounds
    ]


def _by_region(masks: RegionMasks, bounds: dict[str, Slices]) -> list[Segment]:
    segments = []
    for region in anatomy.regions():
        present = [s for s in region.structures if s.id in bounds]
        if region.id != "lungs":
            if present:
                segments.append(_segment(region.id, region.name, tuple(present), masks, bounds))
            continue
        for side in anatomy.Side:
            sided = tuple(s for s in present if s.side is side)
            if sided:
                segments.append(_segment(f"lung_{side.value}", f"{side.value} lung", sided, masks, bounds))
        segments += [_segment(s.id, s.name, (s,), masks, bounds) for s in present if s.side is None]
    return segments


def _segment(
    segment_id: str,
    name: str,
    parts: tuple[anatomy.Structure, ...],
    masks: RegionMasks,
    bounds: dict[str, Slices],
) -> Segment:
    region = anatomy.region(parts[0].region_id)
    whole = len(parts) > 1 or segment_id == region.id
    sides = {part.side for part in parts}
    where = joined(bounds[part.id] for part in parts)
    if where is None:
        raise ValueError(f"segment {segment_id} has no voxels")
    return Segment(
        id=segment_id,
        name=name[:1].upper() + name[1:],
        region=region,
        code=region.code if whole else parts[0].code,
        side=sides.pop() if len(sides) == 1 else None,
        values=tuple(masks.values(part.id for part in parts)),
        where=where,
    )
