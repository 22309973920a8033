"""Surfaces of segments for the 3D views: made once, coarse enough to be turned on a computer without a graphics card.

The label map is sampled about every three millimetres, blurred and cut; 3D Slicer's own conversion works on every voxel
and takes seconds per organ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import vtk
from scipy import ndimage
from vtk.util.numpy_support import numpy_to_vtk

from ..imaging.grid import FloatArray
from ..progress import Progress, Work, part
from .nodes import batch
from .space import from_vtk, to_vtk
from .volume_nodes import voxels_of

SURFACE = "Closed surface"
LABELMAP = "Binary labelmap"
STEP_MM = 3.0
"""Ribs and bronchi are 6 to 12 mm thick: two to four samples across keep them whole, at half a million triangles."""
_BLUR = 0.8
_MARGIN = 2
_STAGE = "surfaces"
_LEVEL = 0.4  # below one half, since the blur takes more from convex and thin parts than it gives


def missing_surfaces(node: Any) -> tuple[str, ...]:
    """Return the segments of a node that have a label map but no surface yet."""
    segmentation = node.GetSegmentation()
    held = [(s, segmentation.GetSegment(s)) for s in segmentation.GetSegmentIDs()]
    return tuple(s for s, segment in held if segment.GetRepresentation(SURFACE) is None and _image(segment))


def make_surfaces(node: Any) -> Work[None]:
    """Give each segment of a node its surface; what has one already is left alone.

    The views learn of all surfaces at once at the end. Segments whose label map a reader changes lose their surface;
    3D Slicer or the next call makes it anew.
    """
    ids = missing_surfaces(node)
    sampled: dict[int, _Sampled] = {}  # segments of one layer share their label map
    surfaces: dict[str, Any] = {}
    for number, segment_id in enumerate(ids):
        yield Progress(number / len(ids), _STAGE)
        segment = node.GetSegmentation().GetSegment(segment_id)
        image = None if segment is None else _image(segment)  # a segment may go between two steps
        if image is not None:
            if id(image) not in sampled:
                sampled[id(image)] = _Sampled.of(image)
                yield Progress(number / len(ids), _STAGE)
            label = segment.GetLabelValue()
            surfaces[segment_id] = yield from part(sampled[id(image)].surface(label), *_share(number, len(ids)))
    _add(node, surfaces)
    yield Progress(1.0, _STAGE)


def _share(number: int, of: int) -> tuple[float, float]:
    return number / of, (number + 1) / of


def _add(node: Any, surfaces: dict[str, Any]) -> None:
    segmentation, scene, display = node.GetSegmentation(), node.GetScene(), node.GetDisplayNode()
    if not surfaces or scene is None:
        return
    with batch(scene):
        for segment_id, surface in surfaces.items():
            segment = segmentation.GetSegment(segment_id)
            if segment is not None:
                segment.AddRepresentation(SURFACE, surface)
        segmentation.InvokeEvent(segmentation.ContainedRepresentationNamesModified)
        if display is not None:
            display.SetPreferredDisplayRepresentationName3D(SURFACE)


def _image(segment: Any) -> Any:
    image = segment.GetRepresentation(LABELMAP)
    return image if image is not None and min(image.GetDimensions()) > 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """Every few voxels of a label map, and the matrix from sample indices `(i, j, k)` to the node's millimetres."""

    labels: npt.NDArray[Any]
    to_node: FloatArray
    image: Any  # kept, so that no other image gets its id meanwhile

    @classmethod
    def of(cls, image: Any) -> _Sampled:
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        to_node = from_vtk(matrix)
        step = np.maximum(1, (STEP_MM / np.linalg.norm(to_node[:3, :3], axis=0) + 0.25).astype(int))
        size = np.array(image.GetDimensions())
        first = np.minimum(step // 2, size - 1)
        i, j, k = (slice(int(f), None, int(n)) for f, n in zip(first, step, strict=True))
        to_index = np.eye(4)
        to_index[:3, :3] = np.diag(step)
        to_index[:3, 3] = first + image.GetExtent()[::2]
        return cls(np.ascontiguousarray(voxels_of(image)[k, j, i]), to_node @ to_index, image)

    def surface(self, label: int) -> Work[Any]:
        """Return the surface around one label, empty if no sample has it; in steps, for bones have many triangles."""
        found = ndimage.find_objects((self.labels == label).view(np.uint8))
        if not found:
            return vtk.vtkPolyData()
        mask = np.pad(self.labels[found[0]] == label, _MARGIN).astype(np.float32)
        shift = np.eye(4)
        shift[:3, 3] = np.array([s.start for s in found[0]])[::-1] - _MARGIN
        blurred = ndimage.gaussian_filter(mask, _BLUR, truncate=2.5)
        yield Progress(0.2, _STAGE)
        surface = _contour(blurred)
        yield Progress(0.4, _STAGE)
        surface = _smoothed(surface)
        yield Progress(0.7, _STAGE)
        return _placed(surface, self.to_node @ shift)


def _contour(share: npt.NDArray[np.float32]) -> Any:
    """Return the surface in indices of the samples."""
    image = vtk.vtkImageData()
    image.SetDimensions(*share.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(share.ravel(), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, _LEVEL)
    contour.ComputeScalarsOff()
    contour.ComputeNormalsOff()
    contour.Update()
    return contour.GetOutput()


def _smoothed(surface: Any) -> Any:
    """Take the terraces of thick slices away, not the volume."""
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputData(surface)
    smooth.SetNumberOfIterations(12)
    smooth.SetPassBand(0.08)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.NormalizeCoordinatesOn()
    smooth.Update()
    return smooth.GetOutput()


def _placed(surface: Any, to_node: FloatArray) -> Any:
    """Bring a surface to the node's millimetres and give it normals to be lit by."""
    transform = vtk.vtkTransform()
    transform.SetMatrix(to_vtk(to_node))
    placed = vtk.vtkTransformPolyDataFilter()
    placed.SetInputData(surface)
    placed.SetTransform(transform)
    source = placed
    if np.linalg.det(to_node[:3, :3]) < 0:  # a mirrored grid turns triangles inside out
        source = vtk.vtkReverseSense()
        source.SetInputConnection(placed.GetOutputPort())
        source.ReverseCellsOn()
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(source.GetOutputPort())
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    result = vtk.vtkPolyData()
    result.ShallowCopy(normals.GetOutput())
    return result
