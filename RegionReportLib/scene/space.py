"""Where nodes lie: 4×4 matrices between voxels, the node's own space and the world of the scene, in RAS millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import vtk

from ..errors import RegionReportError
from ..imaging.grid import FloatArray


class SceneProblem(RegionReportError):
    """The scene is no longer as it has to be, for example a node was deleted; the message says what and what to do."""


def from_vtk(matrix: Any) -> FloatArray:
    """Return a vtkMatrix4x4 as an array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def to_vtk(matrix: npt.ArrayLike) -> Any:
    """Return a 4×4 array as a vtkMatrix4x4."""
    result = vtk.vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=np.float64).ravel().tolist())
    return result


def ijk_to_node(volume_node: Any) -> FloatArray:
    """Return the matrix from a volume's voxels to its node's own space, its transform left out."""
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return from_vtk(matrix)


def node_to_world(node: Any) -> FloatArray:
    """Return the linear transform that a node lies under, identity without one; SceneProblem if it is not linear."""
    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    if not parent.IsTransformToWorldLinear():
        raise SceneProblem(
            f"{node.GetName()} lies under the non-linear transform {parent.GetName()}: harden it into the volume first"
        )
    matrix = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(matrix)
    return from_vtk(matrix)


def ijk_to_world(volume_node: Any) -> FloatArray:
    """Return the matrix from a volume's voxels to the world, its transform included."""
    return np.asarray(node_to_world(volume_node) @ ijk_to_node(volume_node))


def shape_kji(volume_node: Any) -> tuple[int, int, int]:
    """Return the size of a volume from its header alone; SceneProblem if it holds no image."""
    image = volume_node.GetImageData()
    if image is None:
        raise SceneProblem(f"{volume_node.GetName()} holds no image")
    i, j, k = image.GetDimensions()
    return k, j, i


def as_stored(now: FloatArray, report: FloatArray, size_kji: tuple[int, int, int]) -> FloatArray:
    """Return `now` for voxels counted as in `report`: with k counted backwards if only one of the two is mirrored.

    3D Slicer turns the slice order of left-handed images when it loads them, so that the same voxels have another k.
    """
    if np.linalg.det(now[:3, :3]) * np.linalg.det(report[:3, :3]) > 0:
        return now
    backwards = np.diag((1.0, 1.0, -1.0, 1.0))
    backwards[2, 3] = size_kji[0] - 1
    return np.asarray(now @ backwards)


def moved(matrix: npt.ArrayLike, point: npt.ArrayLike) -> tuple[float, float, float]:
    """Return a point moved by a 4×4 matrix."""
    x, y, z = (np.asarray(matrix) @ (*np.asarray(point, dtype=np.float64), 1.0))[:3]
    return float(x), float(y), float(z)


def same_place(a: FloatArray, b: FloatArray, size_kji: tuple[int, int, int], voxels: float = 0.05) -> bool:
    """Tell whether two voxel-to-millimetre matrices put every corner of a grid at the same place, to `voxels`."""
    k, j, i = size_kji
    corners = np.array([[x, y, z, 1] for x in (0, i - 1) for y in (0, j - 1) for z in (0, k - 1)], dtype=np.float64)
    apart = np.linalg.norm((corners @ (a - b).T)[:, :3], axis=1).max()
    return bool(apart <= voxels * np.linalg.norm(a[:3, :3], axis=0).min())
