"""An axis-parallel box in RAS millimetres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Point: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """From corner `min_mm` to corner `max_mm`, both `(x, y, z)` in RAS.

    Raises ValueError if a number is not finite or a minimum exceeds its maximum.
    """

    min_mm: Point
    max_mm: Point

    def __post_init__(self) -> None:
        low, high = _point(self.min_mm), _point(self.max_mm)
        if not all(math.isfinite(x) for x in low + high):
            raise ValueError(f"box corners must be finite, got {low} and {high}")
        if any(a > b for a, b in zip(low, high, strict=True)):
            raise ValueError(f"min_mm must not exceed max_mm, got {low} and {high}")
        object.__setattr__(self, "min_mm", low)
        object.__setattr__(self, "max_mm", high)

    @classmethod
    def around(cls, points_ras_mm: npt.ArrayLike) -> Box:
        """Return the smallest box around the points `(n, 3)`."""
        points = np.asarray(points_ras_mm, dtype=np.float64).reshape(-1, 3)
        if not len(points):
            raise ValueError("a box needs at least one point")
        return cls(_point(points.min(axis=0)), _point(points.max(axis=0)))

    @property
    def center_mm(self) -> Point:
        """The middle of the box."""
        return _point((np.array(self.min_mm) + np.array(self.max_mm)) / 2)

    @property
    def size_mm(self) -> Point:
        """Edge lengths along right–left, anterior–posterior and superior–inferior."""
        return _point(np.array(self.max_mm) - np.array(self.min_mm))

    @property
    def volume_ml(self) -> float:
        """Volume of the box."""
        return math.prod(self.size_mm) / 1000.0

    def contains(self, point_mm: npt.ArrayLike) -> bool:
        """Tell whether a point lies in the box or on its surface."""
        point = np.asarray(point_mm, dtype=np.float64)
        return bool(((point >= self.min_mm) & (point <= self.max_mm)).all())

    def intersection(self, other: Box) -> Box | None:
        """Return the common part, or None where the boxes do not meet."""
        low = np.maximum(self.min_mm, other.min_mm)
        high = np.minimum(self.max_mm, other.max_mm)
        return Box(_point(low), _point(high)) if (low <= high).all() else None

    def union(self, other: Box) -> Box:
        """Return the smallest box around both."""
        return Box(_point(np.minimum(self.min_mm, other.min_mm)), _point(np.maximum(self.max_mm, other.max_mm)))

    def iou(self, other: Box) -> float:
        """Return intersection over union of the two volumes, 0..1; 0 if both are flat."""
        common = self.intersection(other)
        shared = common.volume_ml if common else 0.0
        total = self.volume_ml + other.volume_ml - shared
        return shared / total if total > 0 else 0.0


def _point(values: npt.ArrayLike) -> Point:
    x, y, z = (float(v) for v in np.asarray(values).reshape(-1))
    return x, y, z
