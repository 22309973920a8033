"""Volume and density of each lung and of both; emphysema indices only where slices are thin enough for them."""

from __future__ import annotations

from ..anatomy.regions import Side
from ..report.measurement import Measurement
from ..report.place import Place
from .hemithorax import Hemithorax
from .histogram import Histogram, joint
from .scan import Scan, together
from .subject import Subject

VOLUME_METHOD = "voxel count of the hemithorax without pleural fluid and air outside the lung; vessels included"
DENSITY_METHOD = "mean HU of the lung without pleural fluid and air outside the lung; vessels included"
LOW_METHOD = (
    "share of lung voxels below −950 HU (Gevenois PA et al., Am J Respir Crit Care Med 1996;154:187; "
    "Fleischner Society: Lynch DA et al., Radiology 2015;277:192)"
)
PERCENTILE_METHOD = "15th percentile of lung density (Dirksen A et al., Am J Respir Crit Care Med 1999;160:1468)"

EMPHYSEMA_HU = -950
# The thresholds were validated on 1 mm sections; thickness and kernel shift the index significantly (Madani A et al.,
# Radiology 2007;243:250; Gierada DS et al., Acad Radiol 2010;17:146). Up to 2.5 mm it is told with that caveat; thicker
# sections average small holes away, so that a low value would read as a reassurance.
THIN_MM = 1.25
THICKEST_MM = 2.5
# A sliver at the edge of the scan is no lung to be measured.
LEAST_ML = 50.0
# Above this SD noise alone pushes normal lung (about −860 HU) below −950 HU in more than a few percent of voxels.
NOISY_HU = 40.0


def missing_lung(side: Side) -> str:
    """Say why nothing is measured on a side."""
    return f"{side.value} lung not found, or less than {LEAST_ML:.0f} mL of it in the scan"


def lung_measurements(
    scan: Scan, halves: dict[Side, Hemithorax], histograms: dict[Side, Histogram], noise_hu: float | None
) -> list[Measurement]:
    """Write down volume, mean density and emphysema indices per lung and, where both are there, together."""
    caveat = scan.caveat("lungs")
    found = []
    for side in Side:
        subject = Subject("lungs", side=side)
        if side not in halves:
            found += _unknown(subject, missing_lung(side))
            continue
        found += _of(subject, scan, histograms[side], halves[side].part.place(subject, halves[side].mask), noise_hu)
    both = Subject("lungs")
    if any(m.value is None for m in found if m.quantity == "volume"):
        reason = together("only one lung measured" if halves else "no lung measured", caveat)
        return found + _unknown(both, reason)
    mask = scan.frame.mask(n for side in halves for n in scan.sided(side))
    return found + _of(both, scan, joint(histograms.values()), scan.frame.place(both, mask), noise_hu)


def _of(
    subject: Subject, scan: Scan, histogram: Histogram, place: Place | None, noise_hu: float | None
) -> list[Measurement]:
    caveat = scan.caveat("lungs")
    found = [
        subject.known("volume", histogram.total * scan.volume.grid.voxel_ml, VOLUME_METHOD, place, caveat),
        subject.known("mean_density", histogram.mean_hu, DENSITY_METHOD, place, caveat),
    ]
    thick = scan.slice_spacing_mm
    if thick > THICKEST_MM + 0.05:
        reason = f"voxels of {thick:.1f} mm are too coarse for emphysema indices (at most {THICKEST_MM} mm)"
        return [
            *found,
            subject.unknown("low_attenuation_fraction", LOW_METHOD, reason, place),
            subject.unknown("density_percentile_15", PERCENTILE_METHOD, reason, place),
        ]
    words = together(caveat, density_quality(scan))
    return [
        *found,
        subject.known("low_attenuation_fraction", histogram.percent_below(EMPHYSEMA_HU), LOW_METHOD, place, words),
        subject.known("density_percentile_15", histogram.percentile_hu(15.0), PERCENTILE_METHOD, place, words),
    ]


def density_quality(scan: Scan) -> str:
    """Say what about this scan shifts emphysema indices: thickness, contrast, noise; the kernel is not known."""
    thick_mm, noise_hu = scan.slice_spacing_mm, scan.blood.noise_hu
    return together(
        f"voxels of {thick_mm:.1f} mm, index validated for 1 mm" if thick_mm > THIN_MM else "",
        "contrast raises lung density" if scan.blood.enhanced else "",
        f"noise of {noise_hu:.0f} HU raises the index" if noise_hu is not None and noise_hu > NOISY_HU else "",
        "depends on the reconstruction kernel",
    )


def _unknown(subject: Subject, reason: str) -> list[Measurement]:
    return [
        subject.unknown("volume", VOLUME_METHOD, reason),
        subject.unknown("mean_density", DENSITY_METHOD, reason),
        subject.unknown("low_attenuation_fraction", LOW_METHOD, reason),
        subject.unknown("density_percentile_15", PERCENTILE_METHOD, reason),
    ]
