"""Where a phantom lies in the scanner: from the standard patient to RAS millimetres, and the scan's own grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..imaging.grid import Grid
from .habitus import Habitus
from .recipe import Scan

Matrix = npt.NDArray[np.float64]
_DIRECTIONS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def rotation(degrees: tuple[float, float, float]) -> Matrix:
    """Return the 3×3 rotation about x, then y, then z."""
    out = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        turn = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        out = turn @ out
    return out


def pose_of(habitus: Habitus) -> Matrix:
    """Return the 4×4 matrix from standard patient to RAS: stretch, lie on the table, shift."""
    pose = np.eye(4)
    pose[:3, :3] = rotation(habitus.turn_deg) @ np.diag(habitus.scale)
    pose[:3, 3] = habitus.shift_mm
    return pose


def scan_grid(scan: Scan, habitus: Habitus, lowest_lung: float) -> Grid:
    """Return the grid of the scan, centred on the patient; `lowest_lung` is a height in the standard patient."""
    pose = pose_of(habitus)
    top = 110 * habitus.scale[2] + scan.above_mm
    bottom = lowest_lung * habitus.scale[2] - scan.below_mm
    slices = scan.slices if scan.slices is not None else max(8, int(np.ceil((top - bottom) / scan.step_mm)))
    step = (top - bottom) / slices if scan.fit else scan.step_mm
    fit = 2 * (135 + 28 + habitus.fat) * habitus.scale[0] + 24
    spacing = (scan.fov_mm if scan.fov_mm is not None else fit) / scan.rows
    middle = (pose @ np.array([0, -14 - 0.1 * habitus.fat, 0, 1]))[:3]
    middle[2] = top - slices * step / 2 if scan.slices is not None else (top + bottom) / 2
    axes = np.array([_DIRECTIONS[c] for c in scan.orientation], dtype=np.float64)
    upright = next(n for n in range(3) if scan.orientation[n] in "SI")
    steps = np.full(3, spacing)
    steps[upright] = step
    counts = np.full(3, scan.rows)
    counts[upright] = slices
    affine = np.eye(4)
    affine[:3, :3] = rotation(scan.tilt_deg) @ axes.T @ np.diag(steps)
    affine[:3, 3] = middle - affine[:3, :3] @ ((counts - 1) / 2)
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), affine)
