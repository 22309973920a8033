"""Boxes in the unit cube of a network's input grid, and back in RAS millimetres; both ways by all eight corners.

A unit box is `(cx, cy, cz, sx, sy, sz)`: centre and size along i, j and k, where 0..1 spans the grid with its voxel
edges. On a grid that is oblique to the patient a box grows when it is carried over, since both frames keep their boxes
parallel to their own axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from ..imaging.grid import FloatArray, Grid, corners_of


@dataclass(frozen=True, slots=True)
class BoxFrame:
    """The unit cube of `grid`."""

    grid: Grid

    @property
    def edges_mm(self) -> FloatArray:
        """Length `(3,)` of the cube's edges along i, j and k."""
        return np.asarray(np.array(self.grid.spacing_mm) * self.grid.shape_kji[::-1], dtype=np.float64)

    def to_unit(self, box: Box) -> FloatArray | None:
        """Return the unit box `(6,)` of the part of `box` inside the grid, None if there is no such part."""
        corners = self.grid.to_ijk(corners_of(np.array(box.min_mm), np.array(box.max_mm)))
        unit = (corners + 0.5) / self.grid.shape_kji[::-1]
        low, high = np.clip(unit.min(axis=0), 0.0, 1.0), np.clip(unit.max(axis=0), 0.0, 1.0)
        if (low >= high).any():
            return None
        return np.concatenate(((low + high) / 2, high - low))

    def to_box(self, unit: npt.ArrayLike) -> Box:
        """Return the RAS box around a unit box `(6,)`; parts outside the grid are cut off."""
        values = np.asarray(unit, dtype=np.float64)
        low, high = (np.clip(values[:3] + sign * values[3:] / 2, 0.0, 1.0) for sign in (-1, 1))
        size = np.array(self.grid.shape_kji[::-1])
        return Box.around(self.grid.to_ras(corners_of(low * size - 0.5, high * size - 0.5)))

    def dispersion_mm(self, units: npt.ArrayLike) -> float:
        """Return how far unit boxes `(n, 6)` lie apart: the mean standard deviation of their six faces."""
        values = np.asarray(units, dtype=np.float64)
        centre, half = values[:, :3], values[:, 3:] / 2
        faces = np.concatenate(((centre - half) * self.edges_mm, (centre + half) * self.edges_mm), axis=1)
        return float(faces.std(axis=0).mean())
