"""The story of measuring: bring the scan into the patient frame, look at each region, write numbers down."""

from __future__ import annotations

from collections.abc import Iterator

from ..anatomy.regions import Side
from ..errors import InputRefused
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from ..report.measurement import Measurement
from .abdomen import abdomen_measurements
from .airways import Course, airway_measurements, trachea_course
from .bones import bone_measurements
from .contrast import blood_density, blood_pool
from .dense import METHOD as DENSE_METHOD
from .dense import dense_measurements
from .effusions import effusion_in, effusion_names, pericardial_fluid
from .frame import frame_of, voxel_ml
from .heart import calcium, width_measurements
from .hemithorax import Hemithorax
from .histogram import lung_histograms
from .lobes import lobe_measurements
from .lungs import LEAST_ML, lung_measurements, missing_lung
from .mediastinum import mediastinal_width
from .nodules import nodule_measurements
from .organs import liver_spleen_difference
from .pleura import AIR_METHOD, FLUID_METHOD, air_volume, fluid_in, fluid_volume, free_air_in
from .scan import Scan
from .subject import Subject
from .vertebrae import vertebra_measurements
from .vessels import vessel_measurements


def measure(volume: Volume, masks: RegionMasks) -> Work[tuple[Measurement, ...]]:
    """Measure everything this room knows, in region order; what cannot be known is there with a reason.

    Raises InputRefused if the masks are empty, and ValueError if they lie on another grid than the volume.
    """
    if masks.grid != volume.grid:
        raise ValueError(f"masks lie on {masks.grid.shape_kji}, the volume on {volume.grid.shape_kji} or elsewhere")
    yield Progress(0.0, "patient frame")
    scan = yield from part(_scan(volume, masks), 0.0, 0.3)
    yield Progress(0.3, "airways")
    course = trachea_course(scan.frame)
    halves: dict[Side, Hemithorax] = {}
    for n, side in enumerate(Side):
        yield Progress(0.35 + 0.1 * n, f"{side.value} pleura")
        half = _half(scan, side, course)
        if half is not None:
            halves[side] = half
    histograms = yield from part(lung_histograms(scan, halves), 0.55, 0.75)
    found = lung_measurements(scan, halves, histograms, scan.blood.noise_hu)
    for n, side in enumerate(Side):
        yield Progress(0.75 + 0.035 * n, f"{side.value} lung")
        found += _lung_findings(scan, side, halves.get(side))
    found += yield from part(lobe_measurements(scan), 0.82, 0.84)
    found += nodule_measurements(scan)
    yield Progress(0.84, "airways and mediastinum")
    found += airway_measurements(scan, course)
    found.append(mediastinal_width(scan, course))
    yield Progress(0.86, "heart and great vessels")
    found += [blood_density(scan.blood), *width_measurements(scan), calcium(scan), *pericardial_fluid(scan)]
    found += yield from part(vessel_measurements(scan), 0.88, 0.93)
    yield Progress(0.93, "bones")
    found += bone_measurements(scan) + vertebra_measurements(scan)
    yield Progress(0.97, "upper abdomen")
    organs = abdomen_measurements(scan)
    return (*found, *organs, liver_spleen_difference(scan, organs))


def _scan(volume: Volume, masks: RegionMasks) -> Work[Scan]:
    frame = yield from frame_of(volume, masks)
    if frame is None:
        raise InputRefused("nothing to measure: the region masks are empty")
    return Scan(volume, masks, frame, masks.bounds(), blood_pool(volume, frame))


def _half(scan: Scan, side: Side, course: Course | None) -> Hemithorax | None:
    """Return one side of the chest with its pleural fluid and free air, None if the scan holds a sliver at most."""
    names = scan.sided(side)
    where = scan.frame.bounds((*names, *effusion_names(scan, side))) if scan.frame.bounds(names) else None
    if where is None:
        return None
    block = scan.frame.crop(where, margin_mm=8.0)
    mask = block.mask(names)
    if mask.sum() * voxel_ml() < LEAST_ML:
        return None
    given = effusion_in(scan, block, side)
    if given is not None:
        mask = mask | given
    fluid = given if given is not None else fluid_in(block, mask)
    air = free_air_in(block, mask & ~fluid, course.air_hu if course else None)
    return Hemithorax(side, block, mask, fluid & mask, air, given is not None)


def _lung_findings(scan: Scan, side: Side, half: Hemithorax | None) -> Iterator[Measurement]:
    if half is None:
        subject = Subject("lungs", side=side)
        reason = missing_lung(side)
        yield subject.unknown("fluid_volume", FLUID_METHOD, reason)
        yield subject.unknown("extrapulmonary_air_volume", AIR_METHOD, reason)
        yield subject.unknown("dense_volume", DENSE_METHOD, reason)
        return
    caveat = scan.caveat("lungs")
    yield fluid_volume(half, caveat, scan.cut_faces(scan.sided(side)))
    yield air_volume(half, caveat)
    yield from dense_measurements(scan, half, caveat)
