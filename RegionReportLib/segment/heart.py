"""Heart and great vessels within the mediastinum: what is thick, and denser than the fat around it.

The region holds the heart with its wall, aorta, pulmonary trunk and main arteries, caval veins and arch vessels as far
as they are thick enough to see at working resolution. Fat, oesophagus, nodes and thymus stay with the mediastinum.
"""

from __future__ import annotations

from .thorax import soft_tissue
from .working import Mask, Working, closed, grown, largest, opened

FAT_MOST_HU = -20.0
"""Between mediastinal fat (about -100) and unenhanced blood (30-50)."""
BLUR_MM = 1.5
"""Less than a working voxel: the wall of the oesophagus and the air in it stay thinner than a vessel."""
THICK_MM = 6.0
"""Caval veins, pulmonary arteries and aorta are 15-35 mm wide; oesophagus walls, nodes and azygos are thinner."""
RIM_MM = 2.5
"""Edges that an opening rounds off."""
HEART_MM = 17.5
"""Half the width of what only the heart is; great vessels are up to 35 mm wide."""
GROOVE_MM = 40.0
"""The pericardium bridges the grooves, 10-20 mm wide, and the corners between atria and ventricles."""
EPICARDIAL_FAT_MM = 3.5
"""Epicardial fat over the ventricles measures 2-7 mm (Iacobellis, Nat Rev Cardiol 19:593, 2022)."""


def heart_great_vessels(scan: Working, between: Mask) -> Mask:
    """Return the heart and great vessels as the largest thick non-fat part of the space between the lungs."""
    solid = soft_tissue(scan, between, BLUR_MM, FAT_MOST_HU)
    thick = opened(solid, THICK_MM, scan.spacing_mm)
    if not thick.any():
        return thick
    found = largest(thick)
    found |= grown(found, RIM_MM, scan.spacing_mm) & solid
    # The heart itself, too thick to be a vessel, lies in the pericardium with the fat of its grooves and surface.
    heart = opened(found, HEART_MM, scan.spacing_mm)
    sac = closed(heart, GROOVE_MM, scan.spacing_mm)
    return (found | grown(sac, EPICARDIAL_FAT_MM, scan.spacing_mm)) & between
