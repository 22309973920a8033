"""Surfaces of segments for the 3D views: made once, coarse enough to be turned on a computer without a graphics card.

The label map is averaged over blocks of about two millimetres and cut at one half, which smooths as much as it
shrinks; 3D Slicer's own conversion works on every voxel and takes seconds per organ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import vtk
from scipy import ndimage
from vtk.util.numpy_support import numpy_to_vtk

from ..imaging.grid import FloatArray
from ..progress import Progress, Work
from .space import from_vtk, to_vtk
from .volume_nodes import voxels_of

SURFACE = "Closed surface"
LABELMAP = "Binary labelmap"
BLOCK_MM = 2.0
"""Ribs and bronchi are 6 to 12 mm thick: three blocks across keep them whole."""


def missing_surfaces(node: Any) -> tuple[str, ...]:
    """Return the segments of a node that have a label map but no surface yet."""
    segmentation = node.GetSegmentation()
    held = [(s, segmentation.GetSegment(s)) for s in segmentation.GetSegmentIDs()]
    return tuple(s for s, segment in held if segment.GetRepresentation(SURFACE) is None and _image(segment))


def make_surfaces(node: Any) -> Work[None]:
    """Give each segment of a node its surface, one after the other; what has one already is left alone.

    Segments whose label map a reader changes lose their surface; 3D Slicer or the next call makes it anew.
    """
    ids = missing_surfaces(node)
    for number, segment_id in enumerate(ids):
        yield Progress(number / len(ids), "surfaces")
        segment = node.GetSegmentation().GetSegment(segment_id)
        if segment is not None:  # deleted between two steps
            segment.AddRepresentation(SURFACE, _surface(segment))
    if ids:
        segmentation = node.GetSegmentation()
        segmentation.InvokeEvent(segmentation.ContainedRepresentationNamesModified)
        display = node.GetDisplayNode()
        if display is not None:
            display.SetPreferredDisplayRepresentationName3D(SURFACE)
            display.Modified()
    yield Progress(1.0, "surfaces")


def _image(segment: Any) -> Any:
    image = segment.GetRepresentation(LABELMAP)
    return image if image is not None and min(image.GetDimensions()) > 0 else None


def _surface(segment: Any) -> Any:
    image = _image(segment)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    to_node = from_vtk(matrix)
    first_ijk = np.array(image.GetExtent()[::2])
    mask = voxels_of(image) == segment.GetLabelValue()
    found = ndimage.find_objects(mask.view(np.uint8))
    if not found or found[0] is None:
        return vtk.vtkPolyData()
    spacing = np.linalg.norm(to_node[:3, :3], axis=0)
    factor = np.maximum(1, (BLOCK_MM / spacing + 0.25).astype(int))
    share = _block_means(mask[found[0]], factor[::-1])
    block_to_index = np.eye(4)
    block_to_index[:3, :3] = np.diag(factor)
    start_ijk = np.array([s.start for s in found[0]])[::-1] + first_ijk
    # Block n, behind one block of padding, has its centre at voxel (n - 1) * factor + (factor - 1) / 2.
    block_to_index[:3, 3] = start_ijk - factor + (factor - 1) / 2
    return _contour(share, to_node @ block_to_index)


def _block_means(mask: npt.NDArray[np.bool_], factor_kji: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the share 0..1 of each block that is in the mask, with one empty block around."""
    means = mask.astype(np.float32)
    for axis, factor in enumerate(int(f) for f in factor_kji):
        if factor > 1:
            starts = np.arange(0, means.shape[axis], factor)
            means = np.add.reduceat(means, starts, axis=axis) / np.float32(factor)
    return np.pad(means, 1)


def _contour(share: npt.NDArray[np.float32], to_node: FloatArray) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(*share.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(share.ravel(), deep=True))
    # Without this blur a flat cut through blocks of 0 and 1 shows steps.
    smooth = vtk.vtkImageGaussianSmooth()
    smooth.SetInputData(image)
    smooth.SetStandardDeviations(0.6, 0.6, 0.6)
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputConnection(smooth.GetOutputPort())
    contour.SetValue(0, 0.4)
    contour.ComputeScalarsOff()
    contour.ComputeNormalsOff()
    transform = vtk.vtkTransform()
    transform.SetMatrix(to_vtk(to_node))
    placed = vtk.vtkTransformPolyDataFilter()
    placed.SetInputConnection(contour.GetOutputPort())
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
