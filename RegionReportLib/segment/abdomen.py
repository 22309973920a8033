"""The upper abdomen: what lies below the diaphragm inside the muscles of the trunk, as far as the scan goes down.

Bone, chest and abdominal wall and the muscles behind the kidneys are not part of it; a chest CT always cuts it.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .spine import Spine
from .thorax import Thorax, below
from .working import Mask, Working, axial_depth_mm, axial_hull, largest, opened, shrunk

FAT_MOST_HU = -30.0
WALL_MM = 14.0
"""Lateral abdominal wall muscles together, or ribs with their muscles, measure 15-25 mm, rectus 10 mm (Rankin, Stokes,
Newham, Muscle Nerve 34:320, 2006)."""

BACK_MM = 10.0
BACK_FROM_MM = 45.0
BACK_SLOPE = 0.6
"""Beside the spine the cavity ends at the level of the canal, lateral to the muscles of the back it reaches the ribs,
where the kidneys' lateral borders lie 20-30 mm behind it."""
SLIT_MM = 20.0
"""Ribs are 15-25 mm apart: what changes within that height and back again is their pattern, not the cavity."""
RIB_LEAST_HU = 150
RIB_STEP_MM = 10.0
RIB_MM = 11.0
"""Ribs are 6-9 mm thick (Mohr et al., J Biomech 40:3085, 2007), the pleura and diaphragm inside them 2-3 mm."""


def upper_abdomen(scan: Working, body: Mask, lung: Mask, thorax: Thorax, spine: Spine) -> Mask:
    """Return the abdominal cavity below the diaphragm."""
    under = below(thorax.floor, scan.hu.shape[0])
    cavity = _without_slits(_inside_wall(scan, body, under & ~lung), scan.spacing_mm) | thorax.hull
    mask = opened(under & ~lung & cavity & _before_back(scan, spine), 2 * scan.spacing_mm, scan.spacing_mm)
    return largest(mask) if mask.any() else mask


def _before_back(scan: Working, spine: Spine) -> Mask:
    """Return what lies in front of the vertebral bodies and of the muscles beside them, which slope backwards."""
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    beside = np.abs(np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * scan.spacing_mm
    slope = (BACK_MM + BACK_SLOPE * np.maximum(beside - BACK_FROM_MM, 0)) / scan.spacing_mm
    return np.asarray(rows > np.where(beside < 30.0, spine.front[:, None, None], spine.y[:, None, None] - slope))


def _without_slits(cavity: Mask, spacing_mm: float) -> Mask:
    """Close gaps of a few slices: slices in which the ribs' hull happens to end elsewhere than in its neighbours."""
    reach = 2 * round(SLIT_MM / 2 / spacing_mm) + 1
    padded = np.pad(cavity, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    return np.asarray(ndimage.binary_closing(padded, np.ones((reach, 1, 1), bool))[reach:-reach])


def _inside_wall(scan: Working, body: Mask, under: Mask) -> Mask:
    """Return what lies deeper than the wall under the outermost muscle; fat under the skin is outside.

    The muscles of the trunk form a convex ring; arms beside it are smaller and apart. `under` is what lies below the
    diaphragm: beside it the lungs' recesses are inside the ring too, so that depth is measured in the slice.
    """
    under_skin = shrunk(body, 5.0, scan.spacing_mm)
    muscle = opened((scan.hu > FAT_MOST_HU) & under_skin & under, scan.spacing_mm, scan.spacing_mm)
    if not muscle.any():
        return muscle
    ring = axial_hull(largest(muscle)) & body
    return np.asarray((axial_depth_mm(ring, scan.spacing_mm) > WALL_MM) & _inside_ribs(scan, ring))


def _inside_ribs(scan: Working, ring: Mask) -> Mask:
    """Return what is not lateral to or behind the ribs; True where no ribs surround the trunk."""
    dense = (scan.hu > RIB_LEAST_HU) & ring
    reach = 2 * round(RIB_STEP_MM / scan.spacing_mm) + 1
    smeared = ndimage.maximum_filter1d(dense.astype(np.uint8), reach, axis=0) > 0
    hull = axial_hull(smeared & ring)
    around = hull.sum((1, 2)) > 0.6 * np.maximum(ring.sum((1, 2)), 1)
    # In front of the ribs' ends the belly bulges past their hull: it is open to the front.
    hull = np.maximum.accumulate(hull, axis=1)
    inner = shrunk(np.pad(hull, ((0, 0), (1, 0), (1, 1))), RIB_MM, scan.spacing_mm)[:, 1:, 1:-1]
    return np.asarray(inner | ~around[:, None, None])
