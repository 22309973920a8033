"""From painters to a scan: slab by slab, with slice thickness, kernel and noise.

Slices are painted at their centres, thick ones at several heights and averaged; every slice draws its own noise, so
the result does not depend on how the work is cut into slabs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..imaging.grid import Grid
from ..imaging.masks import LabelArray, Slices
from ..progress import Progress, Work
from .paint import Painter
from .recipe import Detail, Kernel, Recipe
from .slab import LATTICE_MM, Makers, Slab
from .solids import F32

OUTSIDE_HU = -2048
# (blur of edges, grain of noise) as standard deviations in mm, from the 10 % MTF of usual body and lung kernels
# (0.7 and 1.3 line pairs per mm; Boedeker et al., Phys Med Biol 2007;52:4027).
_KERNELS = {Kernel.SOFT: (0.55, 0.62), Kernel.SHARP: (0.28, 0.30)}
_SLAB_VOXELS = 4_000_000
_FINE_MM = 2.2
_COARSE_LATTICE_MM = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A mask as the block that holds it: slices `where` of the volume and `mask` of their size."""

    where: Slices
    mask: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """The finished arrays `(k, j, i)`: int16 values, uint8 labels, and the crop of each lesion number."""

    hu: npt.NDArray[np.int16]
    labels: LabelArray
    lesions: dict[int, Crop]


def render(
    grid: Grid,
    to_standard: npt.NDArray[np.float64],
    painters: list[Painter],
    makers: Makers,
    recipe: Recipe,
    structures: tuple[str, ...],
) -> Work[Rendered]:
    """Paint all slabs of `grid`; `to_standard` is the 4×4 matrix from RAS to the standard patient."""
    count = grid.shape_kji[0]
    hu = np.empty(grid.shape_kji, dtype=np.int16)
    labels = np.empty(grid.shape_kji, dtype=np.uint8)
    marks: dict[int, list[Crop]] = {}
    plan = Slicing.for_recipe(grid, recipe)
    lattice_mm = LATTICE_MM if recipe.detail is Detail.FULL else _COARSE_LATTICE_MM
    depth = max(1, _SLAB_VOXELS // (grid.shape_kji[1] * grid.shape_kji[2] * plan.fine))
    for start in range(0, count, depth):
        stop = min(count, start + depth)
        slab = Slab(plan.fine_grid(grid, start, stop, to_standard), makers, structures, lattice_mm)
        for n, painter in enumerate(painters):
            if n % 24 == 0:
                done = start + 0.7 * (stop - start) * n / len(painters)
                yield Progress(done / count, "painting the phantom")
            painter.paint(slab)
        middle = slice(plan.halo + plan.fine // 2, plan.halo + (stop - start) * plan.fine, plan.fine)
        labels[start:stop] = slab.labels[middle]
        _collect(marks, _at_slices(slab.lesions, middle, plan), start)
        values = plan.average(slab.hu, stop - start)
        del slab
        yield Progress((start + 0.7 * (stop - start)) / count, "adding noise")
        hu[start:stop] = _finish(values, start, grid, recipe)
    return Rendered(hu, labels, {number: _join(crops) for number, crops in marks.items()})


@dataclass(frozen=True, slots=True, eq=False)
class Slicing:
    """How a slice is painted: at `fine` heights, `halo` more per side, averaged over a `width`."""

    fine: int
    halo: int
    width: float

    @classmethod
    def for_recipe(cls, grid: Grid, recipe: Recipe) -> Slicing:
        """Return the slicing of a case; a coarse one is painted at the slice centres alone."""
        if recipe.detail is Detail.COARSE:
            return cls(1, 0, 1.0)
        fitted = recipe.scan.fit and recipe.scan.thickness_mm is None
        return cls.of(grid, grid.spacing_mm[2] if fitted else recipe.scan.slice_thickness_mm)

    @classmethod
    def of(cls, grid: Grid, thickness_mm: float) -> Slicing:
        """Return the slicing for slices of this thickness along k."""
        step = grid.spacing_mm[2]
        fine = 2 * int(np.ceil((step / _FINE_MM - 1) / 2)) + 1 if step > _FINE_MM else 1
        width = max(thickness_mm / (step / fine), 1.0)
        return cls(fine, max(0, int(np.ceil((width - fine) / 2 - 1e-6))), width)

    def fine_grid(self, grid: Grid, start: int, stop: int, to_standard: npt.NDArray[np.float64]) -> Grid:
        """Return the grid in the standard patient on which slices `start..stop` are painted."""
        affine = grid.affine.copy()
        first = start - (self.fine - 1) / (2 * self.fine) - self.halo / self.fine
        affine[:3, 3] += affine[:3, 2] * first
        affine[:3, 2] /= self.fine
        _, rows, columns = grid.shape_kji
        return Grid(((stop - start) * self.fine + 2 * self.halo, rows, columns), to_standard @ affine)

    def average(self, painted: F32, count: int) -> F32:
        """Return `count` slices as box averages over the slice profile."""
        if self.fine == 1 and self.halo == 0:
            return painted
        centres = self.halo + (np.arange(count) + 0.5) * self.fine - 0.5
        away = np.abs(np.arange(len(painted))[None, :] - centres[:, None])
        weights = np.clip((self.width + 1) / 2 - away, 0, 1)
        weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        return np.asarray(np.tensordot(weights, painted, axes=1), dtype=np.float32)


def _finish(values: F32, start: int, grid: Grid, recipe: Recipe) -> npt.NDArray[np.int16]:
    blur, grain = _KERNELS[recipe.kernel]
    spacing = grid.spacing_mm[0]
    rows, columns = values.shape[1:]
    v = (
        np.linspace(-1, 1, rows, dtype=np.float32)[:, None] ** 2
        + np.linspace(-1, 1, columns, dtype=np.float32)[None, :] ** 2
    )
    profile = np.float32(recipe.noise_hu) * (np.float32(1.15) - np.float32(0.45) * np.minimum(v, 1))
    out = np.empty(values.shape, dtype=np.int16)
    for n, picture in enumerate(values):
        if blur / spacing > 0.2:
            picture = ndimage.gaussian_filter(picture, blur / spacing, truncate=3.0)
        if recipe.noise_hu > 0:
            picture = picture + profile * _grain(
                np.random.default_rng([recipe.seed, 7, start + n]), (rows, columns), grain / spacing
            )
        # Reconstructions clip below air.
        out[n] = np.rint(np.maximum(picture, -1024))
    if recipe.scan.circle:
        out[:, v > 1] = OUTSIDE_HU
    return out


def _grain(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> F32:
    white = rng.standard_normal(shape, dtype=np.float32)
    if sigma < 0.3:
        return white
    smooth = ndimage.gaussian_filter(white, sigma, mode="wrap", truncate=3.0)
    return np.asarray(smooth / smooth.std(), dtype=np.float32)


def _at_slices(painted: LabelArray, middle: slice, plan: Slicing) -> LabelArray:
    """Return the lesions at the slice centres, and wherever a slice has them if they fall between all centres."""
    out: LabelArray = painted[middle].copy()
    for number in np.setdiff1d(painted, out):
        for offset in range(-(plan.fine // 2), plan.fine // 2 + 1):
            part = painted[middle.start + offset : middle.stop + offset : plan.fine][: len(out)]
            out[: len(part)][part == number] = number
    return out


def _collect(marks: dict[int, list[Crop]], lesions: LabelArray, start: int) -> None:
    for number, where in enumerate(ndimage.find_objects(lesions), start=1):
        if where is not None:
            k, j, i = where
            marks.setdefault(number, []).append(
                Crop((slice(k.start + start, k.stop + start), j, i), lesions[where] == number)
            )


def _join(crops: list[Crop]) -> Crop:
    low = [min(c.where[a].start for c in crops) for a in range(3)]
    high = [max(c.where[a].stop for c in crops) for a in range(3)]
    mask = np.zeros([b - a for a, b in zip(low, high, strict=True)], dtype=bool)
    for crop in crops:
        mask[tuple(slice(s.start - a, s.stop - a) for s, a in zip(crop.where, low, strict=True))] |= crop.mask
    k, j, i = (slice(a, b) for a, b in zip(low, high, strict=True))
    return Crop((k, j, i), mask)
