"""Shapes on the patient frame: opening, growing, components, longest diameter. Masks are `(k, j, i)` of 2 mm cubes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from ..imaging.masks import BoolArray
from .frame import STEP_MM, block_of


def ball(radius_mm: float) -> BoolArray:
    """Return the structuring element of all frame voxels within `radius_mm` of the centre."""
    reach = int(radius_mm // STEP_MM)
    axes = np.ogrid[-reach : reach + 1, -reach : reach + 1, -reach : reach + 1]
    return np.asarray(sum((STEP_MM * a) ** 2 for a in axes) <= radius_mm**2 + 1e-6)


def eroded(mask: BoolArray, radius_mm: float) -> BoolArray:
    """Return the points whose ball lies wholly in `mask`; outside the block counts as outside the mask."""
    return _in_its_block(mask, lambda part: ndimage.binary_erosion(part, ball(radius_mm)), 0.0)


def dilated(mask: BoolArray, radius_mm: float) -> BoolArray:
    """Return the points within `radius_mm` of `mask`."""
    return _in_its_block(mask, lambda part: ndimage.binary_dilation(part, ball(radius_mm)), radius_mm)


def opened(mask: BoolArray, radius_mm: float) -> BoolArray:
    """Return what of `mask` a ball of `radius_mm` can cover from inside: sheets, rims and thin vessels vanish."""
    return dilated(eroded(mask, radius_mm), radius_mm)


def _in_its_block(mask: BoolArray, change: Callable[[BoolArray], BoolArray], margin_mm: float) -> BoolArray:
    """Apply a change to the block around a mask, widened by what it may grow: findings are small in a large frame."""
    out = np.zeros_like(mask)
    block = block_of(mask)
    if block is not None:
        more = int(margin_mm // STEP_MM)
        where = tuple(slice(max(s.start - more, 0), s.stop + more) for s in block)
        out[where] = change(mask[where])
    return out


def components(mask: BoolArray) -> list[BoolArray]:
    """Return the face-connected parts of `mask`, largest first."""
    labels, count = cc3d.connected_components(mask, connectivity=6, return_N=True)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return [np.asarray(labels == n + 1) for n in np.argsort(-sizes, kind="stable")]


def touching(part: BoolArray, mask: BoolArray) -> BoolArray:
    """Return the components of `mask` that meet `part`."""
    labels = cc3d.connected_components(mask, connectivity=6)
    meet = np.unique(labels[part])
    return np.asarray(np.isin(labels, meet[meet > 0]))


def longest_diameter_mm(mask: BoolArray) -> float:
    """Return the largest distance between two points of `mask`, right to about one voxel of the frame.

    Measured between voxel centres: what these fall short of the surface, partial volume at the rim adds again.
    """
    points: npt.NDArray[np.float64] = np.argwhere(mask & ~np.asarray(ndimage.binary_erosion(mask))) * np.float64(
        STEP_MM
    )
    return float(pdist(hull_points(points)).max()) if len(points) > 1 else STEP_MM * len(points)


def hull_points(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return those of many points `(n, 3)` that the largest distance can lie between: the corners of their hull."""
    if len(points) < 500:
        return points
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:  # all points in one plane
        return points[:: max(1, len(points) // 2000)]
