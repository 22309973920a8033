"""The aerated lungs, right and left apart, without the large airways and without gas of the bowel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK
from scipy import ndimage

from ..errors import InputRefused
from .spine import Spine, mirrored
from .working import AIR_MOST_HU, Mask, Working, closed, distance_mm, parts

GAS_HU = -950
"""Bowel gas is even: three quarters of its inside measure below -950. In lung, vessels keep the upper quartile above
it, in emphysema too."""
FREE_AIR_ML = 20.0
"""Free air in smaller pockets is left to what surrounds it."""
LEAST_SHARE = 0.15
"""Lungs fill 25-60 % of an axial slice of the chest; a slice of the upper abdomen shows recesses of about 10 %."""
LEAST_ML = 60.0
"""Less aerated lung than this is a sliver of a base or an apex; a newborn's two lungs hold about 100 mL."""

SURE_ML = 600.0
"""More than the lungs' bases hold above an abdominal scan: a chest, even if arms and obesity make the share small."""


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """The aerated `right` and `left` lung with their inner vessels; one may be empty."""

    right: Mask
    left: Mask

    @property
    def both(self) -> Mask:
        """Their union."""
        return self.right | self.left


def lungs(scan: Working, body: Mask, airway: Mask, spine: Spine) -> Lungs:
    """Find the aerated lungs; InputRefused if the scan shows too little of them to be a chest."""
    air = (scan.hu < AIR_MOST_HU) & body & ~airway
    found = _lung_like(scan, air)
    _require_chest(scan, found, body)
    right = _right_of(scan, found, spine)
    free = _free_air(scan, air & ~found, right, found & ~right, spine)
    right, found = right | free[0], found | free[0] | free[1]
    sides = []
    for own, other in ((right, found & ~right), (found & ~right, right)):
        sides.append(_with_vessels(own, other | airway, scan) if own.any() else own)
    return Lungs(sides[0], sides[1] & ~sides[0])


def _lung_like(scan: Working, air: Mask) -> Mask:
    """Return the parts of the air that are parenchyma by density, and of a size next to the largest of them."""
    labels, counts = parts(air)
    inner = distance_mm(air, scan.spacing_mm) >= 2 * scan.spacing_mm
    keep = np.zeros(len(counts), bool)
    for label in np.flatnonzero(counts * scan.voxel_ml >= 5.0):
        values = scan.hu[inner & (labels == label)]
        keep[label] = len(values) > 0 and bool(np.percentile(values, 75) > GAS_HU)
    if keep.any():
        # Stool-filled bowel looks like lung: it is small beside the lungs, and where it is not, there is no chest.
        keep &= counts >= 0.03 * counts[keep].max()
    return np.asarray(keep[labels])


def _free_air(scan: Working, air: Mask, right: Mask, left: Mask, spine: Spine) -> tuple[Mask, Mask]:
    """Return air in the right and left pleural space: gas where the other side has lung, and no lung lies above it.

    Gas in stomach or bowel has the base of its own side's lung above it.
    """
    labels, counts = parts(air)
    out = np.zeros_like(air), np.zeros_like(air)
    for n, (own, other) in enumerate(((right, left), (left, right))):
        mirror = mirrored(closed(other, 10.0, scan.spacing_mm), spine)
        above = np.flip(np.maximum.accumulate(np.flip(own, 0), axis=0), 0)
        every = np.arange(len(counts))
        inside = ndimage.mean(mirror, labels, every)
        under = ndimage.mean(above, labels, every)
        keep = (counts * scan.voxel_ml >= FREE_AIR_ML) & (inside > 0.5) & (under < 0.5)
        out[n][...] = keep[labels]
    return out[0], out[1] & ~out[0]


def _require_chest(scan: Working, lung: Mask, body: Mask) -> None:
    volume = float(lung.sum()) * scan.voxel_ml
    share = ndimage.uniform_filter1d(lung.sum((1, 2)) / np.maximum(body.sum((1, 2)), 1), 5, mode="nearest").max()
    if volume < LEAST_ML or (share < LEAST_SHARE and volume < SURE_ML):
        what = (
            "no aerated lung was found"
            if volume < 1.0
            else (f"only {volume:.0f} mL of aerated lung, at most {100 * share:.0f} % of a slice, were found")
        )
        raise InputRefused(f"this scan is not a chest CT: {what}")


def _right_of(scan: Working, lung: Mask, spine: Spine) -> Mask:
    """Return the part of `lung` that belongs to the right lung; the anterior junction line is cut where they touch."""
    x = np.arange(lung.shape[2])[None, None, :]
    rightwards = (x - spine.x[:, None, None]) * scan.spacing_mm
    depth = distance_mm(lung, scan.spacing_mm)
    for radius in (2.5, 5.0, 7.5, 10.0, 12.5):
        labels, counts = parts(depth > radius)
        sums = ndimage.sum_labels(np.broadcast_to(rightwards > 0, lung.shape), labels, np.arange(len(counts)))
        share = sums / np.maximum(counts, 1)
        # A lung bulges across the spine's plane by a fifth of its volume at most.
        mixed = (share > 0.2) & (share < 0.8) & (counts > 0.1 * counts.max())
        if not mixed.any():
            break
    markers = np.where(share > 0.5, 1, 2).astype(np.uint8)
    markers[counts == 0] = 0
    seeds = markers[labels]
    if mixed.any():
        seeds = np.where(rightwards > 0, 1, 2).astype(np.uint8) * (depth > 0)
    return np.asarray(_flooded(scan, lung, seeds, rightwards) == 1)


def _flooded(
    scan: Working, lung: Mask, seeds: npt.NDArray[np.uint8], rightwards: npt.NDArray[Any]
) -> npt.NDArray[np.uint8]:
    """Spread the seeds (1 right, 2 left) over `lung`; they meet on the densest line between them."""
    relief = SimpleITK.GetImageFromArray(np.where(lung, scan.hu, AIR_MOST_HU + 200).astype(np.int16))
    flooded = SimpleITK.MorphologicalWatershedFromMarkers(
        relief, SimpleITK.GetImageFromArray(seeds * lung), markWatershedLine=False, fullyConnected=False
    )
    sides = np.where(lung, SimpleITK.GetArrayFromImage(flooded), 0).astype(np.uint8)
    # Parts that hold no seed are small: the side of the spine decides.
    labels, counts = parts(lung)
    seeded = np.zeros(len(counts), bool)
    seeded[np.unique(labels[(seeds > 0) & lung])] = True
    middle = ndimage.mean(np.broadcast_to(rightwards, lung.shape), labels, np.arange(len(counts)))
    alone = lung & ~seeded[labels]
    sides[alone] = np.where(np.asarray(middle)[labels[alone]] > 0, 1, 2)
    return sides


def _with_vessels(lung: Mask, taken: Mask, scan: Working) -> Mask:
    """Return `lung` with vessels, fissures and small nodules inside filled, never reaching into `taken`."""
    filled = closed(lung, 7.5, scan.spacing_mm) & ~taken
    return np.asarray(ndimage.binary_fill_holes(filled)) & ~taken
