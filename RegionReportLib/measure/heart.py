"""Widths of heart and thorax with their ratio, and calcium in the region of heart and aorta."""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy.regions import Side
from ..imaging.masks import BoolArray, Slices, joined
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import STEP_MM, Frame
from .scan import Scan, together
from .subject import Subject

HEART_METHOD = "largest right–left extent of the heart mask in one axial slice of the patient frame"
THORAX_METHOD = "largest right–left extent between the outer surfaces of both lungs in one axial slice"
RATIO_METHOD = (
    "heart width over inner thoracic width (Danzer CS, Am J Med Sci 1919;157:513; enlarged above 0.50, on CT: "
    "Gollub MJ et al., J Comput Assist Tomogr 2012;36:67)"
)
CALCIUM_METHOD = (
    "voxels above 130 HU in components of at least 1 mm³ (Agatston AS et al., J Am Coll Cardiol 1990;15:827; volume "
    "score: Callister TQ et al., Radiology 1998;208:807) in the mask of heart and great vessels, 3 mm off bone"
)
CALCIUM_HU = 130.0
SMALLEST_MM3 = 1.0
# The score is defined on sections of 3 mm (Agatston 1990).
THICKEST_MM = 3.0
_OFF_BONE_MM = 3.0
_INSIDE_SHARE = 0.5
_MARGIN_MM = 10.0
# A component counts if its peak stands this many SD of the smoothed blood above it: noise does not make calcium.
_PEAK_SD = 5.0
_METAL_HU = 2000.0

HEART = Subject("heart_great_vessels")


@dataclass(frozen=True, slots=True)
class Width:
    """The widest axial slice of a mask: its extent along right–left and a thin box around it."""

    mm: float
    z_mm: float
    place: Place | None


def width_measurements(scan: Scan) -> list[Measurement]:
    """Write down heart width, thoracic width and their ratio, each None where what it needs is cut."""
    heart_names = ("heart", *_CHAMBERS) if "heart" in scan.bounds or _CHAMBERS[0] in scan.bounds else _WHOLE
    lungs = (*scan.sided(Side.RIGHT), *scan.sided(Side.LEFT))
    heart_why, thorax_why = _heart_obstacle(scan, heart_names), _thorax_obstacle(scan)
    heart = None if heart_why else widest(scan.frame, heart_names, HEART)
    thorax = None if thorax_why else widest(scan.frame, lungs, Subject("lungs"))
    if thorax is not None and "inferior" in scan.cut_faces(lungs) and _at_lower_end(scan.frame, lungs, thorax):
        thorax, thorax_why = None, "widest level of the thorax lies at the lower end of the scan"
    found = [
        HEART.known("heart_width", heart.mm, HEART_METHOD, heart.place)
        if heart
        else HEART.unknown("heart_width", HEART_METHOD, heart_why or "heart not found"),
        HEART.known("thorax_width", thorax.mm, THORAX_METHOD, thorax.place)
        if thorax
        else HEART.unknown("thorax_width", THORAX_METHOD, thorax_why or "lungs not found"),
    ]
    if heart and thorax:
        return [*found, HEART.known("cardiothoracic_ratio", heart.mm / thorax.mm, RATIO_METHOD, heart.place)]
    return [*found, HEART.unknown("cardiothoracic_ratio", RATIO_METHOD, together(heart_why, thorax_why))]


def widest(frame: Frame, names: tuple[str, ...], subject: Subject) -> Width | None:
    """Return the largest right–left extent of structures over the axial slices.

    The running median over three slices keeps a stray voxel from setting it.
    """
    where = frame.bounds(names)
    if where is None:
        return None
    part = frame.crop(where)
    mask = part.mask(names)
    columns = np.asarray(np.any(mask, axis=1))
    seen = np.any(columns, axis=1)
    span = columns.shape[1] - columns[:, ::-1].argmax(axis=1) - columns.argmax(axis=1)
    widths = ndimage.median_filter(np.where(seen, span, 0), 3, mode="nearest")
    k = int(np.argmax(widths))
    level = np.zeros_like(mask)
    level[k] = mask[k]
    return Width(float(widths[k]) * STEP_MM, float(part.heights_mm()[k]), part.place(subject, level))


def calcium(scan: Scan) -> Measurement:
    """Write down the calcium volume in the mask of heart and great vessels, None with contrast in the vessels."""
    names = scan.present("heart_great_vessels")
    where = joined(scan.bounds[n] for n in names)
    if where is None:
        return HEART.unknown("calcium_volume", CALCIUM_METHOD, "heart and great vessels not in the scan or not found")
    if scan.blood.caveat:
        return HEART.unknown("calcium_volume", CALCIUM_METHOD, scan.blood.caveat)
    if scan.slice_spacing_mm > THICKEST_MM + 0.05:
        reason = f"voxels of {scan.slice_spacing_mm:.1f} mm are too coarse for calcium (at most {THICKEST_MM:.0f} mm)"
        return HEART.unknown("calcium_volume", CALCIUM_METHOD, reason)
    where = _widened(scan, where, _MARGIN_MM)
    deposits = _deposits(scan, where)
    grid = scan.volume.grid
    value = float((deposits > 0).sum()) * grid.voxel_ml * 1000.0
    metal = bool((scan.volume.hu[where][deposits > 0] > _METAL_HU).any())
    words = together(scan.caveat("heart_great_vessels"), "metal counted with it" if metal else "")
    return HEART.known("calcium_volume", value, CALCIUM_METHOD, _calcium_place(scan, deposits, where), words)


def _deposits(scan: Scan, where: Slices) -> npt.NDArray[np.uint32]:
    """Return the labelled calcium components in the native block `where`.

    What is bright mostly outside the region (a vertebra's rim, calcified cartilage) does not count where it reaches in.
    """
    region = scan.masks.region("heart_great_vessels", where)
    hu = scan.volume.hu[where]
    bright = hu > CALCIUM_HU
    if not (bright & region).any():
        return np.zeros(bright.shape, dtype=np.uint32)
    spacing = np.array(scan.volume.grid.spacing_mm[::-1])
    smooth = ndimage.gaussian_filter(hu.astype(np.float32), 0.8 / spacing, truncate=2.0)
    blood = smooth[region & ~bright & (hu > -20)]
    level = float(np.median(blood))
    spread = 1.4826 * float(np.median(np.abs(blood - level)))
    labels = np.asarray(cc3d.connected_components(bright, connectivity=26))
    inside = np.where(region & ~_near_bone(scan, where, spacing), labels, 0)
    sizes = np.bincount(inside.ravel(), minlength=int(labels.max()) + 1)
    peaks = np.full(len(sizes), -np.inf)
    np.maximum.at(peaks, inside[inside > 0], smooth[inside > 0])
    keep = (sizes * scan.volume.grid.voxel_ml * 1000.0 >= SMALLEST_MM3) & (peaks > level + _PEAK_SD * spread)
    keep &= sizes > _INSIDE_SHARE * np.bincount(labels.ravel(), minlength=len(sizes))
    keep[0] = False
    return np.where(keep[inside], inside, 0).astype(np.uint32)


def _near_bone(scan: Scan, where: Slices, spacing: npt.NDArray[np.float64]) -> BoolArray:
    """Return the voxels of the block `where` within 3 mm of bone in it."""
    bone = scan.masks.region("bones", where)
    reach = np.maximum(np.rint(_OFF_BONE_MM / spacing), 1).astype(int)
    size = tuple(int(2 * r + 1) for r in reach)
    return np.asarray(ndimage.maximum_filter(bone.astype(np.uint8), size) > 0)


def _widened(scan: Scan, where: Slices, margin_mm: float) -> Slices:
    """Return a native block with a margin around it, as far as the scan goes."""
    more = np.ceil(margin_mm / np.array(scan.volume.grid.spacing_mm[::-1])).astype(int)
    k, j, i = (
        slice(max(s.start - int(m), 0), min(s.stop + int(m), n))
        for s, m, n in zip(where, more, scan.masks.labels.shape, strict=True)
    )
    return k, j, i


def _calcium_place(scan: Scan, deposits: npt.NDArray[np.uint32], where: Slices) -> Place | None:
    """Return a box around all deposits with the point in the largest; the whole region if there are none."""
    if not deposits.any():
        part = scan.frame
        return part.place(HEART, part.mask(scan.present("heart_great_vessels")))
    grid = scan.volume.grid.crop((where[0].start, where[1].start, where[2].start), deposits.shape)
    found = np.argwhere(deposits)
    sizes = np.bincount(deposits.ravel())
    sizes[0] = 0
    largest = np.argwhere(deposits == np.argmax(sizes))
    middle = largest[np.argmin(((largest - largest.mean(axis=0)) ** 2).sum(axis=1))]
    x, y, z = (float(v) for v in grid.to_ras(middle[::-1]))
    return Place("heart_great_vessels", grid.box_of(found.min(axis=0), found.max(axis=0) + 1), (x, y, z))


def _heart_obstacle(scan: Scan, names: tuple[str, ...]) -> str:
    if not any(n in scan.bounds for n in names):
        return "heart not in the scan or not found"
    cut = scan.cut_faces(names) & {"left", "right", "inferior"}
    return f"heart cut at the {_listed(cut)} edge of the scan" if cut else ""


def _thorax_obstacle(scan: Scan) -> str:
    if not (scan.sided(Side.RIGHT) and scan.sided(Side.LEFT)):
        return "not both lungs in the scan"
    cut = scan.cut_faces((*scan.sided(Side.RIGHT), *scan.sided(Side.LEFT))) & {"left", "right"}
    return f"thorax cut at the {_listed(cut)} edge of the scan" if cut else ""


def _at_lower_end(frame: Frame, names: tuple[str, ...], width: Width) -> bool:
    where = frame.bounds(names)
    return where is not None and width.z_mm - float(frame.heights_mm()[where[0].start]) < 10.0


def _listed(faces: set[str] | frozenset[str]) -> str:
    return " and ".join(sorted(faces))


_WHOLE = ("heart_great_vessels",)
_CHAMBERS = (
    "heart_myocardium",
    "heart_atrium_left",
    "heart_atrium_right",
    "heart_ventricle_left",
    "heart_ventricle_right",
)
