"""The patient frame: scan and masks on one coarse grid whose axes are the patient's.

Shapes, distances and levels are measured here, so that oblique, anisotropic and mirrored scans give the same
numbers. Not for voxel statistics (histograms, small calcifications): those use the scan's own voxels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy.regions import Side, region
from ..imaging.box import Box, Point
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, RegionMasks, Slices, joined
from ..imaging.resample import AIR_HU, blocks, nearest, resampled
from ..imaging.volume import Volume
from ..progress import Work
from ..report.place import Place
from .subject import Subject

HuFrame: TypeAlias = npt.NDArray[np.float32]

STEP_MM = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """HU and labels `(k, j, i)` on a `grid` of 2 mm cubes along right, anterior and superior.

    `hu` is locally averaged to the frame's voxel size; `labels` name `structures` as in `RegionMasks`; `blocks` holds
    for each present structure a block that encloses it.
    """

    hu: HuFrame
    labels: npt.NDArray[np.uint8]
    structures: tuple[str, ...]
    grid: Grid
    blocks: dict[str, Slices]

    def mask(self, names: Iterable[str], within: Slices | None = None) -> BoolArray:
        """Return the union of structures, absent ones being empty; of a sub-block if `within` is given."""
        wanted = set(names)
        lookup = np.zeros(256, dtype=bool)
        lookup[[n for n, name in enumerate(self.structures, start=1) if name in wanted]] = True
        return np.asarray(lookup[self.labels if within is None else self.labels[within]])

    def bounds(self, names: Iterable[str]) -> Slices | None:
        """Return a block that encloses the union of structures, None if none is present."""
        return joined(self.blocks[name] for name in set(names) if name in self.blocks)

    def crop(self, within: Slices, margin_mm: float = 0.0) -> Frame:
        """Return the block `within`, widened by a margin as far as the frame goes."""
        more = round(margin_mm / STEP_MM)
        k, j, i = (
            slice(max(s.start - more, 0), min(s.stop + more, n)) for s, n in zip(within, self.labels.shape, strict=True)
        )
        labels = self.labels[k, j, i]
        grid = self.grid.crop((k.start, j.start, i.start), labels.shape)
        blocks = {name: _within(block, (k, j, i)) for name, block in self.blocks.items()}
        held = {name: block for name, block in blocks.items() if block is not None}
        return Frame(self.hu[k, j, i], labels, self.structures, grid, held)

    def heights_mm(self) -> npt.NDArray[np.float64]:
        """Return the RAS z of each slice k."""
        return np.asarray(self.grid.affine[2, 3] + STEP_MM * np.arange(self.labels.shape[0]))

    def place(self, subject: Subject, mask: BoolArray) -> Place | None:
        """Return the place of `mask` (same shape as this frame): its box and the voxel of it nearest its centroid."""
        return _place(self.grid, subject, mask)


def voxel_ml() -> float:
    """Volume of one frame voxel."""
    return STEP_MM**3 / 1000.0


def frame_of(volume: Volume, masks: RegionMasks) -> Work[Frame | None]:
    """Bring scan and masks into the patient frame, as far as the structures reach; None for empty masks."""
    where = joined(masks.bounds().values())
    if where is None:
        return None
    grid = _frame_grid(masks.box(where))
    # A little more of the scan than the masks: interpolation and smoothing look past their edge.
    k, j, i = (slice(max(s.start - 4, 0), min(s.stop + 4, n)) for s, n in zip(where, masks.labels.shape, strict=True))
    native = volume.grid.crop((k.start, j.start, i.start), masks.labels[k, j, i].shape)
    labels = nearest(masks.labels[k, j, i], native, grid)
    # Only whole slices are left out: cutting rows and columns too would copy the scan.
    slices = volume.grid.crop((k.start, 0, 0), volume.hu[k].shape)
    small = yield from blocks(Volume(volume.hu[k], slices, volume.provenance, volume.outside_hu), STEP_MM)
    hu = resampled(small.hu.astype(np.float32), small.grid, grid, AIR_HU)
    found = ndimage.find_objects(labels, max_label=len(masks.structures))
    held = {n: (w[0], w[1], w[2]) for n, w in zip(masks.structures, found, strict=True) if w is not None}
    return Frame(hu, labels, masks.structures, grid, held)


def side_names(structures: Iterable[str], side: Side) -> tuple[str, ...]:
    """Return the structures of the lungs region that lie on `side`."""
    lungs = {s.id for s in region("lungs").structures if s.side is side}
    return tuple(name for name in structures if name in lungs)


def point_in(grid: Grid, mask: BoolArray) -> Point:
    """Return the centre of the voxel of `mask` that lies nearest to its centroid; the mask must not be empty."""
    found = np.argwhere(mask)
    middle = found[np.argmin(((found - found.mean(axis=0)) ** 2).sum(axis=1))]
    x, y, z = (float(v) for v in grid.to_ras(middle[::-1]))
    return x, y, z


def block_of(mask: BoolArray) -> Slices | None:
    """Return the smallest block around a mask, None for an empty one."""
    rows = [np.flatnonzero(np.any(mask, axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not len(rows[0]):
        return None
    k, j, i = (slice(int(r[0]), int(r[-1]) + 1) for r in rows)
    return k, j, i


def _within(block: Slices, where: Slices) -> Slices | None:
    """Return the part of a block that lies in `where`, counted from its start."""
    cut = [
        slice(max(b.start, w.start) - w.start, min(b.stop, w.stop) - w.start) for b, w in zip(block, where, strict=True)
    ]
    return (cut[0], cut[1], cut[2]) if all(s.start < s.stop for s in cut) else None


def _place(grid: Grid, subject: Subject, mask: BoolArray) -> Place | None:
    where = block_of(mask)
    if where is None:
        return None
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
