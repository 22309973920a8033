"""Arrays turned so that their axes run to the patient's right, front and head, as VoxTell wants them, and back.

Axes are exchanged and flipped, no value is changed: an oblique scan stays oblique. VoxTell tells right from left by
the order of the voxels alone, so a scan handed over in another order would come back with its sides exchanged.
"""

from __future__ import annotations

from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt

from ..imaging.grid import Grid


def turned(values_kji: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Return `(k, j, i)` values of a grid as a view `(z, y, x)` whose axes run most to the head, front and right."""
    found: npt.NDArray[Any] = np.asarray(
        nibabel.orientations.apply_orientation(values_kji.transpose(2, 1, 0), _ways(grid))
    )
    return np.asarray(found.transpose(2, 1, 0))


def turned_back(values_zyx: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Return what `turned` gave, or a mask made of it, in the grid's own order `(k, j, i)`."""
    straight = np.array([[0, 1], [1, 1], [2, 1]])
    back = nibabel.orientations.ornt_transform(straight, _ways(grid))
    found = np.asarray(nibabel.orientations.apply_orientation(values_zyx.transpose(2, 1, 0), back))
    return np.asarray(found.transpose(2, 1, 0))


def _ways(grid: Grid) -> npt.NDArray[Any]:
    """Return for each axis i, j, k which axis of the patient it follows most, and whether forwards."""
    return np.asarray(nibabel.orientations.io_orientation(grid.affine))
