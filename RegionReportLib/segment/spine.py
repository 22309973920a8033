"""Where the spine runs: the line of the spinal canal, the one landmark that every chest CT has.

The canal is soft tissue ringed by bone, at the same place in slice after slice; contrast, lungs and arms do not look
like that. Everything sided or "in front of" is measured from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .working import Mask, Working

FloatArray: TypeAlias = npt.NDArray[np.float32]

CANAL_SIGMA_MM = 4.0
"""The thoracic canal is 15-20 mm wide (Panjabi et al., Spine 16:888, 1991): a Gaussian of 4 mm stays inside."""
RING_MM = 15.0
"""From the canal's centre to the middle of body, pedicles and laminae."""
CANAL_HALF_MM = 8.0
"""Half the depth of the canal."""
BODY_DEPTH_MM = 42.0
"""From the canal's centre to the front of a large vertebral body: 10 mm of canal and up to 32 mm of body."""
FRONT_PERCENTILE = 70
CANDIDATES = 6
SKIP_MM = 100.0
"""So much of the spine may be hidden by what looks more like a ring: enhanced kidneys beside it, metal."""


@dataclass(frozen=True, slots=True, eq=False)
class Spine:
    """The canal's centre for each axial slice as voxel indices `x` and `y`, and the front of the bodies `front`."""

    x: FloatArray
    y: FloatArray
    front: FloatArray
    half_width_mm: FloatArray
    """Half the width of the vertebral bodies."""


def spine(scan: Working, body: Mask) -> Spine:
    """Return the line of the spinal canal; where a slice shows none, the neighbours' line goes on."""
    ring = _ringed(scan, body)
    candidates = [_peaks(plane) for plane in ring]
    path = _path(candidates, scan.spacing_mm)
    sigma = 10.0 / scan.spacing_mm
    x = ndimage.gaussian_filter1d(path[:, 1], sigma, mode="nearest").astype(np.float32)
    y = ndimage.gaussian_filter1d(path[:, 0], sigma, mode="nearest").astype(np.float32)
    front = _front(scan, x, y)
    # Thoracic bodies are 1.0 to 1.25 times as wide as deep (Panjabi et al.); rims of disease add to both.
    half_width = 0.62 * np.maximum((front - y) * scan.spacing_mm - CANAL_HALF_MM, 10.0) + 1.5
    return Spine(x, y, front, half_width.astype(np.float32))


def mirrored(mask: Mask, spine: Spine) -> Mask:
    """Return the mirror image of `mask` in the plane of the spine, slice by slice."""
    source = np.rint(2 * spine.x[:, None] - np.arange(mask.shape[2])[None, :])
    inside = np.isfinite(source) & (source >= 0) & (source < mask.shape[2])
    index = np.where(inside, source, 0).astype(int)
    return np.asarray(np.take_along_axis(mask, index[:, None, :], axis=2) & inside[:, None, :])


def vertebral_bodies(scan: Working, spine: Spine, margin_mm: float = 0.0, size: float = 1.0) -> Mask:
    """Return the room of the vertebral bodies, `margin_mm` wider and then scaled by `size` about their centres."""
    dy = (np.arange(scan.hu.shape[1])[None, :, None] - spine.y[:, None, None]) * scan.spacing_mm
    dx = (np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * scan.spacing_mm
    front = ((spine.front - spine.y) * scan.spacing_mm)[:, None, None] + margin_mm
    centre = front / 2 + 2.0
    half = spine.half_width_mm[:, None, None] + margin_mm
    # A superellipse: vertebral bodies are blunter than ellipses.
    reach = np.abs(dx / half) ** 3 + np.abs((dy - centre) / (front - centre)) ** 3
    return np.asarray(reach <= size**3)


def _ringed(scan: Working, body: Mask) -> FloatArray:
    """Return how much denser the surroundings of each point are than the point, averaged over 20 mm of height."""
    # Bone above 400 HU counts no more: metal and the arms' cortex must not outweigh a porous spine.
    dense = np.where(body, np.clip(scan.hu, 0, 400), 0).astype(np.float32)
    dense = ndimage.uniform_filter1d(dense, max(3, round(20.0 / scan.spacing_mm)), axis=0, mode="nearest")
    dense = ndimage.gaussian_filter(dense, (0, *[CANAL_SIGMA_MM / scan.spacing_mm] * 2))
    # Bone on all four sides: between spine and a bright aorta there is none to the right and left.
    # Mirrored at the sides, so that a scan that cuts through the spine still shows a ring.
    offset = round(RING_MM / scan.spacing_mm)
    padded = np.pad(dense, ((0, 0), (offset, offset), (offset, offset)), mode="symmetric")
    rows, columns = dense.shape[1:]
    starts = ((0, offset), (2 * offset, offset), (offset, 0), (offset, 2 * offset))
    around = [padded[:, j : j + rows, i : i + columns] for j, i in starts]
    score = np.minimum.reduce(around) - 0.7 * dense
    return np.asarray(np.maximum(score, 0) * _posterior_middle(body, scan.spacing_mm), dtype=np.float32)


def _posterior_middle(body: Mask, spacing_mm: float) -> FloatArray:
    """Return 0..1: high in the back half of the body near its middle; an arm or a hip cannot win."""
    rows = np.flatnonzero(body.any((0, 2)))
    weight = ndimage.gaussian_filter1d(body.sum((0, 1)).astype(np.float32), 20.0 / spacing_mm)
    columns = weight / max(float(weight.max()), 1.0)
    low, high = (rows[0], rows[-1]) if len(rows) else (0, body.shape[1] - 1)
    depth = (np.arange(body.shape[1]) - low) / max(high - low, 1)
    posterior = np.clip(1.6 - 2.0 * depth, 0.05, 1.0)
    return np.asarray(posterior[None, :, None] * (0.2 + 0.8 * columns[None, None, :]), dtype=np.float32)


def _peaks(plane: FloatArray) -> FloatArray:
    """Return the best local maxima of a plane as rows `(y, x, score)`."""
    top = (ndimage.maximum_filter(plane, 5) == plane) & (plane > 0)
    at = np.argwhere(top)
    score = plane[top]
    best = np.argsort(-score)[:CANDIDATES]
    return np.column_stack([at[best], score[best]]).astype(np.float32)


def _path(candidates: list[FloatArray], spacing_mm: float) -> FloatArray:
    """Return the chain `(y, x)` through the slices with the highest score and the fewest jumps.

    Slices whose best ring is faint, or lies where the spine cannot be, take no part; the line is interpolated there.
    """
    clear = [c[0, 2] for c in candidates if len(c)]
    scale = max(float(np.median(clear)), 1e-3) if clear else 1.0
    slices = [k for k, c in enumerate(candidates) if len(c) and c[0, 2] >= 0.3 * scale]
    if not slices:
        return np.full((len(candidates), 2), np.nan, np.float32)
    chosen = [candidates[k] for k in slices]
    reach = max(2, round(SKIP_MM / spacing_mm))
    total: list[Any] = []
    back: list[Any] = []
    for n, here in enumerate(chosen):
        own = here[:, 2] / scale
        best, source = own.copy(), np.full((len(own), 2), -1)
        for m in range(max(0, n - reach), n):
            gain = total[m][None, :] - _jump_cost(here, chosen[m], slices[n] - slices[m], spacing_mm)
            at = gain.argmax(axis=1)
            better = own + gain.max(axis=1) > best
            best = np.where(better, own + gain.max(axis=1), best)
            source[better] = np.column_stack([np.full(len(at), m), at])[better]
        total.append(best)
        back.append(source)
    n = int(np.argmax([t.max() for t in total]))
    at = int(total[n].argmax())
    path = []
    while n >= 0:
        path.append((slices[n], *chosen[n][at, :2]))
        n, at = (int(index) for index in back[n][at])
    line = np.array(path[::-1], dtype=np.float32)
    every = np.arange(len(candidates))
    return np.column_stack([np.interp(every, line[:, 0], line[:, a]) for a in (1, 2)]).astype(np.float32)


def _jump_cost(here: FloatArray, before: FloatArray, slices: int, spacing_mm: float) -> FloatArray:
    """Return what it costs to go from each candidate `before` to each one `here`, `slices` apart.

    The score of a clear slice is about 1: a jump of 10 mm costs that much, noise of a voxel little. Steeper than
    45 degrees no spine runs.
    """
    step = np.linalg.norm(here[:, None, :2] - before[None, :, :2], axis=2) * spacing_mm
    too_steep = np.maximum(step - (slices + 1) * spacing_mm, 0)
    return np.asarray(0.1 * step + 0.5 * too_steep)


def _front(scan: Working, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the row of the vertebral bodies' front in each slice, from the bone along the midline."""
    half = max(1, round(5.0 / scan.spacing_mm))
    depth = int(BODY_DEPTH_MM / scan.spacing_mm)
    front = np.empty(len(x), np.float32)
    for k, (cx, cy) in enumerate(zip(np.rint(x).astype(int), np.rint(y).astype(int), strict=True)):
        strip = scan.hu[k, cy : cy + depth, max(cx - half, 0) : cx + half + 1]
        bone = np.flatnonzero((strip > 130).mean(axis=1) >= 0.5) if strip.size else np.empty(0, int)
        front[k] = bone[-1] if len(bone) else np.nan
    known = np.isfinite(front)
    typical = float(np.median(front[known])) if known.any() else 0.8 * depth
    front = np.where(known, front, typical)
    # Discs and porous marrow show no bone at the front, an aorta before it may add to it: endplates, dense to their
    # front, are a third of the height.
    front = ndimage.percentile_filter(front, FRONT_PERCENTILE, max(3, round(40.0 / scan.spacing_mm)), mode="nearest")
    return np.asarray(y + front, dtype=np.float32)
