"""The patient frame: scan and masks on one coarse grid whose axes are the patient's.

Shapes, distances and levels are measured here, so that oblique, anisotropic and mirrored scans give the same
numbers. Not for voxel statistics (histograms, small calcifications): those use the scan's own voxels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 the name that ITK's own documentation uses
from scipy import ndimage

from ..anatomy.regions import Side, region
from ..imaging.box import Box, Point
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, RegionMasks, Slices, joined
from ..imaging.volume import Volume
from ..report.place import Place
from .subject import Subject

HuFrame: TypeAlias = npt.NDArray[np.float32]

STEP_MM = 2.0
AIR_HU = -1024.0
_TOP_HU = 3071.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """HU and labels `(k, j, i)` on a `grid` of 2 mm cubes along right, anterior and superior.

    `hu` is locally averaged to the frame's voxel size; `labels` name `structures` as in `RegionMasks`.
    """

    hu: HuFrame
    labels: npt.NDArray[np.uint8]
    structures: tuple[str, ...]
    grid: Grid

    def mask(self, names: Iterable[str], within: Slices | None = None) -> BoolArray:
        """Return the union of structures, absent ones being empty; of a sub-block if `within` is given."""
        wanted = set(names)
        lookup = np.zeros(256, dtype=bool)
        lookup[[n for n, name in enumerate(self.structures, start=1) if name in wanted]] = True
        return np.asarray(lookup[self.labels if within is None else self.labels[within]])

    def bounds(self, names: Iterable[str]) -> Slices | None:
        """Return the block around the union of structures, None if none is present."""
        wanted = set(names)
        found = ndimage.find_objects(self.labels, max_label=len(self.structures))
        blocks = [
            (w[0], w[1], w[2])
            for name, w in zip(self.structures, found, strict=True)
            if w is not None and name in wanted
        ]
        return joined(blocks)

    def crop(self, within: Slices, margin_mm: float = 0.0) -> Frame:
        """Return the block `within`, widened by a margin as far as the frame goes."""
        more = round(margin_mm / STEP_MM)
        k, j, i = (
            slice(max(s.start - more, 0), min(s.stop + more, n)) for s, n in zip(within, self.labels.shape, strict=True)
        )
        labels = self.labels[k, j, i]
        grid = self.grid.crop((k.start, j.start, i.start), labels.shape)
        return Frame(self.hu[k, j, i], labels, self.structures, grid)

    def heights_mm(self) -> npt.NDArray[np.float64]:
        """Return the RAS z of each slice k."""
        return np.asarray(self.grid.affine[2, 3] + STEP_MM * np.arange(self.labels.shape[0]))

    def place(self, subject: Subject, mask: BoolArray) -> Place | None:
        """Return the place of `mask` (same shape as this frame): its box and the voxel of it nearest its centroid."""
        return _place(self.grid, subject, mask)


def voxel_ml() -> float:
    """Volume of one frame voxel."""
    return STEP_MM**3 / 1000.0


def frame_of(volume: Volume, masks: RegionMasks) -> Frame | None:
    """Bring scan and masks into the patient frame, as far as the structures reach; None for empty masks."""
    where = joined(masks.bounds().values())
    if where is None:
        return None
    grid = _frame_grid(masks.box(where))
    # A little more of the scan than the masks: interpolation and smoothing look past their edge.
    k, j, i = (slice(max(s.start - 4, 0), min(s.stop + 4, n)) for s, n in zip(where, masks.labels.shape, strict=True))
    native = volume.grid.crop((k.start, j.start, i.start), masks.labels[k, j, i].shape)
    labels = _resampled(masks.labels[k, j, i], native, grid, sitk.sitkNearestNeighbor, 0.0)
    block, coarse = _block_mean(volume.hu[k, j, i], native)
    hu = _resampled(block, coarse, grid, sitk.sitkLinear, AIR_HU)
    return Frame(hu, labels, masks.structures, grid)


def side_names(structures: Iterable[str], side: Side) -> tuple[str, ...]:
    """Return the structures of the lungs region that lie on `side`."""
    lungs = {s.id for s in region("lungs").structures if s.side is side}
    return tuple(name for name in structures if name in lungs)


def point_in(grid: Grid, mask: BoolArray) -> Point:
    """Return the centre of the voxel of `mask` that lies nearest to its centroid; the mask must not be empty."""
    found = np.argwhere(mask)
    nearest = found[np.argmin(((found - found.mean(axis=0)) ** 2).sum(axis=1))]
    x, y, z = (float(v) for v in grid.to_ras(nearest[::-1]))
    return x, y, z


def _place(grid: Grid, subject: Subject, mask: BoolArray) -> Place | None:
    block = ndimage.find_objects(mask.astype(np.uint8))
    if not block:
        return None
    where = block[0]
    start = [s.start for s in where]
    inner = grid.crop((start[0], start[1], start[2]), mask[where].shape)
    return Place(
        subject.region_id, inner.box, point_in(inner, mask[where]), subject.structure, subject.side, subject.zone
    )


def _frame_grid(box: Box) -> Grid:
    low = np.array(box.min_mm) - STEP_MM
    size = np.ceil((np.array(box.size_mm) + 2 * STEP_MM) / STEP_MM).astype(int) + 1
    affine = np.diag([STEP_MM, STEP_MM, STEP_MM, 1.0])
    affine[:3, 3] = low
    return Grid((int(size[2]), int(size[1]), int(size[0])), affine)


def _block_mean(hu: npt.NDArray[np.generic], grid: Grid) -> tuple[HuFrame, Grid]:
    """Average whole blocks of voxels so that spacing comes near the frame's: less noise and no aliasing.

    Clipping first keeps padding (−2048) and metal from leaking into their neighbours more than they must.
    """
    spacing = np.array(grid.spacing_mm[::-1])
    factor = np.maximum(np.minimum(STEP_MM // spacing, hu.shape), 1).astype(int)
    size = np.array(hu.shape) // factor
    fk, fj, fi = (int(f) for f in factor)
    nk, nj, ni = (int(n) for n in size)
    mean = np.empty((nk, nj, ni), dtype=np.float32)
    for k in range(nk):  # slice by slice: no float copy of the scan
        rows = np.clip(hu[k * fk : (k + 1) * fk, : nj * fj, : ni * fi], AIR_HU, _TOP_HU).astype(np.float32)
        plane = np.add.reduce(rows, axis=0).reshape(nj, fj, ni * fi)
        mean[k] = np.add.reduce(np.add.reduce(plane, axis=1).reshape(nj, ni, fi), axis=2)
    mean /= fk * fj * fi
    affine = grid.affine @ np.diag([fi, fj, fk, 1.0])
    affine[:3, 3] = grid.to_ras([(fi - 1) / 2, (fj - 1) / 2, (fk - 1) / 2])
    return mean, Grid((nk, nj, ni), affine)


def _resampled(
    array: npt.NDArray[np.generic], source: Grid, target: Grid, how: int, outside: float
) -> npt.NDArray[Any]:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    _set_geometry(image, source)
    filter_ = sitk.ResampleImageFilter()
    filter_.SetInterpolator(how)
    filter_.SetDefaultPixelValue(outside)
    filter_.SetSize(target.shape_kji[::-1])
    filter_.SetOutputSpacing(target.spacing_mm)
    filter_.SetOutputOrigin([float(v) for v in target.affine[:3, 3]])
    return np.asarray(sitk.GetArrayFromImage(filter_.Execute(image)))


def _set_geometry(image: sitk.Image, grid: Grid) -> None:
    """Give `image` the grid in RAS: ITK only needs one consistent space here, nothing leaves this file."""
    spacing = np.array(grid.spacing_mm)
    image.SetSpacing([float(s) for s in spacing])
    image.SetOrigin([float(v) for v in grid.affine[:3, 3]])
    image.SetDirection([float(v) for v in (grid.affine[:3, :3] / spacing).ravel()])
