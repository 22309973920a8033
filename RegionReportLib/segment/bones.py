"""Bones: spine, ribs, sternum, clavicles, scapulae and what the scan holds of the arms, marrow included.

Dense contrast in heart, vessels, kidneys and bowel is told from bone by place: bone lies outside the spaces that the
lungs, the mediastinum and the abdominal cavity fill, except for the spine, which its own line finds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .spine import Spine
from .working import Mask, Working, axially_filled, closed, parts

BONE_LEAST_HU = 150
"""Trabecular bone of the young measures 150-250 HU, of the old under 100 (Pickhardt, Ann Intern Med 158:588, 2013):
the shell is found from here up, what it encloses is filled."""
ARCH_HALF_WIDTH_MM = 38.0
"""Half the width across the transverse processes."""


@dataclass(frozen=True, slots=True, eq=False)
class Bones:
    """`vertebrae`: bodies, arches and processes; `others`: ribs, sternum, shoulders, arms."""

    vertebrae: Mask
    others: Mask


def bones(scan: Working, body: Mask, soft_spaces: Mask, spine: Spine) -> Bones:
    """Return the bones; `soft_spaces` (lungs, mediastinum, abdominal cavity) hold none outside the spine's reach."""
    column = _column(scan, spine)
    dense = (scan.hu > BONE_LEAST_HU) & body
    vertebrae = _vertebrae(scan, dense & column)
    shell = _solid_parts(scan, dense & ~soft_spaces & ~vertebrae)
    filled = closed(shell, scan.spacing_mm, scan.spacing_mm)
    filled = axially_filled_small(filled, scan) & body & ~soft_spaces & (scan.hu > -50)
    return Bones(vertebrae, (filled | shell) & ~vertebrae)


def _column(scan: Working, spine: Spine) -> Mask:
    """Return the room of the spine: an ellipse for the body, a wider band for arch and processes behind."""
    s = scan.spacing_mm
    dy = (np.arange(scan.hu.shape[1])[None, :, None] - spine.y[:, None, None]) * s
    dx = (np.arange(scan.hu.shape[2])[None, None, :] - spine.x[:, None, None]) * s
    front = ((spine.front - spine.y) * s)[:, None, None] + 2.0
    centre = front / 2 + 2.0
    half = spine.half_width_mm[:, None, None] + 2.0
    # A superellipse: vertebral bodies are blunter than ellipses.
    body_part = np.abs(dx / half) ** 3 + np.abs((dy - centre) / (front - centre)) ** 3 <= 1.0
    body_part |= (np.abs(dx) <= half) & (dy > 0) & (dy < centre)
    arch = (np.abs(dx) <= ARCH_HALF_WIDTH_MM) & (dy > -60.0) & (dy <= 4.0)
    return np.asarray(body_part | arch)


def _vertebrae(scan: Working, dense: Mask) -> Mask:
    """Return the spine's bone with marrow and discs' rims filled, the canal left free."""
    labels, counts = parts(dense)
    keep = counts * scan.voxel_ml >= 0.5
    shell = keep[labels]
    return closed(shell, 5.0, scan.spacing_mm) & (scan.hu > -20) if shell.any() else np.asarray(shell)


def _solid_parts(scan: Working, dense: Mask) -> Mask:
    """Drop specks: calcified cartilage, wires and noise."""
    labels, counts = parts(dense)
    return np.asarray((counts * scan.voxel_ml >= 0.4)[labels])


def axially_filled_small(mask: Mask, scan: Working) -> Mask:
    """Fill axial holes of up to 12 cm2, the section of a humeral head."""
    holes = axially_filled(mask) & ~mask
    labels, number = ndimage.label(holes, _in_plane())
    area = np.bincount(labels.ravel(), minlength=number + 1) * scan.spacing_mm**2
    small = area <= 1200.0
    small[0] = False
    return np.asarray(mask | small[labels])


def _in_plane() -> Mask:
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = ndimage.generate_binary_structure(2, 1)
    return structure
