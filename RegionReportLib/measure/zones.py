"""Thirds of a lung by height: each lung is divided by its own extent along superior–inferior."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Zone

_UPWARDS = (Zone.LOWER, Zone.MIDDLE, Zone.UPPER)


def zone_of(z_mm: float, low_mm: float, high_mm: float) -> Zone:
    """Return the third that the height `z_mm` lies in, for a lung from `low_mm` to `high_mm`; ends count inwards."""
    if high_mm <= low_mm:
        raise ValueError(f"a lung must have height, got {low_mm} to {high_mm} mm")
    third = int(np.clip(3 * (z_mm - low_mm) // (high_mm - low_mm), 0, 2))
    return _UPWARDS[third]


def zone_counts(heights_mm: npt.NDArray[np.float64], low_mm: float, high_mm: float) -> dict[Zone, int]:
    """Count how many points at given heights lie in each zone of a lung from `low_mm` to `high_mm`."""
    thirds = np.clip(3 * (heights_mm - low_mm) // (high_mm - low_mm), 0, 2).astype(np.int64)
    return {zone: int(n) for zone, n in zip(_UPWARDS, np.bincount(thirds, minlength=3), strict=True)}


def zone_slices(heights_mm: npt.NDArray[np.float64], low_mm: float, high_mm: float) -> dict[Zone, slice]:
    """Return for each zone the slices of a frame whose ascending heights lie in it; a zone may be empty."""
    thirds = [zone_of(float(z), low_mm, high_mm) for z in heights_mm]
    return {
        zone: slice(thirds.index(zone), thirds.index(zone) + thirds.count(zone)) for zone in _UPWARDS if zone in thirds
    }
