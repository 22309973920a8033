"""The voxel grid of an image: its size and where each voxel lies in the patient.

Arrays are `(k, j, i)`; points are `(x, y, z)` in RAS millimetres; the affine maps `(i, j, k, 1)` to RAS.
Nothing here knows voxel values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .box import Box

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Size `shape_kji` and 4×4 `affine` from voxel centres `(i, j, k, 1)` to RAS millimetres.

    Raises ValueError if the size is not three positive numbers or the affine is not finite, invertible and affine.
    """

    shape_kji: tuple[int, int, int]
    affine: FloatArray

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape_kji)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape_kji must be three positive numbers, got {self.shape_kji}")
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.array_equal(affine[3], (0, 0, 0, 1)):
            raise ValueError(f"affine must be a finite 4×4 matrix with last row 0 0 0 1, got {affine.tolist()}")
        with np.errstate(over="ignore"):  # an absurd affine is refused in the next line, not warned of
            spacing = np.linalg.norm(affine[:3, :3], axis=0)
        # The determinant of the direction columns does not depend on voxel size: 0 flat, 1 orthogonal.
        if spacing.min() <= 0 or not np.isfinite(spacing).all() or abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
            raise ValueError(f"affine must be invertible, got {affine.tolist()}")
        affine.setflags(write=False)
        object.__setattr__(self, "shape_kji", shape)
        object.__setattr__(self, "affine", affine)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Grid):
            return NotImplemented
        return self.shape_kji == other.shape_kji and np.array_equal(self.affine, other.affine)

    def __hash__(self) -> int:
        return hash((self.shape_kji, self.affine.tobytes()))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along i, j and k."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel; right for sheared grids too."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def size(self) -> int:
        """Number of voxels."""
        k, j, i = self.shape_kji
        return k * j * i

    def to_ras(self, points_ijk: npt.ArrayLike) -> FloatArray:
        """Map index points `(..., 3)` in i, j, k order to RAS millimetres `(..., 3)`."""
        points = np.asarray(points_ijk, dtype=np.float64)
        return np.asarray(points @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_ijk(self, points_ras_mm: npt.ArrayLike) -> FloatArray:
        """Map RAS points `(..., 3)` to continuous indices `(..., 3)` in i, j, k order."""
        points = np.asarray(points_ras_mm, dtype=np.float64) - self.affine[:3, 3]
        return np.asarray(points @ np.linalg.inv(self.affine[:3, :3]).T)

    def index_at(self, point_ras_mm: npt.ArrayLike) -> tuple[int, int, int] | None:
        """Return the voxel `(k, j, i)` that holds a RAS point, or None outside the grid."""
        i, j, k = np.floor(self.to_ijk(point_ras_mm) + 0.5).astype(int)
        inside = all(0 <= n < size for n, size in zip((k, j, i), self.shape_kji, strict=True))
        return (int(k), int(j), int(i)) if inside else None

    def box_of(self, start_kji: npt.ArrayLike, stop_kji: npt.ArrayLike) -> Box:
        """Return the RAS box around the voxels `start <= index < stop`, from all eight corners of that index box."""
        low = np.asarray(start_kji, dtype=np.float64)[::-1] - 0.5
        high = np.asarray(stop_kji, dtype=np.float64)[::-1] - 0.5
        return Box.around(self.to_ras(corners_of(low, high)))

    @property
    def box(self) -> Box:
        """The RAS box around the whole grid, voxel edges included."""
        return self.box_of((0, 0, 0), self.shape_kji)

    def indices_of(self, box: Box) -> tuple[slice, slice, slice]:
        """Return the `(k, j, i)` slices of the voxels whose centre may lie in `box`; empty slices if none do."""
        ijk = self.to_ijk(corners_of(np.array(box.min_mm), np.array(box.max_mm)))
        low = np.ceil(ijk.min(axis=0) - 1e-6).astype(int)[::-1]
        high = np.floor(ijk.max(axis=0) + 1e-6).astype(int)[::-1] + 1
        k, j, i = (
            slice(int(np.clip(a, 0, n)), int(np.clip(max(a, b), 0, n)))
            for a, b, n in zip(low, high, self.shape_kji, strict=True)
        )
        return k, j, i

    def crop(self, start_kji: tuple[int, int, int], shape_kji: tuple[int, int, int]) -> Grid:
        """Return the grid of the sub-block of size `shape_kji` that starts at voxel `start_kji`."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_ras(start_kji[::-1])
        return Grid(shape_kji, affine)

    def to_dict(self) -> dict[str, Any]:
        """Return the grid as plain JSON values."""
        return {"shape_kji": list(self.shape_kji), "affine": [[float(x) for x in row] for row in self.affine]}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Grid:
        """Read a grid from `to_dict`'s form; ValueError if it is none."""
        k, j, i = value["shape_kji"]
        return cls((k, j, i), np.array(value["affine"], dtype=np.float64))


def corners_of(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the eight corners `(8, 3)` of the axis-parallel box from `low` to `high`."""
    choose = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=bool)
    return np.where(choose, high, low)
