"""Calibre of the trachea half-way down, perpendicular to its course, and the angle between the main bronchi."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..imaging.box import Box
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import STEP_MM, Frame
from .scan import Scan
from .shape import eroded
from .subject import Subject

# Lumen against wall: half-way between air (−1000 HU) and soft tissue (about 0 HU).
LUMEN_HU = -500.0
_REACH_MM = 22.0
_PIXEL_MM = 0.5
_SHORTEST_MM = 30.0
_AXIS_MM = (6.0, 28.0)
_LEAST_SECTIONS = 6

CALIBRE_METHOD = (
    "lumen below −500 HU in planes perpendicular to the trachea half-way between its upper end in the mask and the "
    "carina, median of five (normal widths: Breatnach E et al., AJR 1984;142:903)"
)
INDEX_METHOD = "transverse over sagittal diameter at mid-trachea (saber sheath up to 2/3: Greene R, AJR 1978;130:441)"
ANGLE_METHOD = (
    "angle between the axes of the main bronchi from 6 to 28 mm below the carina "
    "(interbronchial angle: Haskin PH, Goodman LR, AJR 1982;139:879)"
)

TRACHEA = Subject("airways", structure="trachea")


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The trachea's centre line: RAS `points` `(n, 3)` from the carina upwards, one per frame slice."""

    points: npt.NDArray[np.float64]
    air_hu: float | None

    @property
    def carina_mm(self) -> npt.NDArray[np.float64]:
        """The lowest point of the trachea."""
        return np.asarray(self.points[0])

    @property
    def length_mm(self) -> float:
        """Height of the trachea in the scan."""
        return float(self.points[-1, 2] - self.points[0, 2])


def trachea_course(frame: Frame) -> Course | None:
    """Follow the trachea through the slices of the frame; None if the masks have none."""
    where = frame.bounds(["trachea"])
    if where is None:
        return None
    part = frame.crop(where, margin_mm=2.0)
    mask = part.mask(["trachea"])
    centres = []
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        j, i = np.nonzero(mask[k])
        centres.append(part.grid.to_ras([i.mean(), j.mean(), float(k)]))
    core = eroded(mask, STEP_MM)
    air = float(np.median(part.hu[core])) if core.sum() >= 10 else None
    return Course(np.array(centres), air)


def airway_measurements(scan: Scan, course: Course | None) -> list[Measurement]:
    """Write down tracheal diameters, tracheal index and carina angle."""
    return [*_calibre(scan, course), _carina_angle(scan, course)]


def _calibre(scan: Scan, course: Course | None) -> list[Measurement]:
    if course is None:
        return _no_calibre("trachea not in the scan or not found")
    if course.length_mm < _SHORTEST_MM:
        return _no_calibre(f"only {course.length_mm:.0f} mm of the trachea in the scan")
    middle, direction = _middle(course)
    sizes = [_lumen_size(scan, middle + step * direction, direction) for step in (-6.0, -3.0, 0.0, 3.0, 6.0)]
    seen = np.array([s for s in sizes if s is not None])
    if len(seen) < 3:
        return _no_calibre("voxels are too coarse to show the wall of the trachea")
    across, deep = (float(v) for v in np.median(seen, axis=0))
    place = _ring(middle, across, deep)
    caveat = scan.caveat("airways") if "superior" in scan.cut_faces(("trachea",)) else ""
    return [
        TRACHEA.known("transverse_diameter", across, CALIBRE_METHOD, place, caveat),
        TRACHEA.known("sagittal_diameter", deep, CALIBRE_METHOD, place, caveat),
        TRACHEA.known("tracheal_index", across / deep, INDEX_METHOD, place, caveat),
    ]


def _no_calibre(reason: str) -> list[Measurement]:
    return [
        TRACHEA.unknown("transverse_diameter", CALIBRE_METHOD, reason),
        TRACHEA.unknown("sagittal_diameter", CALIBRE_METHOD, reason),
        TRACHEA.unknown("tracheal_index", INDEX_METHOD, reason),
    ]


def _middle(course: Course) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the centre line's point half-way up and its direction there, fitted over 30 mm."""
    z = course.points[:, 2]
    half = (z[0] + z[-1]) / 2
    near = course.points[np.abs(z - half) <= 15.0]
    slope = np.polyfit(near[:, 2], near[:, :2], 1)
    direction = np.array([*slope[0], 1.0])
    return np.array([*(slope[0] * half + slope[1]), half]), direction / np.linalg.norm(direction)


def _lumen_size(
    scan: Scan, centre: npt.NDArray[np.float64], direction: npt.NDArray[np.float64]
) -> tuple[float, float] | None:
    """Return the lumen's extents along right–left and front–back in the plane through `centre`; None if it leaks."""
    right = np.array([1.0, 0.0, 0.0]) - direction[0] * direction
    right /= np.linalg.norm(right)
    front = np.cross(direction, right)
    steps = np.arange(-_REACH_MM, _REACH_MM + _PIXEL_MM / 2, _PIXEL_MM)
    plane = centre + steps[:, None, None] * front + steps[None, :, None] * right
    lumen = ndimage.label(_sampled(scan, plane) < LUMEN_HU)[0]
    middle = len(steps) // 2
    name = lumen[middle, middle]
    rows, columns = np.nonzero(lumen == name)
    if name == 0 or min(rows.min(), columns.min()) == 0 or max(rows.max(), columns.max()) == len(steps) - 1:
        return None
    return (float(np.ptp(columns)) + 1) * _PIXEL_MM, (float(np.ptp(rows)) + 1) * _PIXEL_MM


def _sampled(scan: Scan, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    where = scan.volume.grid.indices_of(Box.around(points))
    k, j, i = (slice(max(s.start - 2, 0), s.stop + 2) for s in where)
    block = scan.volume.hu[k, j, i].astype(np.float32)
    index = scan.volume.grid.to_ijk(points)[..., ::-1] - (k.start, j.start, i.start)
    return np.asarray(ndimage.map_coordinates(block, np.moveaxis(index, -1, 0), order=1, cval=0.0))


def _ring(middle: npt.NDArray[np.float64], across: float, deep: float) -> Place:
    half = np.array([across / 2, deep / 2, 6.0])
    x, y, z = (float(v) for v in middle)
    return Place("airways", Box.around([middle - half, middle + half]), (x, y, z), "trachea")


def _carina_angle(scan: Scan, course: Course | None) -> Measurement:
    subject = Subject("airways")
    if course is None or not (_BRONCHI & set(scan.bounds)):
        return subject.unknown("carina_angle", ANGLE_METHOD, "carina not in the scan or not found")
    part = scan.frame.crop(scan.frame.bounds(_BRONCHI) or _everything(scan.frame), margin_mm=2.0)
    found = np.argwhere(part.mask(_BRONCHI))
    points = part.grid.to_ras(found[:, ::-1]) - course.carina_mm
    axes = [_bronchus_axis(points[points[:, 0] * sign > 0]) for sign in (1.0, -1.0)]
    if axes[0] is None or axes[1] is None:
        return subject.unknown("carina_angle", ANGLE_METHOD, "main bronchi not followed for 15 mm on both sides")
    angle = float(np.degrees(np.arccos(np.clip(axes[0] @ axes[1], -1.0, 1.0))))
    x, y, z = (float(v) for v in course.carina_mm)
    box = Box((x - 35.0, y - 35.0, z - 35.0), (x + 35.0, y + 35.0, z + 5.0))
    return subject.known("carina_angle", angle, ANGLE_METHOD, Place("airways", box, (x, y, z)))


def _bronchus_axis(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Return the direction away from the carina of the bronchus whose voxels are `points` relative to the carina.

    The axis runs through the centroids of axial sections: from where the lumens are apart down to the upper lobes.
    """
    depth = -points[:, 2]
    steps = np.arange(_AXIS_MM[0], _AXIS_MM[1], STEP_MM)
    sections = [points[(depth >= a) & (depth < a + STEP_MM)] for a in steps]
    centres = np.array([s.mean(axis=0) for s in sections if len(s) >= 5])
    if len(centres) < _LEAST_SECTIONS:
        return None
    across, forward = np.polyfit(centres[:, 2], centres[:, :2], 1)[0]
    axis = np.array([-across, -forward, -1.0])
    return np.asarray(axis / np.linalg.norm(axis))


def _everything(frame: Frame) -> tuple[slice, slice, slice]:
    k, j, i = (slice(0, n) for n in frame.labels.shape)
    return k, j, i


_BRONCHI = frozenset({"main_bronchi", "main_bronchus_right", "main_bronchus_left"})
