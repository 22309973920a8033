"""The airless part of the lungs' region: effusion, consolidation, collapse and masses at the wall.

Soft tissue belongs to the lung region (pleura counted in) where it fills the room between aerated lung and the ribs.
Healthy lung reaches to within a few mm of the ribs behind it at every level down to the recess, so that a thicker
layer there is never wall and, above the domes, never abdomen. A side that is nearly airless is filled from the mirror
image of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .cage import inside_ribs
from .lungs import Lungs
from .recess import Surroundings, continued
from .spine import Spine, mirrored
from .working import AIR_MOST_HU, Field, Mask, Working, axial_hull, closed, grown, opened, parts, smoothed

RIB_LEAST_HU = 150
RIB_STEP_MM = 10.0
"""Ribs are 15-25 mm apart and slant: within 10 mm above or below each point of the wall there is one."""
THICK_MM = 10.0
"""Pleura, fat and the innermost muscles between lung and the ribs' inner side measure 2-5 mm."""
APEX_MM = 50.0
"""The part of the lung that lies within the first two ribs, whose rings are narrower than the shoulder lines there."""
MARGIN_MM = 10.0
RECESS_MM = 60.0
"""Below the dome a layer behind the lung this thick is no fluid in the recess but the liver behind an anterior lung."""
AIRLESS = 0.35
"""A lung with less than this share of the other's air is collapsed or replaced; after lobectomy it is above 0.5."""
FAT_HU = (-170.0, -35.0)
"""Extrapleural fat, thick in the obese and on steroids, is wall; blur widens its range of -120 to -80."""
LEAST_ML = 5.0
TAIL_MM = 5.0
"""Beside a layer that is known, its thinner continuation."""
TAIL_REACH_MM = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One side of the chest: its `air`, the `other` lung's mirror image, and how far from the midline it starts."""

    air: Mask
    mirror: Mask
    outwards: npt.NDArray[np.float32]
    """Distance from the plane of the spine to this side in mm, `(z, 1, x)`."""
    right: bool


def airless_parts(scan: Working, body: Mask, lungs: Lungs, airway: Mask, spine: Spine) -> tuple[Mask, Mask]:
    """Return the airless parts of the right and of the left lung region."""
    bone = _bone(scan, body, lungs)
    wall = _smeared(bone, scan.spacing_mm)
    aside = (np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * scan.spacing_mm
    pair = lungs.right, lungs.left
    inside = inside_ribs(scan, body, axial_hull(lungs.both))
    found = []
    for n, air in enumerate(pair):
        side = _Side(air, mirrored(pair[1 - n], spine), (aside if n == 0 else -aside).astype(np.float32), n == 0)
        if not air.any() and not side.mirror.any():
            found.append(np.zeros_like(body))
            continue
        room = body & ~wall & ~airway & ~lungs.both & _beyond_mediastinum(scan, side, spine)
        room &= ~_on_top_of_ribs(bone, air) & _under_lung(side, scan.spacing_mm)
        # Costal cartilage that is not calcified is no wall to the lines of `_layer`.
        room &= inside | (np.arange(scan.hu.shape[1])[None, :, None] < spine.front[:, None, None])
        dense = _airless(scan, room, wall, side, spine)
        if dense.any():
            free = inside & ~wall & ~airway & ~lungs.both & (scan.hu > AIR_MOST_HU) & ~_on_top_of_ribs(bone, air)
            around = Surroundings(free, wall, _soft_mean(scan), side.outwards, air, _dome_level(air), side.right)
            dense = continued(scan, dense, around, spine)
        found.append(dense)
    return found[0] & ~found[1], found[1]


def _bone(scan: Working, body: Mask, lungs: Lungs) -> Mask:
    """Return what is as dense as bone outside the lungs, specks left out."""
    dense = (scan.hu > RIB_LEAST_HU) & body & ~lungs.both
    labels, counts = parts(dense)
    return np.asarray((counts * scan.voxel_ml >= 1.0)[labels])


def _smeared(bone: Mask, spacing_mm: float) -> Mask:
    """Return the ribs and what joins them: bone, smeared along the body's axis over the gaps between ribs."""
    reach = 2 * round(RIB_STEP_MM / spacing_mm) + 1
    smeared = ndimage.maximum_filter1d(bone.astype(np.uint8), reach, axis=0) > 0
    return closed(smeared, 5.0, spacing_mm)


def _on_top_of_ribs(bone: Mask, air: Mask) -> Mask:
    """Return what has ribs under it and lung under these: neck and shoulder, not chest."""
    over_lung = bone & np.maximum.accumulate(air, axis=0)
    above = np.maximum.accumulate(over_lung, axis=0)
    # Between two slanting ribs a column may pass: neighbours in the slice close such gaps.
    return np.asarray(ndimage.binary_closing(above, np.ones((1, 5, 5), bool)) | above)


def _under_lung(side: _Side, spacing_mm: float) -> Mask:
    """Return the columns that either lung reaches at some height, with a margin: the shoulder lies lateral to them."""
    columns: Mask = np.asarray((side.air | side.mirror).any(axis=0))
    distance = ndimage.distance_transform_edt(~columns) * spacing_mm if columns.any() else np.ones(columns.shape)
    return np.asarray(distance <= MARGIN_MM)[None]


def _beyond_mediastinum(scan: Working, side: _Side, spine: Spine) -> Mask:
    """Return the room that no heart, vessel or spine takes up.

    Behind the vertebrae's front only the aorta lies beside the spine, on the left; in front of it the heart.
    The other lung's mirror image is room too, except for the heart's place on the left.
    """
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    behind = rows < spine.front[:, None, None]
    if side.right:
        free = np.where(behind, side.outwards > 20.0, side.outwards > 50.0)
        return np.asarray(free | (side.mirror & (side.outwards > 15.0)))
    gutter = rows < spine.front[:, None, None] - 15.0 / scan.spacing_mm
    free = np.where(gutter, side.outwards > 20.0, np.where(behind, side.outwards > 38.0, side.outwards > 75.0))
    return np.asarray(free | (side.mirror & (side.outwards > 60.0)))


def _airless(scan: Working, room: Mask, wall: Mask, side: _Side, spine: Spine) -> Mask:
    dome = _dome_level(side.air)
    level = np.arange(scan.hu.shape[0])[:, None, None]
    mean = _soft_mean(scan)
    layer = _layer(side.air, wall, 1, True, scan.spacing_mm)
    # Below the dome only what lies behind the lung, and not too thick, is known to be no abdomen; what still holds
    # some air is lung anywhere.
    deep = _layer(side.air, wall, 1, True, scan.spacing_mm, RECESS_MM)
    layer &= ~(deep & (level < dome) & (mean > FAT_HU[0]))
    lateral = _layer(side.air, wall, 2, not side.right, scan.spacing_mm)
    # Near the apex a sideways line may pass between the small first ribs into the shoulder.
    levels = np.flatnonzero(side.air.any((1, 2)))
    under_apex = level < (levels[-1] if len(levels) else 0) - APEX_MM / scan.spacing_mm
    dense = layer | (lateral & (level >= dome) & under_apex)
    if side.air.sum() < AIRLESS * side.mirror.sum():
        dense |= side.mirror
    dense &= room & ((mean < FAT_HU[0]) | (mean > FAT_HU[1]))
    dense = opened(dense, 3.0, scan.spacing_mm)
    labels, counts = parts(dense)
    dense = (counts * scan.voxel_ml >= LEAST_ML)[labels]
    if not dense.any():
        return np.asarray(dense)
    tail = _layer(side.air, wall, 1, True, scan.spacing_mm, TAIL_MM) & grown(dense, TAIL_REACH_MM, scan.spacing_mm)
    behind = np.arange(scan.hu.shape[1])[None, :, None] < spine.front[:, None, None]
    dense |= tail & room & behind & ~deep & ((mean < FAT_HU[0]) | (mean > FAT_HU[1]))
    # The means above mix in the fat of the wall: up to the wall, the voxel itself decides.
    lines = _layer(side.air, wall, 1, True, scan.spacing_mm, 0.0) | _layer(
        side.air, wall, 2, not side.right, scan.spacing_mm, 0.0
    )
    dense |= grown(dense, 5.0, scan.spacing_mm) & lines & room & (scan.hu > FAT_HU[1])
    # The rim where dense tissue and air share a voxel measures like fat; it lies between two parts of the lung.
    return np.asarray(dense | (closed(dense | side.air, scan.spacing_mm, scan.spacing_mm) & room & ~side.air))


def _soft_mean(scan: Working) -> Field:
    """Return the HU of the soft tissue around each voxel, air left out of the mean, metal and dense contrast capped."""
    soft = scan.hu > AIR_MOST_HU + 50
    weight = np.maximum(smoothed(soft, 3.0, scan.spacing_mm), 1e-3)
    return np.asarray(smoothed(np.where(soft, np.clip(scan.hu, -350, 300), 0), 3.0, scan.spacing_mm) / weight)


def _dome_level(air: Mask) -> int:
    """Return the slice above which no abdomen lies under this lung: the top of its base, with a margin."""
    columns = air.any(axis=0)
    if not columns.any():
        return 0
    return int(np.percentile(air.argmax(axis=0)[columns], 75)) + 2


def _layer(air: Mask, wall: Mask, axis: int, from_low: bool, spacing_mm: float, least_mm: float = THICK_MM) -> Mask:
    """Return the voxels between the outermost air of each line along `axis` and the wall beyond it, where thick."""
    a, w = (np.moveaxis(m if from_low else np.flip(m, axis), axis, -1) for m in (air, wall))
    steps = np.arange(a.shape[-1], dtype=np.int32)
    first = np.where(a.any(axis=-1), a.argmax(axis=-1), -1)
    last_wall = np.maximum.accumulate(np.where(w, steps, -1), axis=-1)
    hit = np.take_along_axis(last_wall, np.maximum(first - 1, 0)[..., None], axis=-1)[..., 0]
    # A hole in the wall lets a line through: its neighbours know better.
    hit = ndimage.maximum_filter(np.where(first > 0, hit, -1), 3)
    thick = (first > 0) & (hit >= 0) & ((first - hit - 1) * spacing_mm >= least_mm)
    lines = thick[..., None] & (steps > hit[..., None]) & (steps < first[..., None])
    lines = np.moveaxis(lines, -1, axis)
    return np.ascontiguousarray(lines if from_low else np.flip(lines, axis))
