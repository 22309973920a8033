"""Fills a volume slab by slab with Hounsfield units: int16 as long as that loses nothing, float32 from then on.

Needs one array of the volume's size and a few slabs beside it, never two arrays unless the type has to change.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import refused
from .volume import HuArray

_INT16 = np.iinfo(np.int16)
# No detector or reconstruction gives more; also keeps 64-bit values representable in float32.
_LARGEST_HU = 1e7


class Filling:
    """A volume `(k, j, i)` in the making; `low` and `high` are the extremes of what was put so far."""

    def __init__(self, path: Path, shape_kji: tuple[int, int, int]) -> None:
        self._path = path
        self._hu: HuArray = np.empty(shape_kji, dtype=np.int16)
        self._next = 0
        self.low = math.inf
        self.high = -math.inf

    def put(self, stored: npt.NDArray[Any], slope: float = 1.0, intercept: float = 0.0) -> None:
        """Append slices `(n, j, i)` of stored values, HU = slope × stored + intercept; InputRefused for NaN or inf."""
        hu = rescaled(stored, slope, intercept)
        low, high = float(hu.min()), float(hu.max())  # both carry a NaN on
        if not (abs(low) <= _LARGEST_HU and abs(high) <= _LARGEST_HU):
            raise refused(
                self._path, f"holds values that are no numbers or no HU (NaN, infinite) near slice {self._next}"
            )
        if self._hu.dtype == np.int16 and not _fits_int16(hu, low, high):
            wider = np.empty(self._hu.shape, dtype=np.float32)
            wider[: self._next] = self._hu[: self._next]
            self._hu = wider
        self._hu[self._next : self._next + len(hu)] = hu
        self._next += len(hu)
        self.low, self.high = min(self.low, low), max(self.high, high)

    def finished(self) -> HuArray:
        """Return the volume; ValueError if slices are missing."""
        if self._next != len(self._hu):
            raise ValueError(f"expected {len(self._hu)} slices, got {self._next}")
        return self._hu


def rescaled(stored: npt.NDArray[Any], slope: float, intercept: float) -> npt.NDArray[Any]:
    """Return slope × stored + intercept, in whole numbers where all three are whole."""
    if slope == 1 and intercept == 0:
        return stored
    whole = slope.is_integer() and intercept.is_integer() and max(abs(slope), abs(intercept)) <= _LARGEST_HU
    if whole and stored.dtype.kind in "iu" and stored.dtype.itemsize <= 4:  # 32 bits × 1e7 fit 64
        return np.asarray(stored.astype(np.int64) * int(slope) + int(intercept))
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found and refused as infinite
        return np.asarray(stored.astype(np.float64) * slope + intercept)


def _fits_int16(hu: npt.NDArray[Any], low: float, high: float) -> bool:
    if low < _INT16.min or high > _INT16.max:
        return False
    return hu.dtype.kind in "iu" or bool((np.rint(hu) == hu).all())
