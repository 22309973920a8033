"""Heart and great vessels within the mediastinum: what is thick, and denser than the fat around it.

The region holds the heart with its wall, aorta, pulmonary trunk and main arteries, caval veins and arch vessels as far
as they are thick enough to see at working resolution. Fat, oesophagus, nodes and thymus stay with the mediastinum.
"""

from __future__ import annotations

from .thorax import soft_tissue
from .working import Mask, Working, closed, largest, opened

FAT_MOST_HU = -20.0
"""Between mediastinal fat (about -100) and unenhanced blood (30-50)."""
THICK_MM = 6.0
"""Caval veins, pulmonary arteries and aorta are 15-35 mm wide; oesophagus walls, nodes and azygos are thinner."""


def heart_great_vessels(scan: Working, between: Mask) -> Mask:
    """Return the heart and great vessels as the largest thick non-fat part of the space between the lungs."""
    solid = soft_tissue(scan, between, 2.5, FAT_MOST_HU)
    thick = opened(solid, THICK_MM, scan.spacing_mm)
    if not thick.any():
        return thick
    return closed(largest(thick), 2 * scan.spacing_mm, scan.spacing_mm) & between
