"""Dense lung: aerated poorly or not at all, too thick to be a vessel; by side, by zone, and its largest component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from ..anatomy.regions import Zone
from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import STEP_MM, Frame, block_of, point_in, voxel_ml
from .hemithorax import Hemithorax
from .histogram import voxels_in
from .scan import Scan
from .shape import components, dilated, longest_diameter_mm, opened
from .subject import Subject
from .zones import zone_counts, zone_of

# Normally aerated lung lies below −500 HU (Gattinoni L et al., Am J Respir Crit Care Med 2001;164:1701).
DENSE_HU = -500.0
SMALLEST_ML = 0.4
# A ball of 8 mm must fit: peripheral vessels, fissures and the rim of partial volume are thinner. Towards the hilum
# vessels widen to the interlobar artery, 16.7 mm at most in the normal (Bush A et al., Thorax 1988;43:127): there a
# ball of 16 mm must.
_PERIPHERAL_MM = 4.0
_HILAR_MM = 8.0
_HILUM_REACH_MM = 50.0
_LEAST_VOXELS = 3
_BESIDE_MM = 12.0

METHOD = (
    "lung voxels above −500 HU (Gattinoni, Am J Respir Crit Care Med 2001;164:1701) where a ball of 8 mm fits, near "
    "the hilum one of up to 16 mm (the interlobar artery: Bush, Thorax 1988;43:127), without pleural fluid"
)


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A component of dense lung: where it may lie in the frame, its volume, in all and by zone, from own voxels."""

    mask: BoolArray
    volume_ml: float
    by_zone_ml: dict[Zone, float]


def dense_in(scan: Scan, half: Hemithorax) -> list[Blob]:
    """Return the components of dense lung of one side, largest first."""
    dense = half.lung & (half.part.hu > DENSE_HU)
    hilum = _hilum(half.part)
    # Coarse voxels blur vessels: what counts must be three voxels thick.
    least_mm = max(_PERIPHERAL_MM, _LEAST_VOXELS / 2 * scan.slice_spacing_mm)
    # Lung collapsed along fluid is a layer, thinner than what counts elsewhere.
    every = opened(dense & dilated(half.fluid, _BESIDE_MM), STEP_MM)
    for part in components(opened(dense, least_mm)):
        if part.sum() * voxel_ml() < SMALLEST_ML / 2:
            break
        every |= _without_vessels(part, hilum, least_mm)
    blobs = (_blob(scan, half, part) for part in components(every) if part.sum() * voxel_ml() >= SMALLEST_ML / 2)
    return sorted((b for b in blobs if b.volume_ml >= SMALLEST_ML), key=lambda b: -b.volume_ml)


def dense_measurements(scan: Scan, half: Hemithorax, caveat: str) -> Iterator[Measurement]:
    """Write down the dense volume of a side and its zones, and volume and diameter of the largest component."""
    blobs = dense_in(scan, half)
    every = np.logical_or.reduce([b.mask for b in blobs]) if blobs else np.zeros_like(half.mask)
    subject = Subject("lungs", side=half.side)
    place = half.part.place(subject, every if blobs else half.mask)
    yield subject.known("dense_volume", sum(b.volume_ml for b in blobs), METHOD, place, caveat)
    for zone, rows in half.zones().items():
        value = sum(b.by_zone_ml.get(zone, 0.0) for b in blobs)
        yield _zone_volume(half, every, (zone, rows), value, caveat)
    if not blobs:
        reason = f"no dense lung above {SMALLEST_ML} mL"
        yield subject.unknown("dense_component_volume", METHOD, reason)
        yield subject.unknown("longest_diameter", METHOD, reason)
        return
    largest = blobs[0]
    where = Subject("lungs", side=half.side, zone=_zone_at(half, largest.mask))
    place = half.part.place(where, largest.mask)
    yield where.known("dense_component_volume", largest.volume_ml, METHOD, place, caveat)
    yield where.known("longest_diameter", longest_diameter_mm(largest.mask), METHOD, place, caveat)


def _zone_volume(
    half: Hemithorax, every: BoolArray, where: tuple[Zone, slice], value: float, caveat: str
) -> Measurement:
    zone, rows = where
    subject = Subject("lungs", side=half.side, zone=zone)
    within = np.zeros_like(half.mask)
    within[rows] = True
    here = every & within
    place = half.part.place(subject, here if here.any() else half.mask & within)
    return subject.known("dense_volume", value, METHOD, place, caveat)


def _blob(scan: Scan, half: Hemithorax, thick: BoolArray) -> Blob:
    """Count the component's own voxels, one frame step around it included: the opening rounds its corners off."""
    around = dilated(thick, STEP_MM) & half.lung
    low, high = half.extent_mm()
    by_zone = dict.fromkeys(Zone, 0.0)
    for hu, heights in voxels_in(scan, half, around):
        for zone, count in zone_counts(heights[hu > DENSE_HU], low, high).items():
            by_zone[zone] += count * scan.volume.grid.voxel_ml
    return Blob(thick, sum(by_zone.values()), by_zone)


def _zone_at(half: Hemithorax, blob: BoolArray) -> Zone:
    return zone_of(point_in(half.part.grid, blob)[2], *half.extent_mm())


def _hilum(part: Frame) -> KDTree | None:
    """Return the points of main bronchi and central vessels, which end at the hilum; None if there are none near."""
    found = np.argwhere(part.mask(_HILAR)) * STEP_MM
    return KDTree(found) if len(found) else None


def _without_vessels(blob: BoolArray, hilum: KDTree | None, least_mm: float) -> BoolArray:
    """Return what of a component is thicker than vessels are at its distance from the hilum."""
    radius = least_mm
    points = np.argwhere(blob) * STEP_MM
    if hilum is not None:
        near = min(float(np.min(hilum.query(points)[0])) / _HILUM_REACH_MM, 1.0)
        radius = max(_HILAR_MM + near * (_PERIPHERAL_MM - _HILAR_MM), least_mm)
    if radius < least_mm + STEP_MM / 2:
        return blob
    block = block_of(blob) or (slice(0, 0),) * 3
    inner = np.pad(blob[block], 1)
    # Distances between voxel centres fall half a voxel short of the surface.
    core = np.asarray(ndimage.distance_transform_edt(inner, sampling=STEP_MM) > radius + STEP_MM / 2)
    grown = np.asarray(ndimage.distance_transform_edt(~core, sampling=STEP_MM) <= radius) & inner
    kept = np.zeros_like(blob)
    if core.any():
        kept[block] = grown[1:-1, 1:-1, 1:-1]
    return kept


_HILAR = ("main_bronchi", "main_bronchus_right", "main_bronchus_left", "pulmonary_artery", "pulmonary_vein")
