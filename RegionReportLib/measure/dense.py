"""Dense lung: aerated poorly or not at all, too thick to be a vessel; by side, by zone, and its largest component."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ..anatomy.regions import Zone
from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import point_in, voxel_ml
from .hemithorax import Hemithorax
from .shape import components, dilated, longest_diameter_mm, opened
from .subject import Subject

# Normally aerated lung lies below −500 HU (Gattinoni L et al., Am J Respir Crit Care Med 2001;164:1701).
DENSE_HU = -500.0
# A ball of 8 mm must fit: vessels outside the hilum, fissures and the rim of partial volume are thinner.
_THICK_MM = 4.0
SMALLEST_ML = 0.4
# The interlobar arteries, the widest vessels that a lung mask holds at its hilum, reach about 16 mm (Fraser and
# Paré's Diagnosis of Diseases of the Chest); a thinner blob grown to the mediastinum is taken for them.
_HILAR_RADIUS_MM = 8.0
_HILAR_ML = 12.0

METHOD = (
    "lung above −500 HU (Gattinoni, Am J Respir Crit Care Med 2001;164:1701) where a ball of 8 mm fits, without "
    "pleural fluid and blobs at the hilum thinner than 16 mm; 2 mm averages"
)


def dense_in(half: Hemithorax) -> list[BoolArray]:
    """Return the components of dense lung of one side, largest first."""
    dense = half.lung & (half.part.hu > DENSE_HU)
    root = dilated(half.part.mask(_MEDIASTINAL), 6.0)
    found = []
    for blob in components(opened(dense, _THICK_MM)):
        if blob.sum() * voxel_ml() < SMALLEST_ML:
            break
        if not _is_hilar_vessel(blob, root):
            found.append(blob)
    return found


def dense_measurements(half: Hemithorax, caveat: str) -> Iterator[Measurement]:
    """Write down the dense volume of a side and its zones, and volume and diameter of the largest component."""
    blobs = dense_in(half)
    every = np.logical_or.reduce(blobs) if blobs else np.zeros_like(half.mask)
    subject = Subject("lungs", side=half.side)
    place = half.part.place(subject, every if blobs else half.mask)
    yield subject.known("dense_volume", float(every.sum()) * voxel_ml(), METHOD, place, caveat)
    for zone, rows in half.zones().items():
        yield _zone_volume(half, every, zone, rows, caveat)
    if not blobs:
        reason = f"no dense lung above {SMALLEST_ML} mL"
        yield subject.unknown("dense_component_volume", METHOD, reason)
        yield subject.unknown("longest_diameter", METHOD, reason)
        return
    largest = blobs[0]
    where = Subject("lungs", side=half.side, zone=_zone_at(half, largest))
    place = half.part.place(where, largest)
    yield where.known("dense_component_volume", float(largest.sum()) * voxel_ml(), METHOD, place, caveat)
    yield where.known("longest_diameter", longest_diameter_mm(largest), METHOD, place, caveat)


def _zone_volume(half: Hemithorax, every: BoolArray, zone: Zone, rows: slice, caveat: str) -> Measurement:
    subject = Subject("lungs", side=half.side, zone=zone)
    within = np.zeros_like(half.mask)
    within[rows] = True
    here = every & within
    place = half.part.place(subject, here if here.any() else half.mask & within)
    return subject.known("dense_volume", float(here.sum()) * voxel_ml(), METHOD, place, caveat)


def _zone_at(half: Hemithorax, blob: BoolArray) -> Zone | None:
    height = half.part.grid.to_ijk(point_in(half.part.grid, blob))[2]
    for zone, rows in half.zones().items():
        if rows.start <= round(float(height)) < rows.stop:
            return zone
    return None


def _is_hilar_vessel(blob: BoolArray, root: BoolArray) -> bool:
    if not (blob & root).any() or blob.sum() * voxel_ml() > _HILAR_ML:
        return False
    block = ndimage.find_objects(blob.astype(np.uint8))[0]
    inside = np.pad(blob[block], 1)
    return float(ndimage.distance_transform_edt(inside, sampling=2.0).max()) < _HILAR_RADIUS_MM


_MEDIASTINAL = (
    "mediastinum",
    "heart_great_vessels",
    "heart",
    "aorta",
    "pulmonary_artery",
    "pulmonary_vein",
    "main_bronchi",
    "main_bronchus_right",
    "main_bronchus_left",
    "airways",
    "trachea",
)
