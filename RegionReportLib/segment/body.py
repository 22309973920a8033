"""The patient's body in the scan: without table, clothes and the air around, with the air inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .working import AIR_MOST_HU, Mask, Working, axial_parts, grown, largest, shrunk

CORE_MM = 10.0
"""A table top, a blanket or a cable is thinner than twice this; the trunk, lungs included, is not."""


def body(scan: Working) -> Mask:
    """Return the mask of the largest solid thing in the scan, the air it encloses in axial slices included.

    Air that reaches the side of the scan counts as inside where the scan cuts the body: most of its voxels then see
    tissue in at least three of the four directions right, left, front and back.
    """
    air = (scan.hu < AIR_MOST_HU) | ~scan.held
    labels, number = axial_parts(air)
    solid = ~_outer(labels, number, air)[labels]
    core = largest(shrunk(solid, CORE_MM, scan.spacing_mm))
    # Back to the full outline: everything solid within reach of the core.
    reach = grown(core, CORE_MM + scan.spacing_mm, scan.spacing_mm)
    return np.asarray(solid & reach & scan.held)


def _outer(labels: npt.NDArray[Any], number: int, air: Mask) -> Mask:
    """Tell for each axial part of the air whether it lies outside the body."""
    at_edge = np.zeros(number + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        at_edge[np.unique(edge)] = True
    seen = np.zeros(labels.shape, np.uint8)
    tissue = ~air
    for axis in (1, 2):
        seen += np.maximum.accumulate(tissue, axis=axis)
        seen += np.flip(np.maximum.accumulate(np.flip(tissue, axis), axis=axis), axis)
    counts = np.bincount(labels.ravel(), minlength=number + 1)
    enclosed = np.bincount(labels.ravel(), weights=seen.ravel(), minlength=number + 1) / np.maximum(counts, 1)
    outer = at_edge & (enclosed < 2.5)
    outer[0] = False
    return np.asarray(outer)
