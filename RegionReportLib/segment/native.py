"""From masks on the working grid to one label map on the scan's own voxels, with borders that follow the scan.

Each mask becomes a smooth field, interpolated to the voxels; the highest field wins. Where density tells more than the
field (surface of aerated lung, lumen of airways, bone) the voxel's own HU decides within a few mm of the border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..imaging.grid import Grid
from ..imaging.masks import LabelArray, Slices, joined
from ..imaging.resample import Float32Array, block_grid, resampled, slabs, to_voxels, window
from ..imaging.volume import Volume
from ..progress import Progress, Work
from .working import AIR_MOST_HU, LUMEN_MOST_HU, SPACING_MM, Mask, Working, box_around, smoothed

SMOOTH_VOXELS = 0.6
"""Blurs the steps of the working grid; a sheet of one voxel keeps 60 % and so stays the highest field."""
NEAR = 0.12
"""A field this high is within about one working voxel of its mask."""
SURE = 0.88
"""A field this high is deeper than one working voxel inside its mask."""
BONE_LEAST_HU = 180
BONE_NEVER_HU = 100
DISC_NEVER_HU = 30
"""Half way between muscle (50) and blurred cortex (400-600) lies the first; muscle and unenhanced organs stay below
the second, fat and cord below the third."""
MUSCLE_HU = 50
SHELL_HU = (150, 450)
"""The border of a shell lies half way between its own height and muscle: from thin or porous to thick cortex."""
SHELL_HEIGHT = "shell height"
"""The field of the half height of the nearest bone's shell in HU; not a label."""
RIM = 0.75
"""Where a field is lower the border of the working grid, drawn round every touched voxel, lies too far out."""
DENSE_LUNG = "dense lung"
"""The field that marks the airless parts of the lungs, where HU must not decide; not a label."""

BY_DENSITY = frozenset({"lung_right", "lung_left", "trachea", "main_bronchi", "vertebrae", "bone"})


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A structure's smooth field on the working grid and the blocks of the scan that it reaches."""

    field: Float32Array
    where: Slices
    reach: Slices


def label_map(volume: Volume, scan: Working, masks: Mapping[str, Mask], dense_lung: Mask) -> Work[LabelArray]:
    """Return labels 1.. in the order of `masks`, given on the grid of the working `scan`.

    `dense_lung` marks the parts of the lungs that hold no air, where HU must not decide.
    """
    grid = scan.grid
    labels = np.zeros(volume.grid.shape_kji, np.uint8)
    whole, _ = block_grid(volume.grid, SPACING_MM)
    sources = {name: _source(mask, grid, whole) for name, mask in {**masks, DENSE_LUNG: dense_lung}.items()}
    values = {name: n for n, name in enumerate(masks, start=1)}
    for slab in slabs(volume.grid, SPACING_MM):
        yield Progress(slab[0].start / whole.shape_kji[0], "drawing borders on the scan")
        reach = {name: _common(source.reach, slab) for name, source in sources.items() if source is not None}
        where = joined(box for box in reach.values() if box is not None)
        if where is None:
            continue
        at = window(volume.grid, SPACING_MM, where).voxels
        fields = {}
        for name, source in sources.items():
            box = reach.get(name)
            if source is not None and box is not None:
                fields[name] = _at_voxels(source, box, (grid, whole, volume.grid), at)
        if "vertebrae" in fields or "bone" in fields:
            fields[SHELL_HEIGHT] = _shell_heights(volume, where)
        labels[at] = _labelled(volume.hu[at], fields, values)
    return labels


def _source(mask: Mask, grid: Grid, whole: Grid) -> _Source | None:
    where = box_around(mask, 2)
    return None if where is None else _reaching(smoothed(mask[where], SMOOTH_VOXELS, 1.0), where, grid, whole)


def _shell_heights(volume: Volume, where: Slices) -> Float32Array:
    """Return half way between muscle and the densest voxel within a block or two, at the voxels of the blocks `where`.

    The voxels themselves are asked, as the working grid blurs a shell of 1-2 mm.
    """
    here = window(volume.grid, SPACING_MM, where)
    at = tuple(
        slice(b.start * f, min(b.stop * f, n))
        for b, f, n in zip(here.blocks, here.factor_kji, volume.grid.shape_kji, strict=True)
    )
    peak = volume.hu[at]
    for axis, factor in enumerate(here.factor_kji):
        peak = np.maximum.reduceat(peak, np.arange(0, peak.shape[axis], factor), axis=axis)
    peak = ndimage.maximum_filter(peak, 3).astype(np.float32)
    return to_voxels(np.clip((peak + MUSCLE_HU) / 2, *SHELL_HU), here)


def _reaching(field: Float32Array, where: Slices, grid: Grid, whole: Grid) -> _Source:
    return _Source(field, where, whole.indices_of(grid.box_of([s.start for s in where], [s.stop for s in where])))


def _at_voxels(source: _Source, box: Slices, grids: tuple[Grid, Grid, Grid], at: Slices) -> Float32Array:
    """Return a source's field at the voxels `at`; `box` are the blocks it reaches, `grids` working, blocks, scan."""
    working, whole, scan = grids
    here = window(scan, SPACING_MM, box)
    start = [s.start for s in source.where]
    field = resampled(
        source.field,
        working.crop((start[0], start[1], start[2]), source.field.shape),
        whole.crop(_starts(here.blocks), _sizes(here.blocks)),
        0.0,
    )
    out = np.zeros(_sizes(at), np.float32)
    inner = tuple(slice(v.start - a.start, v.stop - a.start) for v, a in zip(here.voxels, at, strict=True))
    out[inner] = to_voxels(field, here)
    return out


def _starts(box: Slices) -> tuple[int, int, int]:
    return box[0].start, box[1].start, box[2].start


def _sizes(box: Slices) -> tuple[int, int, int]:
    k, j, i = (s.stop - s.start for s in box)
    return k, j, i


def _common(one: Slices, other: Slices) -> Slices | None:
    cut = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, other, strict=True)]
    return None if any(c.stop <= c.start for c in cut) else (cut[0], cut[1], cut[2])


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """The voxels being labelled: their HU, the label of each structure, and the fields that density may correct."""

    hu: npt.NDArray[Any]
    values: Mapping[str, int]
    fields: Mapping[str, Float32Array]
    others: LabelArray
    """The best label there that is neither lung nor airway nor bone."""

    def pair(self, first: str, second: str) -> tuple[Float32Array, Float32Array] | None:
        """Return the fields of two structures, or None if neither reaches these voxels."""
        if first not in self.fields and second not in self.fields:
            return None
        nothing = np.zeros(self.hu.shape, np.float32)
        return self.fields.get(first, nothing), self.fields.get(second, nothing)


def _labelled(hu: npt.NDArray[Any], fields: Mapping[str, Float32Array], values: Mapping[str, int]) -> LabelArray:
    """Return the label of the highest field at each voxel, with the borders moved where HU knows better."""
    out = np.zeros(hu.shape, np.uint8)
    best = np.zeros(hu.shape, np.float32)
    others = np.zeros(hu.shape, np.uint8)
    others_best = np.full(hu.shape, 2 * NEAR, np.float32)
    nothing = np.ones(hu.shape, np.float32)
    for name, value in values.items():
        if name not in fields:
            continue
        field = fields[name]
        nothing -= field
        np.copyto(out, value, where=field > best)
        np.maximum(best, field, out=best)
        if name not in BY_DENSITY:
            np.copyto(others, value, where=field > others_best)
            np.maximum(others_best, field, out=others_best)
    out[best < nothing] = 0
    scene = _Scene(hu, values, fields, others)
    _move_bone(out, scene)
    _move_lung(out, scene)
    _move_airway(out, scene)
    return out


def _move_bone(out: LabelArray, scene: _Scene) -> None:
    found = scene.pair("vertebrae", "bone")
    if found is None:
        return
    spine, other = found
    any_bone = spine + other
    labels = scene.values["vertebrae"], scene.values["bone"]
    half_height = scene.fields[SHELL_HEIGHT]
    gained = (any_bone > NEAR) & (scene.hu > np.maximum(half_height, BONE_LEAST_HU))
    out[gained] = np.where(spine[gained] > other[gained], *labels)
    # Beyond the middle of the border the shell's own half height tells, within it only what is no bone at all: marrow
    # and discs may be as soft as muscle.
    soft = (any_bone < SURE) & (scene.hu < np.where(spine > other, DISC_NEVER_HU, BONE_NEVER_HU))
    soft |= (any_bone < RIM) & (scene.hu < half_height)
    lost = (any_bone > 0) & soft & ((out == labels[0]) | (out == labels[1]))
    out[lost] = scene.others[lost]


def _move_lung(out: LabelArray, scene: _Scene) -> None:
    found = scene.pair("lung_right", "lung_left")
    if found is None:
        return
    right, left = found
    lung = right + left
    labels = scene.values["lung_right"], scene.values["lung_left"]
    air = scene.hu < AIR_MOST_HU
    gained = (lung > NEAR) & air
    airway = scene.pair("trachea", "main_bronchi")
    if airway is not None:
        gained &= airway[0] + airway[1] < 0.5
    out[gained] = np.where(right[gained] >= left[gained], *labels)
    lost = (lung > 0) & (lung < SURE) & ~air & ((out == labels[0]) | (out == labels[1]))
    if DENSE_LUNG in scene.fields:
        lost &= scene.fields[DENSE_LUNG] < 2 * NEAR
    out[lost] = scene.others[lost]


def _move_airway(out: LabelArray, scene: _Scene) -> None:
    found = scene.pair("trachea", "main_bronchi")
    if found is None:
        return
    trachea, bronchi = found
    airway = trachea + bronchi
    labels = scene.values["trachea"], scene.values["main_bronchi"]
    open_ = scene.hu < LUMEN_MOST_HU
    gained = (airway > NEAR) & open_
    lungs = scene.pair("lung_right", "lung_left")
    if lungs is not None:
        gained &= airway >= lungs[0] + lungs[1]
    out[gained] = np.where(trachea[gained] >= bronchi[gained], *labels)
    lost = (airway > 0) & ~open_ & ((out == labels[0]) | (out == labels[1]))
    out[lost] = scene.others[lost]
