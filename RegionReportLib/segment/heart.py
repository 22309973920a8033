"""Heart and great vessels within the mediastinum: what is thick, and denser than the fat around it.

The region holds the heart with its wall, aorta, pulmonary trunk and main arteries, caval veins and arch vessels as far
as they are thick enough to see at working resolution. Fat, oesophagus, nodes and thymus stay with the mediastinum.
"""

from __future__ import annotations

import numpy as np

from .thorax import soft_tissue
from .working import Mask, Working, closed, grown, largest, opened, smoothed, touching

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

SUNK_MM = 30.0
"""A soap film between the lungs' bases lies at most this much above the diaphragm under a large heart."""
CONTRAST_STEP_HU = 60.0
"""Blood of the arterial phase is denser than liver by 100-250 HU; portal venous it is not."""
GAP_MM = 10.0
WALL_MM = 2.5
"""Wall of the right ventricle, as dense as liver."""


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


def sunk_below(scan: Working, heart: Mask, under: Mask) -> Mask:
    """Return the heart that lies `under` the estimated diaphragm, where contrast tells it from the organs below."""
    s = scan.spacing_mm
    proper = opened(heart, HEART_MM, s)
    around = under & grown(proper, SUNK_MM, s)
    if not proper.any() or not around.any():
        return np.zeros_like(heart)
    soft = around & (scan.hu > 0) & (scan.hu < 200)
    blood = float(np.median(scan.hu[proper]))
    organ = float(np.median(scan.hu[soft])) if soft.any() else blood
    if blood - organ < CONTRAST_STEP_HU:
        return np.zeros_like(heart)
    shadow = np.asarray(grown(proper, GAP_MM, s).any(axis=0))[None]
    bright = around & shadow & (smoothed(np.clip(scan.hu, -150, 400), BLUR_MM, s) > (blood + organ) / 2)
    found = touching(opened(bright, THICK_MM, s) | proper, proper)
    # Papillary muscles and the wall are as dense as liver.
    whole = grown(closed(found, GAP_MM, s), WALL_MM, s) if (found & ~proper).any() else found
    return np.asarray(whole & around & shadow & ~proper)
