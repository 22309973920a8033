"""Density of trabecular bone in the vertebral bodies.

The spine's centre line is taken from the thick part of the bone mask; along it, bodies are the flat stretches of the
density profile between endplates and discs. Wedging is not measured: without vertebra labels the endplates are not
told from discs reliably.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import STEP_MM, Frame
from .scan import Scan, together
from .shape import components, opened
from .subject import Subject

METHOD = (
    "median over the vertebral bodies in the scan of the mean HU of a cylinder of 14 × 8 mm in the middle of each "
    "(cut-offs for L1: 110 HU specific, 160 HU sensitive for osteoporosis, Pickhardt PJ et al., Ann Intern Med "
    "2013;158:588)"
)
COUNT_METHOD = "vertebral bodies with a measurable trabecular core"
WEDGE_METHOD = "anterior over posterior height of a vertebral body (Genant HK et al., J Bone Miner Res 1993;8:1137)"
OSTEOPOROSIS_HU = 110.0
LOW_HU = 160.0

# Vertebral bodies are the only bone of the chest that holds a ball of 14 mm; sternum and scapulae do not.
_BODY_MM = 7.0
_CORE_MM = 5.0
_OFF_MIDLINE_MM = 30.0
_CYLINDER_MM = 7.0
_HALF_HEIGHT_MM = 4.0
# Bodies are at least this far apart (T1, the lowest: Panjabi MM et al., Spine 1991;16:888, 14 mm and a disc).
_APART_MM = 15.0
# Within a body the profile stays this flat over 10 mm; a disc with its endplates does not.
_FLAT_HU = 90.0
_INSIDE_SHARE = 0.95

SPINE = Subject("bones", structure="vertebrae")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """The spine's centre line, points `(n, 3)` in RAS 1 mm apart, and the unit directions along it."""

    points: Floats
    directions: Floats


def bone_measurements(scan: Scan) -> list[Measurement]:
    """Write down trabecular density; the height ratio is always unknown, with the reason."""
    return [
        *_trabecular(scan),
        SPINE.unknown("vertebral_height_ratio", WEDGE_METHOD, "endplates are not separated from discs reliably"),
    ]


def _trabecular(scan: Scan) -> list[Measurement]:
    names = scan.present("bones")
    spine = tuple(n for n in names if n.startswith("vertebrae")) or ("bone",)
    where = scan.frame.bounds(spine)
    if where is None:
        return _none_found("no vertebra in the scan or none found")
    part = scan.frame.crop(where, margin_mm=STEP_MM)
    bone = part.mask(spine)
    line = _centre_line(part, bone)
    bodies = _bodies(part, bone, line) if line is not None else []
    if line is None or not bodies:
        return _none_found("no vertebral body found in the bone mask")
    caveat = together(
        "published cut-offs are for L1, thoracic bodies are denser",
        "contrast raises it" if scan.blood.enhanced else "",
    )
    cores = ndimage.binary_dilation(_marked(part, line.points[[n for n, _ in bodies]]), iterations=3)
    place = part.place(SPINE, cores & bone)
    density = float(np.median([hu for _, hu in bodies]))
    return [
        SPINE.known("trabecular_density", density, METHOD, place, caveat),
        SPINE.known("count", len(bodies), COUNT_METHOD, place, "bodies whose density was measured, not all there are"),
    ]


def _none_found(reason: str) -> list[Measurement]:
    return [
        SPINE.unknown("trabecular_density", METHOD, reason),
        SPINE.unknown("count", COUNT_METHOD, reason),
    ]


def _centre_line(part: Frame, bone: BoolArray) -> Line | None:
    """Fit a smooth curve through the thick bone near the midline; None if there is too little of it."""
    thick = opened(bone, _BODY_MM)
    found = np.argwhere(thick)
    if not len(found):
        return None
    # The midline is that of all thick bone, since the spine outweighs what else may be thick.
    thick[:, :, np.abs(np.arange(thick.shape[2]) - np.median(found[:, 2])) * STEP_MM > _OFF_MIDLINE_MM] = False
    deep = np.asarray(ndimage.distance_transform_edt(thick, sampling=STEP_MM) > _CORE_MM)
    largest = [max(components(level[None]), key=np.sum)[0] if level.any() else level for level in deep]
    rows = np.flatnonzero([level.any() for level in largest])
    if len(rows) * STEP_MM < 2 * _HALF_HEIGHT_MM:
        return None
    centres = np.array(
        [[np.argwhere(largest[k]).mean(axis=0)[1], np.argwhere(largest[k]).mean(axis=0)[0], k] for k in rows]
    )
    ras = part.grid.to_ras(centres)
    z = np.arange(ras[0, 2], ras[-1, 2], 1.0)
    # A spine bends twice within a chest scan; higher orders would follow single bodies.
    order = int(np.clip((ras[-1, 2] - ras[0, 2]) / 60.0, 0, 5))
    middle, scale = ras[:, 2].mean(), max(float(np.ptp(ras[:, 2])) / 2, 1.0)
    fits = np.polynomial.polynomial.polyfit((ras[:, 2] - middle) / scale, ras[:, :2], order)
    xy = np.polynomial.polynomial.polyval((z - middle) / scale, fits).T
    points = np.column_stack([xy, z])
    steps = np.gradient(points, axis=0) if len(points) > 1 else np.array([[0.0, 0.0, 1.0]])
    return Line(points, steps / np.linalg.norm(steps, axis=1, keepdims=True))


def _bodies(part: Frame, bone: BoolArray, line: Line) -> list[tuple[int, float]]:
    """Return for each vertebral body its index on the line and the mean HU of its middle, flattest first."""
    hu, inside = _profile(part, bone, line)
    reach = int(_HALF_HEIGHT_MM) + 1
    swing = ndimage.maximum_filter1d(hu, 2 * reach + 1) - ndimage.minimum_filter1d(hu, 2 * reach + 1)
    whole = ndimage.minimum_filter1d(inside, 2 * reach + 1) >= _INSIDE_SHARE
    swing = np.where(whole, swing, np.inf)
    swing[:reach] = swing[-reach:] = np.inf
    found: list[tuple[int, float]] = []
    for n in np.argsort(swing, kind="stable"):
        if swing[n] > _FLAT_HU:
            break
        if all(abs(int(n) - other) >= _APART_MM for other, _ in found):
            found.append((int(n), float(hu[n - reach + 1 : n + reach].mean())))
    return found


def _profile(part: Frame, bone: BoolArray, line: Line) -> tuple[Floats, Floats]:
    """Return along the line the mean HU of a disc of 14 mm across it, and the share of the disc that is bone."""
    right = np.array([1.0, 0.0, 0.0]) - line.directions[:, :1] * line.directions
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    front = np.cross(line.directions, right)
    steps = np.arange(-_CYLINDER_MM, _CYLINDER_MM + 0.1, 1.0)
    u, v = (a.ravel() for a in np.meshgrid(steps, steps))
    keep = u**2 + v**2 <= _CYLINDER_MM**2
    disc = u[keep, None] * right[:, None] + v[keep, None] * front[:, None]
    index = part.grid.to_ijk(line.points[:, None] + disc)[..., ::-1]
    where = np.moveaxis(index, -1, 0)
    hu = ndimage.map_coordinates(part.hu, where, order=1, mode="nearest")
    held = ndimage.map_coordinates(bone.astype(np.uint8), where, order=0, mode="constant")
    return hu.mean(axis=1, dtype=np.float64), held.mean(axis=1, dtype=np.float64)


def _marked(part: Frame, points: Floats) -> BoolArray:
    mask = np.zeros(part.labels.shape, dtype=bool)
    index = np.rint(part.grid.to_ijk(points)).astype(int)[:, ::-1]
    mask[tuple(np.clip(index, 0, np.array(mask.shape) - 1).T)] = True
    return mask
