"""Where airless lung or fluid that is known goes on: beside the spine, in thin tails, and down into the recess.

Straight lines from the lung to the ribs do not reach there. Nothing is found here that has no known part above or
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .spine import Spine
from .working import Field, Mask, Working, closed, grown, opened, parts

FLUID_HU = (-20.0, 32.0)
"""Mean density of 100 effusions: transudates 0 to 32 HU, exudates -21 to 28 HU (Abramowitz et al., AJR 192:618,
2009)."""
FLUID_STEP_HU = 20.0
"""Fluid is told from an organ below that is denser by this; half of it parts both, muscle is 30-50 HU denser."""
RECESS_MM = 100.0
"""The posterior recess reaches 60-100 mm below the dome."""
GUTTER_MM = 35.0
"""The gutter beside a vertebral body is this wide, and lung collapsed into it twice that."""
AORTA_MM = 15.0
"""The aorta beside the spine reaches this far behind the front of the bodies."""
BRIGHT_HU = 150.0
"""Blood with contrast; collapsed lung enhances to 100-130."""
HEART_MM = 40.0
BEFORE_MM = 10.0
"""Lateral of the aorta the heart begins this far in front of the bodies."""
BACK_MM = 12.0
BACK_SLOPE = 0.6
"""The gutter ends at the level of the canal; lateral of it the ribs run back to their angles."""
WALL_NEAR_MM = 10.0
GAP_MM = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What bounds the search on one side: `free` is soft tissue inside the ribs that is no lung or airway, `mean` the
    density around each voxel, `outwards` the distance from the plane of the spine, `air` the side's aerated lung, and
    above the slice `dome` lies no abdomen."""

    free: Mask
    wall: Mask
    mean: Field
    outwards: npt.NDArray[np.float32]
    air: Mask
    dome: int
    right: bool


def continued(scan: Working, dense: Mask, around: Surroundings, spine: Spine) -> Mask:
    """Return `dense` with what goes on from it beside the spine and down into the recess."""
    s = scan.spacing_mm
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    levels = np.flatnonzero(dense.any((1, 2)))
    height = np.arange(scan.hu.shape[0])[:, None, None]
    past_body = around.outwards > spine.half_width_mm[:, None, None] + 2.0
    limit = spine.front[:, None, None] + np.where(around.outwards > HEART_MM, BEFORE_MM / s, 0)
    behind = around.free & past_body & (rows < limit)
    behind &= rows > spine.y[:, None, None] - _back_mm(around.outwards) / s
    # The aorta lies beside the left front of the spine: contrast tells it, else its place.
    aorta = np.asarray(scan.hu > BRIGHT_HU) | (around.mean > BRIGHT_HU)
    if not around.right and not _bright_aorta(scan, aorta & past_body, around.outwards):
        aorta = aorta | (rows > (spine.front - AORTA_MM / s)[:, None, None]) & (around.outwards < GUTTER_MM)
    gutter = (
        behind
        & ~aorta
        & (around.outwards < 2 * GUTTER_MM)
        & (height >= max(levels[0], around.dome))
        & (height <= levels[-1])
    )
    gutter &= around.mean > FLUID_HU[0]
    found = _reached(opened(gutter | dense, s, s), dense) | dense
    found |= closed(found, GAP_MM, s) & around.free & past_body & ~aorta & (around.mean > FLUID_HU[0])
    return _into_recess(scan, found, around, spine)


def _into_recess(scan: Working, dense: Mask, around: Surroundings, spine: Spine) -> Mask:
    """Add the fluid below, where the organ in front of it is denser."""
    s = scan.spacing_mm
    at_wall = dense & grown(around.wall, WALL_NEAR_MM, s)
    if not at_wall.any():
        return dense
    # Collapsed lung may lie at the wall too: the fluid is the less dense of both.
    own = float(np.percentile(around.mean[at_wall], 25))
    organ = _organ_hu(scan, around)
    if not FLUID_HU[0] < own < FLUID_HU[1] or organ is None or organ - own < FLUID_STEP_HU:
        return dense
    rows = np.arange(scan.hu.shape[1])[None, :, None]
    height = np.arange(scan.hu.shape[0])[:, None, None]
    posterior = (rows < spine.front[:, None, None]) & (rows > spine.y[:, None, None] - _back_mm(around.outwards) / s)
    posterior &= around.outwards > spine.half_width_mm[:, None, None] + 2.0
    under = height <= np.argwhere(dense)[:, 0].mean()
    limit = min((own + organ) / 2, own + FLUID_STEP_HU)
    similar = around.free & posterior & under & (around.mean > FLUID_HU[0]) & (around.mean < limit)
    similar &= grown(dense, RECESS_MM, s)
    return _reached(opened(similar | dense, s, s), dense) | dense


def _back_mm(outwards: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how far behind the canal the pleural space reaches: not into the muscles of the back."""
    return np.asarray(BACK_MM + BACK_SLOPE * np.maximum(outwards - GUTTER_MM, 0), dtype=np.float32)


def _organ_hu(scan: Working, around: Surroundings) -> float | None:
    """Return the density of what lies 15 to 40 mm under the base of the lung, None if that is fat or nothing."""
    columns: Mask = np.asarray(around.air.any(axis=0))
    base = around.air.argmax(axis=0)
    height = np.arange(scan.hu.shape[0])[:, None, None] - base[None]
    near, far = (-round(mm / scan.spacing_mm) for mm in (15.0, 40.0))
    organ = around.mean[(height <= near) & (height >= far) & columns[None] & (around.mean > 20.0) & (scan.hu > -20)]
    return float(np.median(organ)) if len(organ) * scan.voxel_ml > 20.0 else None


def _bright_aorta(scan: Working, bright: Mask, outwards: npt.NDArray[np.float32]) -> bool:
    """Tell whether contrast shows the aorta beside the spine: at least 5 mL, as in 10 mm of its length."""
    return float((bright & (outwards < GUTTER_MM)).sum()) * scan.voxel_ml >= 5.0


def _reached(mask: Mask, seed: Mask) -> Mask:
    """Return the parts of `mask` that touch `seed`."""
    labels, _ = parts(mask | seed)
    keep = np.unique(labels[seed])
    return np.asarray(np.isin(labels, keep[keep > 0]))
