"""Density of the liver, and of the spleen where the masks name it."""

from __future__ import annotations

import numpy as np

from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import Frame, voxel_ml
from .pleura import smoothed
from .scan import Scan, together
from .shape import components, eroded, opened
from .subject import Subject

LIVER_METHOD = (
    "median HU of the liver 8 mm inside its outline (steatosis below 40 HU without contrast: Kodama Y et al., AJR "
    "2007;188:1307; Boyce CJ et al., AJR 2010;194:623)"
)
SPLEEN_METHOD = "median HU of the spleen 8 mm inside its outline"
STEATOSIS_HU = 40.0
_INSIDE_MM = 8.0
_LEAST_ML = 30.0
# Parenchyma with or without contrast; fat lies below, bowel gas far below.
_TISSUE_HU = (-20.0, 200.0)
_SPREAD_HU = 15.0
_OFF_MIDLINE_MM = 25.0

LIVER = Subject("upper_abdomen", structure="liver")
SPLEEN = Subject("upper_abdomen", structure="spleen")


def abdomen_measurements(scan: Scan) -> list[Measurement]:
    """Write down the density of liver and spleen."""
    return [_liver(scan), _spleen(scan)]


def _liver(scan: Scan) -> Measurement:
    where = scan.frame.bounds(["liver"]) or scan.frame.bounds(["upper_abdomen"])
    if where is None:
        return LIVER.unknown("liver_density", LIVER_METHOD, "upper abdomen not in the scan or not found")
    part = scan.frame.crop(where)
    core = eroded(part.mask(["liver"]), _INSIDE_MM) if "liver" in scan.bounds else _largest_even_part(scan, part)
    if core.sum() * voxel_ml() < _LEAST_ML:
        return LIVER.unknown("liver_density", LIVER_METHOD, f"less than {_LEAST_ML:.0f} mL of liver could be told")
    caveat = together("contrast in the vessels" if scan.blood.enhanced else "", _guess_words(scan))
    return LIVER.known("liver_density", float(np.median(part.hu[core])), LIVER_METHOD, part.place(LIVER, core), caveat)


def _guess_words(scan: Scan) -> str:
    return "" if "liver" in scan.bounds else "largest even tissue below the right hemidiaphragm taken for the liver"


def _largest_even_part(scan: Scan, part: Frame) -> BoolArray:
    """Return the core of the largest homogeneous tissue right of the midline: the liver, where no mask names it."""
    mask = part.mask(["upper_abdomen"])
    mask[:, :, : _midline(scan, part)] = False
    smooth = smoothed(part.hu, mask)
    low, high = _TISSUE_HU
    values = smooth[mask & (smooth > low) & (smooth < high)]
    if values.size * voxel_ml() < _LEAST_ML:
        return np.zeros_like(mask)
    counts, edges = np.histogram(values, bins=np.arange(low, high + 1, 5.0))
    mode = float(edges[np.argmax(counts)]) + 2.5
    even = mask & (np.abs(smooth - mode) < _SPREAD_HU)
    found = components(opened(even, _INSIDE_MM))
    return eroded(found[0], _INSIDE_MM) if found else np.zeros_like(mask)


def _midline(scan: Scan, part: Frame) -> int:
    """Return the first column of `part` that lies well to the right of the midline between the lungs."""
    lungs = scan.frame.bounds(n for n in scan.bounds if n.startswith("lung"))
    block = lungs or scan.frame.bounds(["upper_abdomen"])
    assert block is not None
    middle = (block[2].start + block[2].stop - 1) / 2
    x = float(scan.frame.grid.to_ras([middle, 0.0, 0.0])[0]) + _OFF_MIDLINE_MM
    return int(np.clip(np.ceil(part.grid.to_ijk([x, 0.0, 0.0])[0]), 0, part.labels.shape[2]))


def _spleen(scan: Scan) -> Measurement:
    where = scan.frame.bounds(["spleen"])
    if where is None:
        return SPLEEN.unknown("spleen_density", SPLEEN_METHOD, "spleen not segmented")
    part = scan.frame.crop(where)
    core = eroded(part.mask(["spleen"]), _INSIDE_MM)
    if core.sum() * voxel_ml() < _LEAST_ML / 3:
        return SPLEEN.unknown("spleen_density", SPLEEN_METHOD, "too little of the spleen in the scan")
    words = "contrast in the vessels" if scan.blood.enhanced else ""
    return SPLEEN.known(
        "spleen_density", float(np.median(part.hu[core])), SPLEEN_METHOD, part.place(SPLEEN, core), words
    )
