"""Width of the mediastinum at the level of the aortic arch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Side
from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from ..report.place import Place
from .airways import Course
from .frame import STEP_MM, Frame
from .scan import Scan
from .shape import components
from .subject import Subject

METHOD = (
    "right–left extent of mediastinum and great vessels at the aortic arch, mean over 10 mm; level: 15 mm below the "
    "top of the aorta, or of the vessel that runs 45 mm from front to back above the carina where the masks have no "
    "aorta, or 20 mm above the carina"
)
_BELOW_TOP_MM = 15.0
_ABOVE_CARINA_MM = 20.0
# The arch runs 50–100 mm from front to back, its branches and the caval veins 5–20 mm; its top lies within 70 mm of
# the carina.
_ARCH_MM = 45.0
_ARCH_CM2 = 6.0
_REACH_MM = 70.0

MEDIASTINUM = Subject("mediastinum")


def mediastinal_width(scan: Scan, course: Course | None) -> Measurement:
    """Write down the width of what lies between the lungs at the aortic arch."""
    names = tuple(n for r in ("mediastinum", "heart_great_vessels", "airways") for n in scan.present(r))
    where = scan.frame.bounds(names)
    level = _arch_mm(scan, course)
    if where is None or not scan.present("mediastinum") or level is None:
        reason = "mediastinum not in the scan or not found" if level else "level of the aortic arch not found"
        return MEDIASTINUM.unknown("mediastinal_width", METHOD, reason)
    if not (scan.sided(Side.RIGHT) and scan.sided(Side.LEFT)):
        return MEDIASTINUM.unknown("mediastinal_width", METHOD, "not between two lungs in the scan")
    cut = scan.cut_faces(names) & {"left", "right"}
    if cut:
        reason = f"mediastinum cut at the {' and '.join(sorted(cut))} edge of the scan"
        return MEDIASTINUM.unknown("mediastinal_width", METHOD, reason)
    part = scan.frame.crop(where)
    rows = np.flatnonzero(np.abs(part.heights_mm() - level) <= 5.0)
    mask = part.mask(names)
    widths = [_extent(mask[k]) for k in rows if mask[k].any()]
    if len(widths) < 3:
        return MEDIASTINUM.unknown("mediastinal_width", METHOD, "level of the aortic arch not in the scan")
    return MEDIASTINUM.known("mediastinal_width", float(np.mean(widths)), METHOD, _slab(part, mask, rows))


def _arch_mm(scan: Scan, course: Course | None) -> float | None:
    aorta = scan.frame.bounds(["aorta"])
    if aorta is not None and "superior" not in scan.cut_faces(("aorta",)):
        return float(scan.frame.heights_mm()[aorta[0].stop - 1]) - _BELOW_TOP_MM
    if course is None:
        return None
    carina = float(course.carina_mm[2])
    top = _top_of_arch_mm(scan, carina)
    return carina + _ABOVE_CARINA_MM if top is None else top - _BELOW_TOP_MM


def _top_of_arch_mm(scan: Scan, carina_mm: float) -> float | None:
    """Return the highest level at which one vessel runs as far from front to back as only the arch does."""
    where = scan.frame.bounds(_VESSELS)
    if where is None:
        return None
    part = scan.frame.crop(where)
    mask = part.mask(_VESSELS)
    heights = part.heights_mm()
    for k in np.flatnonzero((heights > carina_mm) & (heights <= carina_mm + _REACH_MM))[::-1]:
        for piece in components(mask[k][None])[:1]:
            rows = np.flatnonzero(piece[0].any(axis=1))
            area_cm2 = float(piece.sum()) * STEP_MM**2 / 100.0
            if (rows[-1] - rows[0] + 1) * STEP_MM >= _ARCH_MM and area_cm2 >= _ARCH_CM2:
                return float(heights[k])
    return None


def _extent(level: BoolArray) -> float:
    """Return the right–left extent of the largest piece of one axial slice."""
    columns = np.flatnonzero(components(level[None])[0][0].any(axis=0))
    return float(columns[-1] - columns[0] + 1) * STEP_MM


def _slab(part: Frame, mask: BoolArray, rows: npt.NDArray[np.intp]) -> Place | None:
    level = np.zeros_like(mask)
    level[rows] = mask[rows]
    return part.place(MEDIASTINUM, level)


_VESSELS = ("heart_great_vessels",)
