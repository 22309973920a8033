"""Density of trabecular bone in the vertebral bodies.

Bodies are found within the bone mask by thickness and position, or taken from the segmenter's vertebra labels.
Wedging is not measured: without vertebra labels the endplates are not told from discs reliably.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import STEP_MM, Frame
from .scan import Scan, together
from .shape import components, opened
from .subject import Subject

METHOD = (
    "median HU of the cores of vertebral bodies, 6 mm off cortex and endplates, median over the bodies in the scan "
    "(cut-offs for L1: 110 HU specific, 160 HU sensitive for osteoporosis, Pickhardt PJ et al., Ann Intern Med "
    "2013;158:588)"
)
COUNT_METHOD = "vertebral bodies with a measurable trabecular core"
WEDGE_METHOD = "anterior over posterior height of a vertebral body (Genant HK et al., J Bone Miner Res 1993;8:1137)"
OSTEOPOROSIS_HU = 110.0
LOW_HU = 160.0
_CORE_MM = 6.0
# Vertebral bodies are the only bone of the chest that holds a ball of 16 mm; sternum and scapulae do not.
_BODY_MM = 8.0
_OFF_MIDLINE_MM = 30.0
_SMALLEST_CORE = 60

SPINE = Subject("bones", structure="vertebrae")


def bone_measurements(scan: Scan) -> list[Measurement]:
    """Write down trabecular density; the height ratio is always unknown, with the reason."""
    return [
        *_trabecular(scan),
        SPINE.unknown("vertebral_height_ratio", WEDGE_METHOD, "endplates are not separated from discs reliably"),
    ]


def _trabecular(scan: Scan) -> list[Measurement]:
    names = scan.present("bones")
    where = scan.frame.bounds(names)
    if where is None:
        return _none_found("no vertebra in the scan or none found")
    part = scan.frame.crop(where, margin_mm=STEP_MM)
    cores = _cores(scan, part)
    if not cores:
        return _none_found("no vertebral body found in the bone mask")
    value = float(np.median([np.median(part.hu[core]) for core in cores]))
    caveat = together(
        "published cut-offs are for L1, thoracic bodies are denser",
        "contrast raises it" if scan.blood.enhanced else "",
    )
    place = part.place(SPINE, np.logical_or.reduce(cores))
    return [
        SPINE.known("trabecular_density", value, METHOD, place, caveat),
        SPINE.known("count", len(cores), COUNT_METHOD, place, "bodies whose density was measured, not all there are"),
    ]


def _none_found(reason: str) -> list[Measurement]:
    return [
        SPINE.unknown("trabecular_density", METHOD, reason),
        SPINE.unknown("count", COUNT_METHOD, reason),
    ]


def _cores(scan: Scan, part: Frame) -> list[BoolArray]:
    """Return the trabecular core of each vertebral body."""
    named = [n for n in part.structures if n.startswith("vertebrae")]
    bone = part.mask(n for n in part.structures if n in _BODIES) if not named else part.mask(named)
    near = _near_spine(scan, part, opened(bone, _BODY_MM))
    # Distance from the surface, counted in the bone itself: the opening has already rounded its corners.
    depth = np.asarray(ndimage.distance_transform_edt(near, sampling=STEP_MM))
    return [core for core in components(np.asarray(depth > _CORE_MM)) if core.sum() >= _SMALLEST_CORE]


def _near_spine(scan: Scan, part: Frame, thick: BoolArray) -> BoolArray:
    """Keep what lies near the midline in the posterior half; the midline is that of the thick bone itself."""
    found = np.argwhere(thick)
    if not len(found):
        return thick
    middle = float(np.median(found[:, 2]))
    off = np.abs(np.arange(thick.shape[2]) - middle) * STEP_MM > _OFF_MIDLINE_MM
    kept: BoolArray = thick.copy()
    kept[:, :, off] = False
    return kept


_BODIES = frozenset({"bone"})
