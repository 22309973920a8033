"""Region masks as a segmentation node: few segments with our own ids, in one layer of memory.

A region is one segment (the lungs one per side), because a hundred segments make each slice slow to draw. Where a
segment joins several structures, a hidden label map beside the segmentation keeps them apart, so that masks come back
as they were; it is saved with the scene. Reading is done in `segmentation_reading`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import vtk

from ..errors import Conflict
from ..imaging.masks import RegionMasks
from ..imaging.segment_names import terminology_entry
from ..imaging.segments import Segment, segments_of
from ..progress import Progress, Work, finish, part
from ..report.canonical import canonical
from .nodes import batch, remove
from .space import SceneProblem, ijk_to_node, ijk_to_world, same_place, shape_kji, to_vtk
from .volume_nodes import voxels_of

MASKS_ATTRIBUTE = "RegionReport.masks"
"""Marks a segmentation node as ours; holds structures, method and coverage as JSON."""
STRUCTURES_ROLE = "RegionReport.structures"
"""Node reference from our segmentation to the hidden label map of structures."""
TAG_STRUCTURES = "RegionReport.structures"
TAG_COVERAGE = "RegionReport.coverage"
TAG_NOTE = "RegionReport.coverage_note"
TAG_METHOD = "RegionReport.method"
TAG_TERMINOLOGY = "TerminologyEntry"
LABELMAP = "Binary labelmap"
RESTING_FILL = 0.2
"""2D fill of a segment that nobody points at; the node's own 0.5 comes on top, so that the CT stays readable."""
RESTING_SURFACE = {"lungs": 0.25, "bones": 0.5, "upper_abdomen": 0.6}
"""3D opacity of the regions that would hide what lies inside or behind them."""


def masks_to_node(scene: Any, volume_node: Any, masks: RegionMasks, into: Any = None) -> Any:
    """Show masks of a volume node as a segmentation node and return it: a new one, or `into` if that is ours.

    It follows the volume's transform. Raises ValueError if the masks lie on another grid than the volume, Conflict
    if `into` was not made here: what a reader or another program drew is never overwritten.
    """
    return finish(masks_to_node_by_steps(scene, volume_node, masks, into))


def masks_to_node_by_steps(scene: Any, volume_node: Any, masks: RegionMasks, into: Any = None) -> Work[Any]:
    """Do what `masks_to_node` does, between two events of an application; the scene is touched in the last step."""
    size = shape_kji(volume_node)
    if masks.grid.shape_kji != size or not same_place(masks.grid.affine, ijk_to_world(volume_node), size):
        raise ValueError(f"the masks lie on another grid than {volume_node.GetName()}")
    if into is not None and into.GetAttribute(MASKS_ATTRIBUTE) is None:
        raise Conflict(f"the segmentation {into.GetName()} was not made by RegionReport and is not overwritten")
    bounds = yield from part(masks.bounds_by_slab(), 0.0, 0.4)
    segments = segments_of(masks, bounds=bounds)
    lookup = np.zeros(256, dtype=np.uint8)
    for value, segment in enumerate(segments, start=1):
        lookup[list(segment.values)] = value
    image = yield from part(_image(masks, lookup), 0.4, 0.8)
    joint = any(len(segment.values) > 1 for segment in segments)  # else the tags tell which structure it is
    structures = (yield from part(_image(masks, None), 0.8, 1.0)) if joint else None
    if volume_node.GetScene() is None:
        raise SceneProblem(f"{volume_node.GetName()} was removed from the scene meanwhile; its regions are not shown.")
    node = into or scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{volume_node.GetName()} regions")
    node.SetAttribute(MASKS_ATTRIBUTE, _about(masks))
    node.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    with batch(scene):
        image.SetImageToWorldMatrix(to_vtk(ijk_to_node(volume_node)))
        _fill(node, masks, segments, image)
    _keep_structures(scene, node, volume_node, structures)
    if into is None:
        _dress(node, segments)
        _file_beside(scene, node, volume_node)
    return node


def is_ours(node: Any) -> bool:
    """Tell whether a segmentation node was made here."""
    return node.GetAttribute(MASKS_ATTRIBUTE) is not None


def remove_masks(scene: Any, node: Any) -> None:
    """Remove a segmentation node of ours and its hidden label map; Conflict for another's."""
    if not is_ours(node):
        raise Conflict(f"the segmentation {node.GetName()} was not made by RegionReport and is not removed")
    remove(scene, node.GetNodeReference(STRUCTURES_ROLE))
    remove(scene, node)


def _image(masks: RegionMasks, lookup: npt.NDArray[np.uint8] | None) -> Work[Any]:
    """Return the labels as an image of VTK, translated by `lookup` if given."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*masks.grid.shape_kji[::-1])
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    voxels = voxels_of(image)
    for k, plane in enumerate(masks.labels):  # slice by slice: numpy turns indices into eight bytes each
        voxels[k] = plane if lookup is None else lookup[plane]
        yield Progress(k / len(masks.labels), "showing the regions")
    return image


def _fill(node: Any, masks: RegionMasks, segments: list[Segment], image: Any) -> None:
    segmentation = node.GetSegmentation()
    segmentation.RemoveAllSegments()
    segmentation.SetSourceRepresentationName(LABELMAP)
    for value, segment in enumerate(segments, start=1):
        made = slicer.vtkSegment()
        made.SetName(segment.name)
        made.SetColor(*(c / 255 for c in segment.region.color_rgb))
        made.SetLabelValue(value)
        for tag, text in _tags(masks, segment).items():
            made.SetTag(tag, text)
        made.AddRepresentation(LABELMAP, image)
        segmentation.AddSegment(made, segment.id)


def _tags(masks: RegionMasks, segment: Segment) -> dict[str, str]:
    # A bar would end the tag when 3D Slicer reads it again.
    tags = {
        TAG_TERMINOLOGY: terminology_entry(segment),
        TAG_STRUCTURES: ",".join(masks.structures[value - 1] for value in segment.values),
        TAG_COVERAGE: masks.coverage[segment.region.id].value,
        TAG_NOTE: masks.coverage_notes.get(segment.region.id, ""),
        TAG_METHOD: masks.method,
    }
    return {tag: " ".join(text.replace("|", "/").split()) for tag, text in tags.items() if text}


def _keep_structures(scene: Any, node: Any, volume_node: Any, structures: Any) -> None:
    remove(scene, node.GetNodeReference(STRUCTURES_ROLE))
    if structures is None:
        return
    image = vtk.vtkImageData()  # its place is said by the node
    image.ShallowCopy(structures)
    kept = scene.CreateNodeByClass("vtkMRMLLabelMapVolumeNode")
    kept.UnRegister(None)
    kept.SetName(f"{node.GetName()} structures")
    kept.SetHideFromEditors(True)
    kept.SetIJKToRASMatrix(to_vtk(ijk_to_node(volume_node)))
    kept.SetAndObserveImageData(image)
    scene.AddNode(kept)
    kept.SetAndObserveTransformNodeID(volume_node.GetTransformNodeID())
    node.SetNodeReferenceID(STRUCTURES_ROLE, kept.GetID())


def _about(masks: RegionMasks) -> str:
    value = {
        "structures": list(masks.structures),
        "method": masks.method,
        "coverage": {region: coverage.value for region, coverage in masks.coverage.items()},
        "coverage_notes": dict(masks.coverage_notes),
    }
    return canonical(value).decode("utf-8")


def _dress(node: Any, segments: list[Segment]) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    before = display.StartModify()
    for segment in segments:
        display.SetSegmentOpacity2DFill(segment.id, RESTING_FILL)
        display.SetSegmentOpacity3D(segment.id, RESTING_SURFACE.get(segment.region.id, 1.0))
    display.EndModify(before)


def _file_beside(scene: Any, node: Any, volume_node: Any) -> None:
    """Put the segmentation into the study of its volume, where DICOM export looks for it."""
    hierarchy = scene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return
    item, volume_item = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(volume_node)
    if item and volume_item:
        hierarchy.SetItemParent(item, hierarchy.GetItemParent(volume_item))
