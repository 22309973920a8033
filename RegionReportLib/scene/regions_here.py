"""Which segments and regions lie under a point of the scene, read from the label maps: shown or hidden alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import vtk

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..report.canonical import parse
from .segmentation_nodes import LABELMAP, MASKS_ATTRIBUTE, STRUCTURES_ROLE
from .segmentation_reading import parts_of
from .space import from_vtk, ijk_to_world, moved, node_to_world


@dataclass(frozen=True, slots=True)
class Here:
    """A segment at a point: its region and side, and the structure as far as it is known."""

    segment_id: str
    region_id: str
    structure: str
    side: Side | None


def regions_at(node: Any, world_mm: npt.ArrayLike) -> tuple[Here, ...]:
    """Return the understood segments of a node that hold a point of the world, in the order of the segmentation.

    One voxel of each is read. Raises SceneProblem if the node lies under a non-linear transform.
    """
    in_node = moved(np.linalg.inv(node_to_world(node)), world_mm)
    found = []
    for part in parts_of(node):
        segment = node.GetSegmentation().GetSegment(part.segment_id)
        if _holds(segment, in_node):
            name = _kept_structure(node, world_mm, part.structures) or part.structures[0]
            structure = anatomy.structure(name)
            found.append(Here(part.segment_id, structure.region_id, name, structure.side))
    return tuple(found)


def _holds(segment: Any, in_node_mm: tuple[float, float, float]) -> bool:
    image = segment.GetRepresentation(LABELMAP)
    if image is None:
        return False
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return bool(_voxel(image, from_vtk(matrix), in_node_mm) == segment.GetLabelValue())


def _kept_structure(node: Any, world_mm: npt.ArrayLike, structures: tuple[str, ...]) -> str | None:
    kept = node.GetNodeReference(STRUCTURES_ROLE) if len(structures) > 1 else None
    if kept is None or kept.GetImageData() is None:
        return None
    value = _voxel(kept.GetImageData(), ijk_to_world(kept), world_mm)
    names = parse(node.GetAttribute(MASKS_ATTRIBUTE))["structures"]
    name = names[value - 1] if value is not None and 0 < value <= len(names) else None
    return name if name in structures else None


def _voxel(image: Any, ijk_to_mm: npt.NDArray[np.float64], point_mm: npt.ArrayLike) -> int | None:
    """Return the value of the voxel that holds a point, None outside the image."""
    i, j, k = np.floor(np.array(moved(np.linalg.inv(ijk_to_mm), point_mm)) + 0.5).astype(int)
    extent = image.GetExtent()
    inside = extent[0] <= i <= extent[1] and extent[2] <= j <= extent[3] and extent[4] <= k <= extent[5]
    return int(image.GetScalarComponentAsDouble(int(i), int(j), int(k), 0)) if inside else None
