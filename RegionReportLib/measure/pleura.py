"""Pleural fluid and free air of one hemithorax, by density, shape and contact with its wall.

Both are measured within the segmenter's hemithorax, whose outline must enclose them. Neither is told from its
mimics with certainty: low-density consolidation for fluid, a large subpleural bulla for air; sentences say so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import STEP_MM, Frame, HuFrame, voxel_ml
from .hemithorax import Hemithorax
from .shape import components, dilated, eroded, opened
from .subject import Subject

# Mean density of 100 effusions: transudates 0 to 32 HU, exudates −21 to 28 HU (Abramowitz Y et al., AJR 2009;192:618).
FLUID_HU = (-20.0, 32.0)
# Half-width around a collection's own median: within fluid only noise remains after averaging. Where fluid and
# collapsed lung make two peaks, the valley between them bounds the fluid instead.
_FLUID_SPREAD_HU = 20.0
# Two peaks: the means of both sides of Otsu's threshold lie this many SD of the whole apart. One normal peak gives
# 1.6 (twice 0.8), two far ones 2; and this many HU, so that noise is not split.
_TWO_PEAKS_SD = 1.7
_TWO_PEAKS_HU = 8.0
# Half-way between aerated lung and fluid; whole voxels of fluid count from here at the lung's side.
_FLUID_EDGE_HU = -400.0
# Below this a rim of partial volume or a normal pleura cannot be told from fluid.
FLUID_LIMIT_ML = 10.0
_SHEET_MM = 3.0

# Free air has no tissue in it: as dark as the air of the trachea, −1000 ± calibration (Cai W et al., AJR 2011;197:830).
AIR_LIMIT_ML = 10.0
_AIR_HU = -980.0
_AIR_ABOVE_TRACHEA_HU = 12.0
_AIR_EDGE_HU = -925.0
_WALL_EDGE_HU = -400.0
_WALL_SHARE = 0.3
# In a lung with emphysema (5 %: Amaza IP et al., Int J COPD 2021;16:1231), small dark areas along the wall are bullae
# until shown otherwise.
_EMPHYSEMA_HU = -950.0
_BULLOUS_SHARE = 0.05
_SURE_AIR_ML = 150.0

FLUID_METHOD = (
    "soft tissue of −20 to 32 HU (Abramowitz, AJR 2009;192:618) within the hemithorax, homogeneous, more than "
    "6 mm thick, in contact with its wall; 2 mm averages"
)
AIR_METHOD = (
    "air as dark as that of the trachea (below −980 HU if unknown) without lung texture, more than 6 mm thick, "
    "non-dependent, along the wall of the hemithorax (after Cai, AJR 2011;197:830); 2 mm averages"
)
GIVEN_METHOD = "volume of the segmenter's pleural effusion mask"


def fluid_in(part: Frame, mask: BoolArray) -> BoolArray:
    """Return the pleural fluid of a hemithorax `mask`, all False if there is none that can be told."""
    nothing = np.zeros_like(mask)
    solid = opened(mask & (part.hu > -200.0), _SHEET_MM)
    if solid.sum() * voxel_ml() < FLUID_LIMIT_ML / 2:
        return nothing
    smooth = smoothed(part.hu, solid)
    low, high = FLUID_HU
    # Without the rim, whose partial volume would make a peak of its own.
    valley = _valley_hu(smooth[eroded(solid, STEP_MM)])
    high = high if valley is None else min(high, valley)
    seeds = opened(solid & (smooth > low) & (smooth < high), _SHEET_MM)
    wall = dilated(~mask, 4.0)
    found = nothing
    for blob in components(seeds):
        if blob.sum() * voxel_ml() < FLUID_LIMIT_ML / 4:
            break
        if _is_fluid(part.hu, smooth, blob, wall):
            level = float(np.median(smooth[blob]))
            top = level + _FLUID_SPREAD_HU if valley is None else valley
            found = found | _grown(blob, solid & (smooth > level - _FLUID_SPREAD_HU) & (smooth < top))
    # Partial volume with aerated lung on one side, with the chest wall on the other.
    rim = (part.hu > _FLUID_EDGE_HU) & ~solid | dilated(~mask, STEP_MM)
    return np.asarray(found | (dilated(found, 3.0) & mask & rim))


def free_air_in(part: Frame, mask: BoolArray, trachea_hu: float | None) -> BoolArray:
    """Return the air between lung and chest wall of a hemithorax `mask`, all False if there is none that can be told.

    `trachea_hu` is the density of the air in the trachea, which calibrates the threshold to the scanner.
    """
    nothing = np.zeros_like(mask)
    limit = _AIR_HU if trachea_hu is None else float(np.clip(trachea_hu + _AIR_ABOVE_TRACHEA_HU, -985.0, -960.0))
    if (mask & (part.hu < limit)).sum() * voxel_ml() < AIR_LIMIT_ML / 2:
        return nothing
    inner = mask & (part.hu < _AIR_EDGE_HU)  # the rim of partial volume must not lift the average
    dark = inner & (smoothed(part.hu, inner) < limit)
    core = opened(dark, _SHEET_MM)
    wall = dilated(~mask, 6.0)
    middle = np.argwhere(mask).mean(axis=0)
    found = nothing
    for blob in components(core):
        if blob.sum() * voxel_ml() < AIR_LIMIT_ML / 2:
            break
        if _is_free_air(blob, wall, float(middle[1])):
            found = found | blob
    # What is as dark and not walled off is the same air, however thin: the tails of a pneumothorax.
    found = np.asarray(ndimage.binary_dilation(found, iterations=0, mask=dark | found)) if found.any() else found
    rim = mask & dilated(found, 4.0) & ((part.hu < _AIR_EDGE_HU) | (wall & (part.hu < _WALL_EDGE_HU)))
    return np.asarray(found | rim)


def smoothed(hu: HuFrame, mask: BoolArray) -> HuFrame:
    """Return HU averaged over about 5 mm within `mask` only, so that neighbours beyond its edge do not leak in."""
    weight = mask.astype(np.float32)
    total = ndimage.gaussian_filter(np.where(mask, hu, np.float32(0)), 1.0, truncate=2.0)
    share = ndimage.gaussian_filter(weight, 1.0, truncate=2.0)
    return np.where(mask, total / np.maximum(share, 1e-3), hu).astype(np.float32)


def fluid_volume(half: Hemithorax, caveat: str, cut_faces: frozenset[str]) -> Measurement:
    """Write down the volume of pleural fluid; its uncertainty is half a voxel around its surface.

    Where the scan cuts the side off below, behind or laterally, little or no fluid says nothing: it collects there.
    """
    subject = Subject("lungs", side=half.side)
    method = GIVEN_METHOD if half.fluid_given else FLUID_METHOD
    value = float(half.fluid.sum()) * voxel_ml()
    cut = sorted(cut_faces & {"inferior", "posterior", half.side.value})
    if cut and value < FLUID_LIMIT_ML:
        what = "base not in the scan" if "inferior" in cut else f"cut at the {cut[0]} edge of the scan"
        return subject.unknown("fluid_volume", method, f"{half.side.value} lung {what}")
    place = half.part.place(subject, half.fluid if half.fluid.any() else half.mask)
    return replace(subject.known("fluid_volume", value, method, place, caveat), uncertainty=_edge_ml(half.fluid))


def air_volume(half: Hemithorax, caveat: str) -> Measurement:
    """Write down the volume of air outside the lung."""
    subject = Subject("lungs", side=half.side)
    value = float(half.air.sum()) * voxel_ml()
    place = half.part.place(subject, half.air if half.air.any() else half.mask)
    bullous = float((half.part.hu[half.lung] < _EMPHYSEMA_HU).mean()) > _BULLOUS_SHARE
    if AIR_LIMIT_ML <= value < _SURE_AIR_ML and bullous:
        reason = "dark areas along the wall are not told from bullae in a lung with emphysema"
        return subject.unknown("extrapulmonary_air_volume", AIR_METHOD, reason, place)
    return subject.known("extrapulmonary_air_volume", value, AIR_METHOD, place, caveat)


def _is_fluid(hu: HuFrame, smooth: HuFrame, blob: BoolArray, wall: BoolArray) -> bool:
    """Tell fluid from low-density lung: homogeneous, no air bronchograms, and lying on the wall."""
    inner = eroded(blob, STEP_MM)
    if inner.sum() < 20:
        inner = blob
    aerated = float((hu[inner] < -120.0).mean())
    surface = blob & ~eroded(blob, STEP_MM)
    on_wall = float(wall[surface].mean())
    return aerated < 0.02 and float(smooth[inner].std()) < 15.0 and on_wall > 0.25


def _is_free_air(blob: BoolArray, wall: BoolArray, middle_j: float) -> bool:
    """Tell free air from bullae: it lies along the wall and on top (anterior, the patient lying on the back)."""
    surface = blob & ~eroded(blob, STEP_MM)
    on_top = float(np.argwhere(blob)[:, 1].mean()) > middle_j
    return on_top and float(wall[surface].mean()) > _WALL_SHARE


def _valley_hu(values: npt.NDArray[np.float32]) -> float | None:
    """Return the density that parts fluid from collapsed lung (Otsu's threshold), None if there is one peak only."""
    counts, edges = np.histogram(values, bins=np.arange(FLUID_HU[0], 141.0, 2.0))
    # A tail of partial volume below the fluid's peak must not pass for a peak: cut it off, symmetric to noise above.
    mode = int(np.argmax(ndimage.uniform_filter1d(counts[: int((FLUID_HU[1] - FLUID_HU[0]) / 2)].astype(float), 3)))
    counts[: max(mode - 5, 0)] = 0
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (sums[-1] - sums) / above - sums / below
    between = np.nan_to_num(apart) ** 2 * below * above
    n = int(np.argmax(between))
    total = below[-1]
    if total == 0:
        return None
    spread = float(np.sqrt(max((counts * centres**2).sum() / total - (sums[-1] / total) ** 2, 0.0)))
    two = np.nan_to_num(apart[n]) > max(_TWO_PEAKS_SD * spread, _TWO_PEAKS_HU)
    return float(edges[n + 1]) if two else None


def _grown(seed: BoolArray, allowed: BoolArray) -> BoolArray:
    return np.asarray(ndimage.binary_dilation(seed, iterations=3, mask=allowed | seed))


def _edge_ml(mask: BoolArray) -> float:
    return 0.5 * float((mask & ~eroded(mask, STEP_MM)).sum()) * voxel_ml()
