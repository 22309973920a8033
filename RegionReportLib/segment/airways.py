"""Trachea and main bronchi: their lumen, from the thoracic inlet to the first branching inside the lungs.

The wall is not part of it. Segmental bronchi are left to the lungs they lie in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .spine import Spine
from .working import LUMEN_MOST_HU, Mask, Working, axial_parts, grown, parts, shrunk, touching

TRUNK_MOST_HU = -700
"""For finding the trachea: where lung lies against its wall of 1-2 mm, the wall measures about -600 at this scale."""
TRACHEA_MM2 = (50.0, 900.0)
"""Coronal 10-25 mm and sagittal 11-27 mm in women and men (Breatnach, Abbott, Fraser, AJR 142:903, 1984): 80-550 mm2,
with room for narrowing and for tracheobronchomegaly (> 30 mm)."""
MAIN_BRONCHI_MM = 60.0
"""The left main bronchus is about 50 mm long, the right 20-30 mm and reaches the bronchus intermedius by then."""
TREE_MOST_ML = 45.0
"""Lower trachea, both main bronchi and the bronchus intermedius hold 25-35 mL; more has left them."""
LEAK_ML = 8.0
"""A step of the threshold by 20 HU moves the wall of these lumina by under 3 mL; this much more has broken it."""


@dataclass(frozen=True, slots=True, eq=False)
class Airways:
    """Masks of the lumen above (`trachea`) and below the carina (`bronchi`); both empty where none was found.

    `carina` is the slice index of the first slice with two lumina, None if the scan does not show it.
    """

    trachea: Mask
    bronchi: Mask
    carina: int | None


def airways(scan: Working, body: Mask, spine: Spine) -> Airways:
    """Find the tracheal lumen in axial slices and follow it into the main bronchi without leaking into the lungs."""
    nothing = np.zeros(scan.hu.shape, bool)
    trunk = _trunk(scan, body, spine)
    if trunk is None:
        return Airways(nothing, nothing, None)
    tree = _grown_tree(scan, body, trunk)
    carina = _carina(tree, scan.spacing_mm)
    level = np.arange(scan.hu.shape[0])[:, None, None]
    above = level >= (0 if carina is None else carina)
    return Airways(tree & above, tree & ~above, carina)


def _trunk(scan: Working, body: Mask, spine: Spine) -> Mask | None:
    """Return the longest stack of round air-filled sections in front of the spine, or None."""
    labels, number = axial_parts((scan.hu < TRUNK_MOST_HU) & body)
    if not number:
        return None
    keep = np.zeros(number + 1, bool)
    pixel = scan.spacing_mm**2
    for label, where in enumerate(ndimage.find_objects(labels), start=1):
        k, rows, columns = where
        section = labels[where][0] == label
        height, width = section.shape
        area = section.sum() * pixel
        dx = abs((columns.start + columns.stop - 1) / 2 - spine.x[k.start]) * scan.spacing_mm
        dy = ((rows.start + rows.stop - 1) / 2 - spine.front[k.start]) * scan.spacing_mm
        round_enough = section.mean() > 0.45 and max(height, width) <= 2.2 * min(height, width)
        keep[label] = TRACHEA_MM2[0] <= area <= TRACHEA_MM2[1] and round_enough and dx < 30 and -5 < dy < 80
    sections = keep[labels]
    # A section may be missed where the wall is thin: stacks are linked across one or two such slices.
    stacks, counts = parts(ndimage.binary_dilation(sections, np.ones((3, 1, 1), bool)))
    stacks = np.where(sections, stacks, 0)
    if counts.max() == 0:
        return None
    aside = np.abs(np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None])
    off = ndimage.mean(np.broadcast_to(aside, stacks.shape), stacks, np.arange(len(counts)))
    heights = np.zeros(len(counts))
    for label, where in enumerate(ndimage.find_objects(stacks), start=1):
        heights[label] = where[0].stop - where[0].start
    # Air in the oesophagus is shorter, a lung's apex lies to one side.
    best = int(np.argmax(heights - np.where(counts > 0, off, np.inf)))
    return np.asarray(stacks == best) if heights[best] * scan.spacing_mm >= 25.0 else None


def _grown_tree(scan: Working, body: Mask, trunk: Mask) -> Mask:
    """Return trunk and main bronchi: the highest threshold that does not leak, then one voxel on to the wall."""
    where = np.argwhere(trunk)
    foot = where[where[:, 0] == where[:, 0].min()].mean(axis=0)
    z, y, x = np.ogrid[tuple(slice(0, n) for n in scan.hu.shape)]
    far = np.sqrt((z - foot[0]) ** 2 + (y - foot[1]) ** 2 + (x - foot[2]) ** 2) * scan.spacing_mm
    near = (far <= MAIN_BRONCHI_MM + 15.0) & (z <= where[:, 0].max())
    room = near & body | grown(trunk, 2 * scan.spacing_mm, scan.spacing_mm)
    core = trunk & (scan.hu < -800)
    seed = core if core.any() else trunk
    before, volume = trunk, 0.0
    for threshold in range(-960, -780, 20):
        tree = touching((scan.hu < threshold) & room | trunk, seed)
        added = float((tree & ~trunk).sum()) * scan.voxel_ml
        if added > TREE_MOST_ML or (volume > 0 and added - volume > LEAK_ML):
            break
        before, volume = tree, added
    tree = before
    rim = grown(tree, 1.5 * scan.spacing_mm, scan.spacing_mm) & (scan.hu < -700) & body
    # The rim may follow the lumen to its wall, but not cross a thin wall into the lung: it stays in narrow parts.
    thick = shrunk((scan.hu < LUMEN_MOST_HU) & body, 12.0, scan.spacing_mm)
    return np.asarray(tree | (rim & ~thick & near))


def _carina(tree: Mask, spacing_mm: float) -> int | None:
    """Return the highest slice below which the lumen is two for at least 10 mm."""
    run = max(2, round(10.0 / spacing_mm))
    double = np.array([ndimage.label(plane)[1] >= 2 for plane in tree])
    for k in range(len(double) - 1, run - 2, -1):
        if double[k - run + 1 : k + 1].all():
            return k + 1
    return None
