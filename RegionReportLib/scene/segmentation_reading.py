"""Region masks from a segmentation node, ours or any other: which segment is what, and on which voxels of the volume.

Nothing is guessed silently: segments that are not understood are listed, and what does not lie on the volume's own
voxels is brought there by nearest neighbour or, where the two do not meet at all, refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import vtk

from ..anatomy import regions as anatomy
from ..anatomy.regions import Coverage
from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.masks import LabelArray, RegionMasks
from ..imaging.segment_names import structure_of_segment
from ..report.canonical import parse
from .layers import Layer, layers_of, painted
from .segmentation_nodes import (
    MASKS_ATTRIBUTE,
    STRUCTURES_ROLE,
    TAG_COVERAGE,
    TAG_METHOD,
    TAG_NOTE,
    TAG_STRUCTURES,
    TAG_TERMINOLOGY,
)
from .space import SceneProblem, ijk_to_world, same_place, shape_kji
from .volume_nodes import voxels_of

UNSTATED = "the segmentation does not state how much of the region the scan holds"
NOT_SEGMENTED = "the segmentation holds no segment of this region"


@dataclass(frozen=True, slots=True)
class Part:
    """A segment and the structures it holds, the one that its voxels belong to by default first."""

    segment_id: str
    structures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadMasks:
    """Masks on the volume's grid, the names of segments that were `not_understood`, and `notes` for the reader."""

    masks: RegionMasks
    not_understood: tuple[str, ...]
    notes: tuple[str, ...]


def masks_of(node: Any, volume_node: Any) -> ReadMasks:
    """Read the masks of a volume from a segmentation node.

    Segments are told by code, name or id; where two overlap the smaller one stays whole. Masks that were written here
    come back equal; where a reader changed a segment, changed voxels belong to the segment's main structure. Raises
    InputRefused if no segment is understood or none lies on the volume, SceneProblem under a non-linear transform.
    """
    about = _about(node)
    parts, strangers = _parts(node)
    if not parts and not about:
        raise InputRefused(f"the segmentation {node.GetName()} holds no segment whose name or code is known")
    grid = Grid(shape_kji(volume_node), ijk_to_world(volume_node))
    structures = tuple(dict.fromkeys([*about.get("structures", ()), *(s for p in parts for s in p.structures[:1])]))
    layers, notes = _placed(node, grid, parts)
    value_of = {p.segment_id: structures.index(p.structures[0]) + 1 for p in parts}
    labels = painted(layers, value_of, grid.shape_kji)
    if parts and not labels.any() and any(layer.sizes for layer in layers):
        raise InputRefused(f"the segmentation {node.GetName()} does not meet the volume {volume_node.GetName()}")
    notes += _refine(labels, node, grid, parts, structures)
    # A main structure that no voxel needs is not named: what was written here comes back as it was.
    structures = structures[: max(len(about.get("structures", ())), int(labels.max(initial=0)))]
    coverage, coverage_notes = _coverage(node, about, parts)
    method = about.get("method") or _tag_anywhere(node, TAG_METHOD) or f"segmentation {node.GetName()}"
    masks = RegionMasks(labels, grid, structures, method, coverage, coverage_notes)
    return ReadMasks(masks, strangers, tuple(notes))


def parts_of(node: Any) -> tuple[Part, ...]:
    """Return which segments of a node are understood, and as what."""
    return tuple(_parts(node)[0])


def _parts(node: Any) -> tuple[list[Part], tuple[str, ...]]:
    segmentation = node.GetSegmentation()
    parts, strangers = [], []
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        held = tuple(name for name in _tag(segment, TAG_STRUCTURES).split(",") if name in _known_structures())
        found = structure_of_segment(segment_id, segment.GetName() or "", _tag(segment, TAG_TERMINOLOGY))
        if len(held) == 1:
            parts.append(Part(segment_id, held))
        elif found is not None:
            parts.append(Part(segment_id, tuple(dict.fromkeys((found.id, *held)))))
        else:
            strangers.append(segment.GetName() or segment_id)
    return parts, tuple(strangers)


def _known_structures() -> set[str]:
    return {s.id for r in anatomy.regions() for s in r.structures}


def _placed(node: Any, grid: Grid, parts: list[Part]) -> tuple[list[Layer], list[str]]:
    wanted = {part.segment_id for part in parts}
    layers = layers_of(node, grid, wanted)
    notes = []
    if any(layer.resampled for layer in layers):
        notes.append(f"The segmentation {node.GetName()} was brought onto the voxels of the scan (nearest neighbour).")
    outside = [segment_id for layer in layers for segment_id, size in layer.sizes.items() if size == 0]
    if outside:
        notes.append(f"Empty or outside the scan: {', '.join(sorted(outside))}.")
    return layers, notes


def _refine(labels: LabelArray, node: Any, grid: Grid, parts: list[Part], structures: tuple[str, ...]) -> list[str]:
    """Put the kept structures back, in place, where each still lies in the segment that it came from."""
    joined = [part for part in parts if len(part.structures) > 1]
    if not joined:
        return []
    kept = node.GetNodeReference(STRUCTURES_ROLE)
    names = _about(node).get("structures", ())
    if kept is None or not names or not _fits(kept, grid):
        return ["Single structures inside the regions are no longer known; the regions themselves are."]
    home = np.zeros(256, dtype=np.uint8)
    for part in joined:
        for name in part.structures:
            if name in names:
                home[names.index(name) + 1] = structures.index(part.structures[0]) + 1
    fine = voxels_of(kept.GetImageData())
    for k in range(len(labels)):
        same = (home[fine[k]] == labels[k]) & (labels[k] > 0)
        labels[k][same] = fine[k][same]
    return []


def _fits(kept: Any, grid: Grid) -> bool:
    try:
        return shape_kji(kept) == grid.shape_kji and same_place(ijk_to_world(kept), grid.affine, grid.shape_kji)
    except SceneProblem:
        return False


def _about(node: Any) -> dict[str, Any]:
    text = node.GetAttribute(MASKS_ATTRIBUTE)
    value = parse(text) if text else {}
    return value if isinstance(value, dict) else {}


def _coverage(node: Any, about: dict[str, Any], parts: list[Part]) -> tuple[dict[str, Coverage], dict[str, str]]:
    stated = about.get("coverage", {})
    if set(stated) == set(anatomy.REGION_IDS):
        return {region: Coverage(c) for region, c in stated.items()}, dict(about.get("coverage_notes", {}))
    coverage = dict.fromkeys(anatomy.REGION_IDS, Coverage.ABSENT)
    notes = dict.fromkeys(anatomy.REGION_IDS, NOT_SEGMENTED)
    for part in parts:
        segment = node.GetSegmentation().GetSegment(part.segment_id)
        region_id = anatomy.structure(part.structures[0]).region_id
        text = _tag(segment, TAG_COVERAGE)
        known = text in {c.value for c in Coverage}
        coverage[region_id] = Coverage(text) if known else Coverage.PARTIAL
        notes[region_id] = _tag(segment, TAG_NOTE) if known else UNSTATED
    return coverage, {region: note for region, note in notes.items() if note}


def _tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def _tag_anywhere(node: Any, name: str) -> str:
    segmentation = node.GetSegmentation()
    texts = (_tag(segmentation.GetSegment(s), name) for s in segmentation.GetSegmentIDs())
    return next((text for text in texts if text), "")
