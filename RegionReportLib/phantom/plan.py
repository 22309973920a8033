"""The patient on a coarse lattice along RAS, before any scan is painted: for placing findings and for true sizes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Side, Zone
from .slab import Fields, Makers
from .solids import F32

Mask = npt.NDArray[np.bool_]
SIGN = {Side.RIGHT: 1, Side.LEFT: -1}
_LOW, _HIGH = (-172.0, -150.0, -275.0), (172.0, 125.0, 145.0)


class Plan(Fields):
    """Fields of the standard patient at lattice points `(x, y, z)` that are `step_mm` apart in RAS.

    `x`, `y`, `z` and the fields are those of the standard patient; `ras_mm` are the three axes of the lattice.
    """

    def __init__(self, makers: Makers, to_standard: npt.NDArray[np.float64], step_mm: float = 5.0) -> None:
        self.step_mm = step_mm
        centre = np.linalg.inv(to_standard)[:3, 3]
        self.ras_mm = tuple(np.arange(a, b, step_mm) + c for a, b, c in zip(_LOW, _HIGH, centre, strict=True))
        x, y, z = np.meshgrid(*self.ras_mm, indexing="ij")
        out = (row[0] * x + row[1] * y + row[2] * z + row[3] for row in to_standard[:3])
        super().__init__(makers, *(c.astype(np.float32) for c in out))
        self.stretch = np.linalg.norm(np.linalg.inv(to_standard)[:3, :3], axis=0)
        self.taken: Mask = np.zeros(self.x.shape, dtype=bool)

    @property
    def point_ml(self) -> float:
        """The volume that one lattice point stands for."""
        return self.step_mm**3 / 1000

    def points(self, where: Mask) -> npt.NDArray[np.float64]:
        """Return the chosen points `(n, 3)` of the standard patient."""
        return np.stack([self.x[where], self.y[where], self.z[where]], axis=1).astype(np.float64)

    def lung(self, side: Side) -> F32:
        """Return the field of one pleural space."""
        return self[f"hemithorax_{side.value}"]

    def zone(self, side: Side, zone: Zone) -> Mask:
        """Return which points of a lung lie in a zone: a third of its own height in RAS."""
        inside = self.lung(side) < 0
        levels = self.ras_mm[2][inside.any(axis=(0, 1))]
        low, high = levels.min() - self.step_mm / 2, levels.max() + self.step_mm / 2
        third = {Zone.LOWER: 0, Zone.MIDDLE: 1, Zone.UPPER: 2}[zone]
        where = np.clip((self.ras_mm[2] - low) / (high - low) * 3, 0, 2.999).astype(int) == third
        return np.asarray(inside & where[None, None, :])

    def level_reaching(self, key: F32, where: Mask, volume_ml: float) -> float:
        """Return the value below which `key` holds `volume_ml` of the points of `where`."""
        values = np.sort(key[where])
        count = min(max(1, round(volume_ml / self.point_ml)), len(values) - 1)
        return float(values[count])

    def widths(self, field: F32) -> F32:
        """Return the extent along x at each level of z, 0 where there is none; edges are interpolated."""
        inside: Mask = np.asarray((field < 0).any(axis=1))
        flat = field.min(axis=1)
        out = np.zeros(inside.shape[1], dtype=np.float32)
        for k in np.flatnonzero(inside.any(axis=0)):
            at = np.flatnonzero(inside[:, k])
            left, right = int(at[0]), int(at[-1])
            out[k] = self.step_mm * (right - left + _edge(flat[:, k], right, 1) + _edge(flat[:, k], left, -1))
        return out


def _edge(values: F32, inner: int, step: int) -> float:
    outer = inner + step
    if not 0 <= outer < len(values):
        return 0.5
    a, b = float(values[inner]), float(values[outer])
    return -a / (b - a)
