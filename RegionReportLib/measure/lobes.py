"""Volume and density of each lobe, where the masks tell lobes apart: on the scan's own voxels."""

from __future__ import annotations

import numpy as np

from ..anatomy.regions import region
from ..progress import Progress, Work
from ..report.measurement import Measurement
from .histogram import Histogram, counted
from .lungs import DENSITY_METHOD, EMPHYSEMA_HU, LOW_METHOD, THICKEST_MM, density_quality
from .scan import Scan, together
from .subject import Subject

VOLUME_METHOD = "voxel count of the lobe's mask; vessels included"
# A sliver of a lobe at the edge of the scan, or a few voxels gone astray, are no lobe to be measured.
LEAST_ML = 20.0
_SLAB = 24

LOBES: tuple[str, ...] = tuple(s.id for s in region("lungs").structures if "_lobe_" in s.id)


def lobe_measurements(scan: Scan) -> Work[tuple[Measurement, ...]]:
    """Write down volume, mean density and low-attenuation share of each lobe of the masks; nothing without lobes."""
    found: list[Measurement] = []
    held = [name for name in LOBES if name in scan.bounds]
    for n, name in enumerate(held):
        yield Progress(n / len(held), name.replace("_", " "))
        found += _of(scan, name, _histogram(scan, name))
    return tuple(found)


def lobe_subject(name: str) -> Subject:
    """Return a lobe as the subject of measurements."""
    side = next(s.side for s in region("lungs").structures if s.id == name)
    return Subject("lungs", structure=name, side=side)


def _histogram(scan: Scan, name: str) -> Histogram:
    k, j, i = scan.bounds[name]
    total = np.zeros_like(counted(np.zeros(0, np.int16), np.zeros(0, np.uint8), 0))
    for start in range(k.start, k.stop, _SLAB):
        block = (slice(start, min(start + _SLAB, k.stop)), j, i)
        hu = scan.volume.hu[block][scan.masks.structure(name, block)]
        total += counted(hu, np.zeros(len(hu), np.uint8), 0)
    return Histogram(total)


def _of(scan: Scan, name: str, histogram: Histogram) -> list[Measurement]:
    subject = lobe_subject(name)
    volume_ml = histogram.total * scan.volume.grid.voxel_ml
    if volume_ml < LEAST_ML:
        return []
    where = scan.frame.bounds([name])
    place = None
    if where is not None:
        part = scan.frame.crop(where)
        place = part.place(subject, part.mask([name]))
    caveat = "cut at the edge of the scan" if scan.cut_faces((name,)) else ""
    found = [
        subject.known("volume", volume_ml, VOLUME_METHOD, place, caveat),
        subject.known("mean_density", histogram.mean_hu, DENSITY_METHOD, place, caveat),
    ]
    if scan.slice_spacing_mm <= THICKEST_MM + 0.05:
        words = together(caveat, density_quality(scan))
        low = histogram.percent_below(EMPHYSEMA_HU)
        found.append(subject.known("low_attenuation_fraction", low, LOW_METHOD, place, words))
    return found
