"""Bring a scan to a small grid aligned with the patient, and fields on that grid back to the scan.

The way there: block means along the scan's own axes, slab by slab (no second full copy of a large scan), then
linear interpolation. The way back: linear interpolation onto the block grid, then separable to the voxels.
Knows values and grids, no anatomy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import SimpleITK

from ..progress import Progress, Work
from .grid import Grid
from .masks import Slices
from .volume import Volume

Float32Array: TypeAlias = npt.NDArray[np.float32]
Int16Array: TypeAlias = npt.NDArray[np.int16]

AIR_HU = -1024
"""The value of what lies outside the scan: the lower end of the CT scale that all makers share."""
MOST_HU = 3071
"""The upper end of the 12-bit CT scale; metal beyond it must not outweigh its neighbours in a mean."""
PADDING_BELOW_HU = -1100
"""No tissue and no air is darker; makers fill the outside of the scan circle with -2000, -2048 or -3024."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Means of blocks of `factor_kji` voxels: `hu` int16 on `grid`; `held` is False where the scan holds no data."""

    hu: Int16Array
    held: npt.NDArray[np.bool_]
    grid: Grid
    factor_kji: tuple[int, int, int]


def block_grid(grid: Grid, spacing_mm: float) -> tuple[Grid, tuple[int, int, int]]:
    """Return the grid of whole-number blocks of `grid` no larger than `spacing_mm`, and the block size `(k, j, i)`."""
    i, j, k = (max(1, int(spacing_mm / s + 1e-3)) for s in grid.spacing_mm)
    factor = (k, j, i)
    shape = tuple(-(-n // f) for n, f in zip(grid.shape_kji, factor, strict=True))
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * np.array(factor[::-1])
    affine[:3, 3] = grid.to_ras((np.array(factor[::-1]) - 1) / 2)
    return Grid((shape[0], shape[1], shape[2]), affine), factor


def blocks(volume: Volume, spacing_mm: float) -> Work[Blocks]:
    """Average `volume` over blocks no larger than `spacing_mm`; values are clipped to the CT scale first."""
    grid, factor = block_grid(volume.grid, spacing_mm)
    hu = np.empty(grid.shape_kji, np.int16)
    held = np.empty(grid.shape_kji, bool)
    for k in range(grid.shape_kji[0]):
        slab = volume.hu[k * factor[0] : (k + 1) * factor[0]]
        hu[k], held[k] = _mean(slab, factor, volume.outside_hu)
        if k % 16 == 0:
            yield Progress(k / grid.shape_kji[0], "reading at working resolution")
    return Blocks(hu, held, grid, factor)


def _mean(slab: npt.NDArray[Any], factor: tuple[int, int, int], outside_hu: float | None) -> tuple[Any, Any]:
    padding = slab < PADDING_BELOW_HU
    # A padding value inside the scale of air (-1024, -1000) cannot be told from air, and need not be.
    if outside_hu is not None and outside_hu < AIR_HU:
        padding |= slab <= outside_hu
    clipped = np.clip(slab, AIR_HU, MOST_HU).astype(np.float32).mean(axis=0)
    part = padding.mean(axis=0, dtype=np.float32) if padding.any() else np.zeros(clipped.shape, np.float32)
    return _pooled(clipped, factor[1:]), _pooled(part, factor[1:]) < 0.5


def _pooled(plane: Float32Array, factor_ji: tuple[int, int]) -> Float32Array:
    """Average a plane over blocks; the last row and column of blocks repeat the edge where they are not full."""
    for axis, factor in enumerate(factor_ji):
        if factor > 1:
            missing = -plane.shape[axis] % factor
            width = [(0, missing if a == axis else 0) for a in range(2)]
            padded = np.pad(plane, width, mode="edge") if missing else plane
            total = sum(padded[n::factor] if axis == 0 else padded[:, n::factor] for n in range(factor))
            plane = np.asarray(total / np.float32(factor), dtype=np.float32)
    return plane


def patient_grid(grid: Grid, spacing_mm: float) -> Grid:
    """Return the isotropic grid, axes right, anterior and superior, whose voxels cover the box of `grid`."""
    box = grid.box
    size = [max(1, round(length / spacing_mm)) for length in box.size_mm]
    spacing = np.full(3, float(spacing_mm))
    # Centred on the scan, so that rounding takes or adds at most half a voxel at either end.
    origin = np.array(box.center_mm) - (np.array(size) - 1) / 2 * spacing
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing)
    affine[:3, 3] = origin
    return Grid((size[2], size[1], size[0]), affine)


def resampled(values: npt.NDArray[Any], start: Grid, target: Grid, outside: float) -> npt.NDArray[Any]:
    """Interpolate `values` on `start` linearly onto `target`, same type; `outside` where `start` does not reach.

    Half a voxel beyond the outermost centres still counts as inside and repeats them.
    """
    return _moved(values, start, target, outside, SimpleITK.sitkLinear)


def nearest(labels: npt.NDArray[Any], start: Grid, target: Grid) -> npt.NDArray[Any]:
    """Return for each voxel of `target` the label of the nearest voxel of `start`, 0 beyond it."""
    return _moved(labels, start, target, 0.0, SimpleITK.sitkNearestNeighbor)


def _moved(values: npt.NDArray[Any], start: Grid, target: Grid, outside: float, how: int) -> npt.NDArray[Any]:
    moved = np.linalg.inv(start.affine) @ target.affine  # index to index, so that any shear is allowed
    transform = SimpleITK.AffineTransform(moved[:3, :3].ravel().tolist(), moved[:3, 3].tolist())
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(values))
    size = [int(n) for n in target.shape_kji[::-1]]
    unit = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), np.eye(3).ravel().tolist()
    result = SimpleITK.Resample(image, size, transform, how, *unit, float(outside), image.GetPixelID())
    return np.asarray(SimpleITK.GetArrayFromImage(result))


@dataclass(frozen=True, slots=True)
class Window:
    """A box of whole blocks: `voxels` on the scan, and `blocks`, one block wider where there is one, to interpolate."""

    voxels: Slices
    blocks: Slices
    factor_kji: tuple[int, int, int]


def slabs(grid: Grid, spacing_mm: float, voxels: int = 4_000_000) -> Iterator[Slices]:
    """Cut the block grid of a scan into runs of slices that hold about `voxels` of its voxels each."""
    whole, factor = block_grid(grid, spacing_mm)
    thick = max(1, voxels // (grid.shape_kji[1] * grid.shape_kji[2] * factor[0]))
    rows, columns = (slice(0, n) for n in whole.shape_kji[1:])
    for first in range(0, whole.shape_kji[0], thick):
        yield slice(first, min(first + thick, whole.shape_kji[0])), rows, columns


def window(grid: Grid, spacing_mm: float, where: Slices) -> Window:
    """Return the window of the blocks `where` of the block grid of `grid`."""
    whole, factor = block_grid(grid, spacing_mm)
    voxels = [slice(w.start * f, min(w.stop * f, n)) for w, f, n in zip(where, factor, grid.shape_kji, strict=True)]
    wider = [slice(max(w.start - 1, 0), min(w.stop + 1, n)) for w, n in zip(where, whole.shape_kji, strict=True)]
    return Window((voxels[0], voxels[1], voxels[2]), (wider[0], wider[1], wider[2]), factor)


def to_voxels(field: Float32Array, at: Window) -> Float32Array:
    """Interpolate a field on the blocks of a window linearly to its voxels `(k, j, i)`."""
    out = field
    for axis in (0, 1, 2):
        first = at.voxels[axis].start - at.blocks[axis].start * at.factor_kji[axis]
        length = at.voxels[axis].stop - at.voxels[axis].start
        out = _spread(out, axis, at.factor_kji[axis], slice(first, first + length))
    return out


def _spread(field: Float32Array, axis: int, factor: int, part: slice) -> Float32Array:
    """Interpolate along one axis to `factor` times as many points and return `part` of them."""
    if factor == 1:
        return _along(field, axis, part)
    shape = list(field.shape)
    shape[axis] *= factor
    out = np.empty(shape, np.float32)
    width = [(1, 1) if a == axis else (0, 0) for a in range(3)]
    padded = np.pad(field, width, mode="edge")
    for phase in range(factor):
        # Where the voxel's centre lies between block centres: in blocks, relative to its own block's centre.
        shift = (phase + 0.5) / factor - 0.5
        near, far = np.float32(1 - abs(shift)), np.float32(abs(shift))
        other = _along(padded, axis, slice(2, None) if shift > 0 else slice(0, -2))
        target = _along(out, axis, slice(phase, None, factor))
        np.multiply(field, near, out=target)
        target += far * other
    return _along(out, axis, part)


def _along(values: Float32Array, axis: int, part: slice) -> Float32Array:
    return values[tuple(part if a == axis else slice(None) for a in range(3))]
