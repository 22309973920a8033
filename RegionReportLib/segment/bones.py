"""Bones: spine with discs and canal, ribs with their cartilages, sternum, shoulders and what is there of the arms.

Dense contrast in heart, vessels, kidneys and bowel is told from bone by place: bone lies outside the spaces that the
lungs, the mediastinum and the abdominal cavity fill, except for the spine, which its own line finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from .spine import Spine, vertebral_bodies
from .working import (
    Mask,
    Working,
    axial_parts,
    axially_filled,
    closed,
    grown,
    opened,
    parts,
    smoothed,
)

BONE_LEAST_HU = 150
"""Trabecular bone of the young measures 150-250 HU, of the old under 100 (Pickhardt, Ann Intern Med 158:588, 2013):
the shell is found from here up, what it encloses is filled."""
ARCH_HALF_WIDTH_MM = 38.0
"""Half the width across the transverse processes."""
CANAL_MM = 9.0
"""Half the width of the thoracic canal is 8-10 mm (Panjabi et al., Spine 16:888, 1991)."""
CANAL_LEAST_HU = -30.0
"""The sac with a little fat around it; the fat between the arches measures less."""
DISC_MM = 10.0
"""Thoracic and upper lumbar discs are 3-10 mm high (Panjabi et al.): gaps of this height within the spine are discs."""
CORE = 0.8
"""Share of the body's half axes that certainly lies inside it; beyond, density decides."""
CORE_LEAST_HU = 0
"""Discs and marrow measure more, unless the marrow is all fat; vacuum in a disc is air."""
STERNUM_HALF_WIDTH_MM = 40.0
"""The manubrium is 50-70 mm wide, the joints with the clavicles included 80 mm."""
STERNUM_THICK_MM = 7.5
"""Half of the thickness of sternum and manubrium, 10-15 mm: its thin shell is closed over the marrow."""
CARTILAGE_ABOVE_HU = 8.0
CARTILAGE_MOST_HU = 400.0
"""Costal cartilage measures about 100 HU where not calcified, muscle 50-70. At working resolution the middle of a rod
of 10 mm keeps half of that difference, and muscle varies by 3-5 HU, more in noise: by twice that it lies above."""
CARTILAGE_RIM_HU = 8.0
"""A rim voxel of the working grid is half fat or muscle; with less than this it is mostly that."""
CARTILAGE_THICK_MM = 9.0
"""Half of twice the usual thickness of 10 mm: wider than this are organs."""
CARTILAGE_REACH_MM = 25.0
"""Cartilages lie this near to the inside of the chest."""


@dataclass(frozen=True, slots=True, eq=False)
class Bones:
    """`vertebrae`: bodies, discs, arches and processes; `canal`; `cartilages`; `others`: ribs, sternum, shoulders."""

    vertebrae: Mask
    canal: Mask
    cartilages: Mask
    others: Mask


def bones(scan: Working, body: Mask, soft_spaces: Mask, hull: Mask, spine: Spine) -> Bones:
    """Return the bones; `soft_spaces` (lungs, mediastinum, abdominal cavity) hold none outside the spine's reach.

    `hull` is the axial hull of the lungs.
    """
    vertebrae, canal = _spine(scan, body, spine)
    dense = (scan.hu > BONE_LEAST_HU) & body
    shell = _solid_parts(scan, dense & ~soft_spaces & ~vertebrae & ~canal)
    filled = closed(shell, scan.spacing_mm, scan.spacing_mm) | _sternum(scan, shell, spine)
    filled = axially_filled_small(filled, scan) & body & ~soft_spaces & ~vertebrae & ~canal & (scan.hu > -50)
    others = filled | shell
    cartilages = _cartilages(scan, body & ~soft_spaces & ~others & ~vertebrae, others, hull, spine)
    return Bones(vertebrae, canal, cartilages, others)


def _spine(scan: Working, body: Mask, spine: Spine) -> tuple[Mask, Mask]:
    """Return vertebrae with discs, and the canal."""
    column, core, canal = _rooms(scan, spine)
    dense = _solid_parts(scan, (scan.hu > BONE_LEAST_HU) & body & column)
    if not dense.any():
        return dense, dense
    # Discs: gaps of their height between two bodies.
    gap = 2 * round(DISC_MM / 2 / scan.spacing_mm) + 1
    stacked = ndimage.binary_closing(
        np.pad(dense, ((gap, gap), (0, 0), (0, 0)), mode="edge"), np.ones((gap, 1, 1), bool)
    )
    bone = (
        closed(stacked[gap:-gap] | (core & (scan.hu > CORE_LEAST_HU)), scan.spacing_mm, scan.spacing_mm) & column & body
    )
    lumen = canal & ~dense & body & (smoothed(scan.hu, scan.spacing_mm, scan.spacing_mm) > CANAL_LEAST_HU)
    return (bone & ~lumen & (scan.hu > -100)), lumen


def _rooms(scan: Working, spine: Spine) -> tuple[Mask, Mask, Mask]:
    """Return the room of the spine (body and, wider and behind, arch), the body's sure core, and the canal."""
    s = scan.spacing_mm
    dy = (np.arange(scan.hu.shape[1])[None, :, None] - spine.y[:, None, None]) * s
    dx = (np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * s
    front = ((spine.front - spine.y) * s)[:, None, None] + 2.0
    centre = front / 2 + 2.0
    half = spine.half_width_mm[:, None, None] + 2.0
    body = vertebral_bodies(scan, spine, 2.0)
    room = body | ((np.abs(dx) <= half) & (dy > 0) & (dy < centre))
    arch = (np.abs(dx) <= ARCH_HALF_WIDTH_MM) & (dy > -60.0) & (dy <= np.where(np.abs(dx) > 20.0, -4.0, 4.0))
    canal = dx**2 + dy**2 <= CANAL_MM**2
    return np.asarray(room | arch), vertebral_bodies(scan, spine, 2.0, CORE), np.asarray(canal)


def _solid_parts(scan: Working, dense: Mask) -> Mask:
    """Drop specks: calcified cartilage, wires and noise."""
    labels, counts = parts(dense)
    return np.asarray((counts * scan.voxel_ml >= 0.4)[labels])


def _sternum(scan: Working, shell: Mask, spine: Spine) -> Mask:
    """Return the marrow of the sternum: between the shells of what is bone in front of the spine, near the midline."""
    s = scan.spacing_mm
    ahead = np.arange(shell.shape[1])[None, :, None] > spine.front[:, None, None] + 30.0 / s
    near = np.abs(np.arange(shell.shape[2])[None, None, :] - spine.x[:, None, None]) * s < STERNUM_HALF_WIDTH_MM
    front = shell & ahead & near
    return closed(front, STERNUM_THICK_MM, s) if front.any() else front


def _cartilages(scan: Working, free: Mask, bone: Mask, hull: Mask, spine: Spine) -> Mask:
    """Return what is denser than muscle in the front of the chest wall and goes on from a rib or the sternum."""
    s = scan.spacing_mm
    near = grown(_over_recess(hull, s), CARTILAGE_REACH_MM, s)
    ahead = np.arange(free.shape[1])[None, :, None] > spine.front[:, None, None] + 30.0 / s
    room = free & near & ahead
    weight = np.maximum(smoothed(room, 0.7 * s, s), 1e-3)
    mean = smoothed(np.where(room, np.clip(scan.hu, -100, 400), 0), 0.7 * s, s) / weight
    if not room.any():
        return room
    muscle, spread = _muscle(mean[room])
    core = room & (mean > muscle + max(CARTILAGE_ABOVE_HU, 2 * spread)) & (mean < CARTILAGE_MOST_HU)
    core = ndimage.binary_opening(core, np.ones((2, 2, 2), bool))
    core &= ~opened(core, CARTILAGE_THICK_MM, s)
    labels, counts = parts(core)
    keep = np.zeros(len(counts), bool)
    keep[np.unique(labels[core & grown(bone, 3 * s, s)])] = True
    keep &= counts * scan.voxel_ml >= 1.0
    core = keep[labels]
    return np.asarray(core | (ndimage.binary_dilation(core) & room & (scan.hu > muscle + CARTILAGE_RIM_HU)))


def _muscle(hu: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the most frequent density of soft tissue, and how far above it half as many voxels measure."""
    values, edges = np.histogram(hu, np.arange(20.0, 130.0, 2.0))
    counts = np.convolve(values, np.ones(3), "same")
    top = int(counts.argmax())
    fewer = np.flatnonzero(counts[top:] <= counts[top] / 2)
    return float(edges[top]) + 1.0, 2.0 * float(fewer[0] if len(fewer) else 0)


def _over_recess(hull: Mask, spacing_mm: float) -> Mask:
    """Return the hull with its lowest sections continued down: the costal margin reaches below the lungs."""
    down = round(60.0 / spacing_mm)
    return np.asarray(ndimage.maximum_filter1d(hull.astype(np.uint8), 2 * down + 1, axis=0, origin=0) > 0)


def axially_filled_small(mask: Mask, scan: Working) -> Mask:
    """Fill axial holes of up to 20 cm2, the section of a humeral head of 50 mm."""
    holes = axially_filled(mask) & ~mask
    labels, number = axial_parts(holes)
    area = np.bincount(labels.ravel(), minlength=number + 1) * scan.spacing_mm**2
    small = area <= 2000.0
    small[0] = False
    return np.asarray(mask | small[labels])
