"""The label maps of a segmentation node on the voxels of a volume, layer by layer.

A layer is one label map shared by segments that do not overlap. Layers that lie on the volume's voxels are looked at
where they are, others are resampled by nearest neighbour.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import vtk

from ..imaging.grid import FloatArray, Grid
from ..imaging.masks import LabelArray, Slices
from .space import from_vtk, node_to_world, to_vtk
from .volume_nodes import voxels_of

LABELMAP = "Binary labelmap"
_SAME_VOXEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Label values `values` of the block `where` of the volume; `labels` and `sizes` (in voxels) by segment id."""

    values: npt.NDArray[Any]
    where: Slices
    labels: dict[str, int]
    sizes: dict[str, int]
    resampled: bool


def layers_of(node: Any, grid: Grid, wanted: set[str]) -> list[Layer]:
    """Return the layers that hold segments of `wanted`, each on the voxels of `grid`."""
    segmentation = _as_labelmaps(node, wanted)
    to_world = node_to_world(node)
    layers = []
    for number in range(segmentation.GetNumberOfLayers(LABELMAP)):
        ids = [s for s in segmentation.GetSegmentIDsForLayer(number, LABELMAP) if s in wanted]
        image = segmentation.GetLayerDataObject(number, LABELMAP)
        if not ids or image is None:
            continue
        labels = {s: int(segmentation.GetSegment(s).GetLabelValue()) for s in ids}
        if min(image.GetDimensions()) < 1:
            layers.append(
                Layer(np.zeros((0, 0, 0), np.uint8), (slice(0, 0),) * 3, labels, dict.fromkeys(ids, 0), False)
            )
            continue
        values, where, resampled = _on_grid(image, to_world, grid)
        layers.append(Layer(values, where, labels, _sizes(values, labels), resampled))
    return layers


def painted(layers: list[Layer], value_of: dict[str, int], shape_kji: tuple[int, int, int]) -> LabelArray:
    """Paint segments as the values `value_of` into one map, larger ones first, so that smaller ones stay whole."""
    out = np.zeros(shape_kji, dtype=np.uint8)
    if len(layers) == 1 and int(layers[0].values.max(initial=0)) < 2**16:
        layer = layers[0]
        lookup = np.zeros(2**16, dtype=np.uint8)
        for segment_id, label in layer.labels.items():
            lookup[label] = value_of[segment_id]
        for k, plane in enumerate(layer.values):  # slice by slice: an index array of the whole would be eight times it
            out[layer.where][k] = lookup[plane]
        return out
    order = sorted(((size, s, layer) for layer in layers for s, size in layer.sizes.items()), key=lambda x: -x[0])
    for _, segment_id, layer in order:
        out[layer.where][layer.values == layer.labels[segment_id]] = value_of[segment_id]
    return out


def _as_labelmaps(node: Any, wanted: set[str]) -> Any:
    """Return the node's segmentation, or for one of surfaces a converted copy: the node itself is left as it is."""
    segmentation = node.GetSegmentation()
    if segmentation.ContainsRepresentation(LABELMAP):
        return segmentation
    copy = slicer.vtkSegmentation()
    copy.SetSourceRepresentationName(segmentation.GetSourceRepresentationName())
    copy.CopyConversionParameters(segmentation)
    for segment_id in wanted:
        copy.CopySegmentFromSegmentation(segmentation, segment_id)
    copy.CreateRepresentation(LABELMAP)
    return copy


def _on_grid(image: Any, to_world: FloatArray, grid: Grid) -> tuple[npt.NDArray[Any], Slices, bool]:
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    to_grid = np.linalg.inv(grid.affine) @ to_world @ from_vtk(matrix)
    extent = np.array(image.GetExtent()).reshape(3, 2)
    turned = _turned(voxels_of(image), to_grid, extent)
    if turned is not None:
        return _cropped(*turned, grid)
    reference = slicer.vtkOrientedImageData()
    reference.SetDimensions(*grid.shape_kji[::-1])
    reference.SetImageToWorldMatrix(to_vtk(grid.affine))
    transform = vtk.vtkTransform()
    transform.SetMatrix(to_vtk(to_world))
    result = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, result, False, False, transform
    )
    return voxels_of(result), (slice(None), slice(None), slice(None)), True


def _turned(
    values: npt.NDArray[Any], to_grid: FloatArray, extent: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]] | None:
    """Return a view of the label map along the grid's axes and its start `(k, j, i)`, None if voxels do not coincide.

    `to_grid` maps image to grid indices. Axes may be swapped and counted backwards, as loading files brings about.
    """
    axes = np.rint(to_grid[:3, :3])
    if not ((np.abs(axes).sum(axis=0) == 1).all() and (np.abs(axes).sum(axis=1) == 1).all()):
        return None
    corners = np.array([[*corner, 1.0] for corner in itertools.product(*extent)])
    exact = np.eye(4)
    exact[:3, :3], exact[:3, 3] = axes, np.rint(to_grid[:3, 3])
    if np.abs(corners @ (to_grid - exact).T).max() > _SAME_VOXEL:
        return None
    source = np.abs(axes).argmax(axis=1)  # which image axis runs along each grid axis, both as i, j, k
    view = values.transpose([2 - int(source[b]) for b in (2, 1, 0)])
    view = view[tuple(slice(None, None, int(axes[b, source[b]])) for b in (2, 1, 0))]
    return view, (corners @ exact.T).min(axis=0)[2::-1].astype(int)


def _cropped(
    values: npt.NDArray[Any], start_kji: npt.NDArray[np.int64], grid: Grid
) -> tuple[npt.NDArray[Any], Slices, bool]:
    """Return the part of a label map, laid at `start_kji` of the grid, that lies inside the grid."""
    low = np.clip(start_kji, 0, grid.shape_kji)
    high = np.clip(start_kji + values.shape, low, grid.shape_kji)
    k, j, i = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    a, b, c = (slice(int(x), int(y)) for x, y in zip(low - start_kji, high - start_kji, strict=True))
    return values[a, b, c], (k, j, i), False


def _sizes(values: npt.NDArray[Any], labels: dict[str, int]) -> dict[str, int]:
    counts: dict[int, int] = {}
    for plane in values:
        for value, count in enumerate(np.bincount(plane.astype(np.int64).ravel())):
            counts[value] = counts.get(value, 0) + int(count)
    return {segment_id: counts.get(label, 0) for segment_id, label in labels.items()}
