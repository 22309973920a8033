"""Where the chest's contents end in front: the inner side of ribs and sternum, and the muscles at the inlet.

The hull of the lungs alone misses a heart that lies against the chest wall, and takes muscle behind the manubrium.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .spine import Spine
from .working import Mask, Working, axial_depth_mm, axial_hull, axially_grown, grown, opened, parts, smoothed

BONE_LEAST_HU = 150
BONE_REACH_MM = 35.0
"""The inner chest wall with its ribs is 15-25 mm thick: bones of shoulders and arms lie further from the lungs."""
RIB_STEP_MM = 10.0
"""Ribs are 15-25 mm apart and slant: within 10 mm above or below each point of the wall there is one."""
WALL_MM = 11.0
"""Ribs are 6-9 mm thick (Mohr et al., J Biomech 40:3085, 2007), the fascia and pleura inside them 2-3 mm."""
RECESS_MM = 100.0
"""The ribs around the recesses reach this far below the lungs."""
AHEAD_MM = 40.0
"""In front of the spine by this much begins the anterior chest wall."""
TOUCH_MM = 7.5
MUSCLE_HU = (-20.0, 110.0)
MUSCLE_HALF_MM = 5.0
"""Muscles behind manubrium and clavicles are thicker than twice this where they enter the hull of the lungs."""
MUSCLE_DEEP_MM = 25.0
"""How far from its edge."""


def inside_ribs(scan: Working, body: Mask, hull: Mask) -> Mask:
    """Return what lies inside ribs and sternum, from the top of the lungs' axial `hull` to `RECESS_MM` below it."""
    down = round(RECESS_MM / scan.spacing_mm)
    over = np.flip(np.flip(hull, 0).cumsum(axis=0, dtype=np.int32), 0)
    over[:-down] -= over[down:].copy() if down < len(over) else 0
    near = axially_grown(np.asarray(over > 0), BONE_REACH_MM, scan.spacing_mm)
    held: Mask = np.asarray((over > 0).any((1, 2)))
    dense = (scan.hu > BONE_LEAST_HU) & body & near & held[:, None, None]
    cage = axial_hull(_smeared(dense, scan.spacing_mm))
    return np.asarray(axial_depth_mm(cage, scan.spacing_mm) > WALL_MM)


def _smeared(bone: Mask, spacing_mm: float) -> Mask:
    """Return bone, smeared along the body's axis over the gaps between ribs."""
    reach = 2 * round(RIB_STEP_MM / spacing_mm) + 1
    return np.asarray(ndimage.maximum_filter1d(bone.astype(np.uint8), reach, axis=0) > 0)


def front_of(scan: Working, body: Mask, hull: Mask, lung: Mask, spine: Spine) -> Mask:
    """Return what lies before the hull of the lungs, inside ribs and sternum, where no lung reaches the wall."""
    edge = hull & ~np.roll(hull, -1, axis=1)
    bare: Mask = np.asarray((edge & ~grown(lung, TOUCH_MM, scan.spacing_mm)).any(axis=1))
    before = np.maximum.accumulate(edge, axis=1) & ~hull & bare[:, None, :]
    # Sternum and cartilages end it, wherever the hull of all bones runs.
    bone = _smeared((scan.hu > BONE_LEAST_HU) & body, scan.spacing_mm) & ~hull
    bone = ndimage.binary_dilation(bone, np.ones((1, 3, 3), bool))
    before &= ~np.maximum.accumulate(bone & before, axis=1)
    rows = np.arange(hull.shape[1])[None, :, None]
    ahead = rows > spine.front[:, None, None] + AHEAD_MM / scan.spacing_mm
    return np.asarray(before & ahead & inside_ribs(scan, body, hull))


def muscle_in(scan: Working, body: Mask, hull: Mask, lung: Mask, spine: Spine) -> Mask:
    """Return the muscle in front that enters the hull from the chest wall: as thick as a muscle, and going on outside.

    Vessels with contrast are denser; those without are kept by the caller.
    """
    mean = smoothed(np.clip(scan.hu, -150, 200), 1.0 * scan.spacing_mm, scan.spacing_mm)
    ahead = np.arange(hull.shape[1])[None, :, None] > spine.front[:, None, None] + 20.0 / scan.spacing_mm
    soft = (mean > MUSCLE_HU[0]) & (mean < MUSCLE_HU[1]) & body & ~lung & ahead
    muscle = opened(soft & (axial_depth_mm(hull, scan.spacing_mm) <= MUSCLE_DEEP_MM), MUSCLE_HALF_MM, scan.spacing_mm)
    labels, _ = parts(muscle)
    outside = np.unique(labels[muscle & ~grown(hull, 2 * MUSCLE_HALF_MM, scan.spacing_mm)])
    return np.asarray(np.isin(labels, outside[outside > 0]) & hull)
