"""The frame of the chest: the hull around both lungs, the diaphragm, and the space between the lungs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .cage import front_of, muscle_in
from .lungs import Lungs
from .spine import Spine, mirrored, vertebral_bodies
from .working import Field, Mask, Working, axial_hull, grown, opened, smoothed

STEEPEST = 2.0
"""The diaphragm rises at most this many times as fast as it runs inwards; the side of the heart is steeper."""

RIGHT_HEART_MM = 50.0
"""The right atrium reaches 30-45 mm to the right of the midline, a third of the usual heart width."""
APEX_MM = 10.0
INLET_SLOPE = 0.5
"""The inlet falls by 25-40 mm over its depth of 50-60 mm from T1 to the notch, and the lungs' apices reach up to the
neck of the first rib, a little above its back edge (Gray's Anatomy, thoracic inlet)."""
CLAVICLE_MM = 15.0
"""The clavicles' ends rise this far above the jugular notch."""
NECK_HALF_WIDTH_MM = 45.0
"""Thyroid, carotid arteries and jugular veins lie medial of this, first ribs and coracoids lateral or behind."""
NECK_AHEAD_MM = (4.0, 60.0)
"""Rims of the vertebral bodies reach as far as the first in front of the line of their fronts; beyond the second, where
the plane of the inlet may cut it, lies the sternum."""
PARAVERTEBRAL_MM = 10.0
MIDDLE_MM = 40.0
"""Vertebrae, sternum and what lies between the lungs beside them; lateral of it are ribs."""
RIB_HEAD_MM = 14.0
"""How far ribs' heads reach in front of the canal's centre."""
LATERAL_MM = 80.0
"""Lateral of any heart that is not hugely enlarged to the right."""
LEFT_HIGHER_MM = 15.0
"""The left dome lies 10-20 mm below the right in nine of ten (Felson, Chest Roentgenology, 1973); what is this much
above it is the heart, or a raised diaphragm that then is followed only in part."""
PLATEAU_MM = 5.0
"""The heart presses the tendon below the line between the domes, by 5-20 mm (the cardiac plateau)."""
PLATEAU_RIM_MM = 20.0
"""How far from the lungs' bases it has sunk that far."""
SPINE_MM = 35.0
"""Half the width of a vertebra with its ribs' heads: medial of it lies the aorta, not the left base."""


@dataclass(frozen=True, slots=True, eq=False)
class Thorax:
    """`hull` of both lungs in axial slices; `floor` `(y, x)`: the diaphragm's height as a slice number; `between`:
    what lies above the diaphragm between the lungs, beside and in front of the spine, airways included;
    `mediastinum`: the part of it that ends 1 cm behind the front of the vertebral bodies (ITMIG: Carter et al.,
    J Thorac Oncol 9:S97, 2014); `neck`: what lies above the inlet in front of the spine, where there is no bone."""

    hull: Mask
    floor: Field
    between: Mask
    mediastinum: Mask
    neck: Mask


def thorax(scan: Working, body: Mask, lungs: Lungs, spine: Spine) -> Thorax:
    """Derive hull, diaphragm and the space between the lungs from the lungs and the spine."""
    right, left = _both_sides(lungs, spine)
    hull = axial_hull(right | left) & body
    floor = _floor(lungs, scan, spine)
    room = hull | front_of(scan, body, hull, lungs.both, spine)
    between = _between(scan, room, lungs, spine, floor)
    limit = spine.front[:, None, None] - PARAVERTEBRAL_MM / scan.spacing_mm
    visceral = between & (np.arange(scan.hu.shape[1])[None, :, None] > limit)
    visceral &= ~muscle_in(scan, body, hull, lungs.both, spine)
    return Thorax(hull, floor, between, visceral, _neck(scan, body, lungs, spine))


def below(floor: Field, levels: int) -> Mask:
    """Return the mask `(z, y, x)` of what lies below a height map."""
    return np.asarray(np.arange(levels)[:, None, None] < floor[None])


def _both_sides(lungs: Lungs, spine: Spine) -> tuple[Mask, Mask]:
    """Return both lungs, each replaced by the other's mirror image in slices where it is nearly absent."""
    areas = lungs.right.sum((1, 2)), lungs.left.sum((1, 2))
    poor = [(own < 0.15 * other)[:, None, None] for own, other in (areas, areas[::-1])]
    right = lungs.right | (poor[0] & mirrored(lungs.left, spine))
    left = lungs.left | (poor[1] & mirrored(lungs.right, spine))
    return right, left


def _floor(lungs: Lungs, scan: Working, spine: Spine) -> Field:
    """Return the diaphragm's height for each column: the lungs' bases, continued smoothly under the heart.

    Where the lungs reach the lowest slice the diaphragm is not in the scan and the height is below 0.
    """
    columns: Mask = np.asarray(lungs.both.any(axis=0))
    middle = float(np.nanmean(np.append(spine.x, np.nan if np.isfinite(spine.x).any() else columns.shape[1] / 2)))
    aside = (np.arange(columns.shape[1])[None, :] - middle) * scan.spacing_mm
    rows = np.flatnonzero(columns.any(axis=1))
    depth = (np.arange(columns.shape[0])[:, None] - rows[0]) / max(rows[-1] - rows[0], 1)
    # Where no heart lies over the diaphragm: behind it, and on the right lateral to it.
    free = {
        "right": (aside > RIGHT_HEART_MM) & ((depth < 0.45) | (aside > LATERAL_MM)),
        "left": (aside < -SPINE_MM) & (depth < 0.35),
    }
    right = _base(lungs.right, free["right"], scan.spacing_mm)
    left = _base(lungs.left, free["left"], scan.spacing_mm)
    if np.isfinite(right).any():
        left[left > np.nanpercentile(right, 95) + LEFT_HIGHER_MM / scan.spacing_mm] = np.nan
    heights = np.fmin(right, left)
    if np.isnan(heights).all():
        return np.full(heights.shape, -1.0, np.float32)
    return _continued(heights, scan.spacing_mm)


def _base(lung: Mask, free: Mask, spacing_mm: float) -> Field:
    """Return the lowest slice of each column of a lung that rests on the diaphragm, NaN elsewhere.

    Starts from the columns `free` of the heart and goes on as long as the height changes gently: the heart's side
    overhangs, so that the lowest lung beside it and over it differ by a jump.
    """
    columns = lung.any(axis=0)
    heights = np.where(columns, lung.argmax(axis=0), 0).astype(np.float32)
    seed = columns & free
    if not seed.any():
        return np.full(columns.shape, np.nan, np.float32)
    gentle = columns & (~_steep(np.where(columns, heights, 0)) | seed)
    # The dome in front is little higher than behind; the heart's upper side is higher by its thickness.
    gentle &= heights <= np.percentile(heights[seed], 98) + 10.0 / spacing_mm
    labels, number = ndimage.label(gentle)
    keep = np.zeros(number + 1, bool)
    keep[np.unique(labels[seed & gentle])] = True
    keep[0] = False
    return np.where(keep[labels], np.where(heights == 0, -2.0, heights), np.nan).astype(np.float32)


def _steep(heights: Field) -> Mask:
    """Tell where a height map, freed of single spikes, changes by more than `STEEPEST` to a neighbour."""
    smooth = ndimage.median_filter(heights, 3)
    steep = np.zeros(heights.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(smooth, axis=axis)) > STEEPEST
        for here in (slice(None, -1), slice(1, None)):
            where = [slice(None), slice(None)]
            where[axis] = here
            steep[tuple(where)] |= step
    return steep


def _continued(heights: Field, spacing_mm: float) -> Field:
    """Fill unknown columns: a soap film between known ones, which a muscle under tension resembles."""
    known = np.isfinite(heights)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    start = heights[tuple(nearest)]
    film = np.where(known, heights, start)
    # Coarse to fine: wide Gaussians first, so that wide gaps settle in few steps.
    for sigma in (24.0, 16.0, 10.0, 6.0, 4.0):
        for _ in range(12):
            film = np.where(known, heights, ndimage.gaussian_filter(film, sigma / spacing_mm, mode="nearest"))
    film -= PLATEAU_MM / spacing_mm * np.clip(_away(known) * spacing_mm / PLATEAU_RIM_MM, 0, 1)
    soft = ndimage.gaussian_filter(film, 5.0 / spacing_mm, mode="nearest")
    return np.where(known, heights, soft).astype(np.float32)


def _away(known: Mask) -> Field:
    return np.asarray(ndimage.distance_transform_edt(~known), dtype=np.float32)


def _between(scan: Working, hull: Mask, lungs: Lungs, spine: Spine, floor: Field) -> Mask:
    """Return what the hull holds beside the lungs above the diaphragm, without wall and spine."""
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    beside = np.abs(np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * scan.spacing_mm
    # Ribs' heads lie beside the canal; in front of them the aorta may lie beside the body.
    before = rows > spine.y[:, None, None] + RIB_HEAD_MM / scan.spacing_mm
    room = hull & ~lungs.both & before & ~vertebral_bodies(scan, spine) & ~below(floor, scan.hu.shape[0])
    room &= ~_above_inlet(scan, lungs, spine)
    # Narrow rests lie between lung and ribs; in the middle they are the fat beside vertebrae and behind the sternum.
    wide = opened(room, 5.0, scan.spacing_mm)
    wide |= grown(wide, 2.5 * scan.spacing_mm, scan.spacing_mm) & room & (beside < MIDDLE_MM)
    labels, number = ndimage.label(wide)
    if not number:
        return wide
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    central = np.zeros(len(sizes), bool)
    central[np.unique(labels[wide & (beside < 30.0)])] = True
    return np.asarray((central & (sizes * scan.voxel_ml >= 2.0))[labels])


def _above_inlet(scan: Working, lungs: Lungs, spine: Spine, by_mm: float = 0.0) -> Mask:
    """Return what lies `by_mm` above the thoracic inlet: the plane from T1 to the jugular notch."""
    level = np.arange(scan.hu.shape[0])[:, None, None] * scan.spacing_mm
    tops = np.flatnonzero(lungs.both.any((1, 2)))
    if not len(tops) or tops[-1] >= scan.hu.shape[0] - 2 or not np.isfinite(spine.front[tops[-1]]):
        return np.zeros((1, 1, 1), bool)
    ahead = (np.arange(scan.hu.shape[1])[None, :, None] - spine.front[tops[-1]]) * scan.spacing_mm
    return np.asarray(level > tops[-1] * scan.spacing_mm - APEX_MM + by_mm - INLET_SLOPE * np.maximum(ahead, 0))


def _neck(scan: Working, body: Mask, lungs: Lungs, spine: Spine) -> Mask:
    """Return where thyroid and vessels of the neck lie, often dense: before the spine, above the clavicles' ends."""
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    beside = np.abs(np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * scan.spacing_mm
    ahead = (rows - spine.front[:, None, None]) * scan.spacing_mm
    before = (ahead > NECK_AHEAD_MM[0]) & (ahead < NECK_AHEAD_MM[1])
    return np.asarray(_above_inlet(scan, lungs, spine, CLAVICLE_MM) & before & (beside < NECK_HALF_WIDTH_MM) & body)


def soft_tissue(scan: Working, mask: Mask, sigma_mm: float, least_hu: float) -> Mask:
    """Return where the mean HU inside `mask`, blurred by `sigma_mm`, exceeds `least_hu`; the outside has no say."""
    weight = smoothed(mask, sigma_mm, scan.spacing_mm)
    # Contrast and metal count like blood without contrast, else the border would move out with the density.
    values = smoothed(np.where(mask, np.clip(scan.hu, -150, 60), 0), sigma_mm, scan.spacing_mm)
    return np.asarray(mask & (values > least_hu * weight))
