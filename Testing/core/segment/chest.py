"""A tiny chest of ellipsoids with known parts, on any grid; made by hand, no phantom of the library."""

from __future__ import annotations

from typing import Any

import numpy as np

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import Provenance, Volume

SIZE_MM = np.array([320.0, 220.0, 280.0])
AIR, SOFT, LUNG, BONE, LIVER = -1000, 40, -850, 500, 60


def grid_of(spacing_mm: tuple[float, float, float], directions: Any = None) -> Grid:
    """Return a grid of that spacing that covers the patient; `directions` turn or flip its axes."""
    turn = np.eye(3) if directions is None else np.asarray(directions, dtype=float)
    reach = np.abs(turn.T) @ SIZE_MM
    i, j, k = (int(np.ceil(r / s)) for r, s in zip(reach, spacing_mm, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing_mm)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array([i, j, k]) - 1) / 2)
    return Grid((k, j, i), affine)


def parts_at(points: Any) -> dict[str, Any]:
    """Return the masks of the parts at RAS points `(..., 3)`; right is +x, front +y, head +z."""
    x, y, z = np.moveaxis(points, -1, 0)

    def ball(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Any:
        parts = [((v - c) / r) ** 2 for v, c, r in zip((x, y, z), centre, radii, strict=True)]
        return sum(parts) <= 1.0

    dome = z > -60 + 25 * (1 - (np.hypot(np.abs(x) - 70, y) / 75) ** 2)
    heart = ball((-15, 20, -25), (55, 40, 50))
    # The cage closes towards the apex; lungs reach to within 4 mm of the ribs.
    narrow = np.sqrt(np.clip(1 - (np.clip(z - 20, 0, None) / 110) ** 2, 1e-6, 1))
    cage = np.hypot(x / 129, y / 86) <= narrow
    spine_and_aorta = (np.abs(x) < 22) | heart
    right = cage & dome & (x > 0) & ~spine_and_aorta & (narrow > 0.05)
    left = cage & dome & (x < 0) & ~spine_and_aorta & (narrow > 0.05)
    trachea = (np.hypot(x, y + 10) <= 9) & (z > 20)
    for side in (1, -1):
        t = np.clip((20 - z) / 45, 0, 1)
        trachea |= (np.hypot(x - side * 50 * t, y + 10) <= 7) & (z <= 20) & (z > -10)
    body_of_spine = (np.hypot(x / 17, (y + 55) / 14) <= 1) & (np.mod(z, 28) > 4)
    arch = (np.hypot(x, y + 78) <= 20) & (np.hypot(x, y + 78) >= 9) & (np.mod(z, 28) > 4)
    shell = np.hypot(x / 137, y / 92) - narrow
    ribs = (np.abs(shell) < 0.035) & (np.mod(z + 0.3 * y, 22) < 11) & (np.abs(x) > 20)
    sternum = (np.abs(x) < 18) & (np.abs(y - 92) < 6) & (z > -40)
    skin = np.hypot(x / 152, y / 104) <= 1
    airway = trachea & ~right & ~left
    return {
        "skin": skin,
        "lung_right": right & ~trachea,
        "lung_left": left & ~trachea,
        "airway": airway,
        "heart": heart & dome,
        "vertebrae": body_of_spine | arch,
        "bone": ribs | sternum,
        "below": cage & ~dome & (y > -40),
    }


def chest(grid: Grid, noise_hu: float = 0.0) -> tuple[Volume, dict[str, Any]]:
    """Return a scan of the tiny chest and its true parts."""
    k, j, i = np.indices(grid.shape_kji)
    parts = parts_at(grid.to_ras(np.stack([i, j, k], axis=-1)))
    hu = np.where(parts["skin"], SOFT, AIR).astype(np.float32)
    hu[parts["below"]] = LIVER
    hu[parts["lung_right"] | parts["lung_left"]] = LUNG
    hu[parts["airway"]] = AIR
    hu[parts["vertebrae"] | parts["bone"]] = BONE
    if noise_hu:
        hu += np.random.default_rng(1).normal(0, noise_hu, hu.shape)
    return Volume(np.clip(hu, -1024, 3000).astype(np.int16), grid, Provenance("made in a test", "phantom")), parts
