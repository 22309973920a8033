"""Masks that are there already, made by other segmenters or by hand: a label map with names, or a folder of masks.

Names become structures by the anatomy table. What lies on another grid is brought onto the scan's by its affine.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cc3d
import numpy as np
import numpy.typing as npt

from ..anatomy import regions as anatomy
from ..anatomy.regions import Coverage, Side
from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.label_map import label_names, read_label_map
from ..imaging.masks import LabelArray, RegionMasks
from ..imaging.read import ENDINGS
from ..imaging.resample import blocks, nearest
from ..imaging.segment_names import structure_of_segment
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from .classical import working
from .coverage import coverage
from .working import SPACING_MM

_log = logging.getLogger(__name__)

_RIGHT, _LEFT = "lung_right", "lung_left"
_BOTH_LUNGS = {"lung", "lungs", "both lungs"}
"""A mask without a side, as data sets give the lungs; its parts are told apart by where they lie."""
_LEAST_WITHIN = 0.5
"""Less than this share of the masks within the scan, and they are another scan's."""
_PART_SHARE = 0.05
"""A smaller part of both lungs is no lung of its own but a piece of the nearer one."""
_WHOLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "lungs": ((_RIGHT, _LEFT), ("lung_upper_lobe_right", "lung_lower_lobe_right", "lung_upper_lobe_left")),
    "airways": (("airways",), ("trachea", "main_bronch")),
    "mediastinum": (("mediastinum",),),
    "heart_great_vessels": (("heart", "aorta"), ("heart_great_vessels",)),
    "bones": (("bone",), ("vertebrae_", "rib_left_", "rib_right_", "sternum")),
    "upper_abdomen": (("upper_abdomen",), ("liver", "spleen", "stomach")),
}
"""What masks must at least hold, by how the ids of structures begin, before they can stand for a region's whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """The masks on the grid of the scan, and the `unknown` names that the anatomy table does not have."""

    masks: RegionMasks
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NamedLabels:
    """A label map `labels` `(k, j, i)` on a `grid` of its own, and the `names` of its values; 0 is none.

    `source` is what they are called in messages.
    """

    labels: npt.NDArray[np.uint16]
    grid: Grid
    names: Mapping[int, str]
    source: str


def read_given(path: Path, volume: Volume, names: Mapping[int, str] | None = None) -> Work[Given]:
    """Read the masks of a scan from a label map, or from a folder with one file per structure.

    `names` of the label values; without them they are looked for beside the file and in it. Where files of a folder
    overlap the smaller structure counts. Raises InputRefused if no name is known or the masks miss the scan.
    """
    if path.is_dir():
        found = yield from part(_from_folder(path, volume.grid), 0.0, 0.8)
    else:
        found = yield from part(_from_map(path, volume.grid, names), 0.0, 0.8)
    given = yield from part(_judged(found, volume, path.name), 0.8, 1.0)
    return given


def given_labels(stored: NamedLabels, volume: Volume) -> Work[Given]:
    """Return the masks of a scan from labels that are in memory already; raises as `read_given`."""
    yield Progress(0.0, "bringing the masks onto the scan")
    found = _from_labels(stored, volume.grid)
    given = yield from part(_judged(found, volume, stored.source), 0.5, 1.0)
    return given


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    labels: LabelArray
    structures: tuple[str, ...]
    unknown: tuple[str, ...]


def _from_map(path: Path, grid: Grid, names: Mapping[int, str] | None) -> Work[_Found]:
    called = label_names(path) if names is None else names
    stored, own = yield from part(read_label_map(path), 0.0, 0.7)
    return _from_labels(NamedLabels(stored, own, called, str(path)), grid)


def _from_labels(stored: NamedLabels, grid: Grid) -> _Found:
    present = [int(n) for n in np.flatnonzero(np.bincount(stored.labels.ravel())) if n]
    names = {n: stored.names.get(n, f"label {n}") for n in present}
    known, structures, unknown = _known({str(n): name for n, name in names.items()}, stored.source)
    lookup = np.zeros(2**16, np.uint8)
    for value, name in known.items():
        lookup[int(value)] = structures.index(name) + 1
    labels = _on(lookup[stored.labels], stored.grid, grid, stored.source)
    if any(_plain(name) in _BOTH_LUNGS for name in names.values()):
        _tell_lungs_apart(labels, structures, grid)
    return _Found(labels, structures, unknown)


def _from_folder(folder: Path, grid: Grid) -> Work[_Found]:
    files = {f.name.split(".")[0]: f for f in sorted(folder.iterdir()) if f.name.lower().endswith(ENDINGS)}
    known, structures, unknown = _known({stem: stem for stem in files}, folder)
    masks: list[tuple[int, str, npt.NDArray[np.uint8]]] = []
    for n, (stem, name) in enumerate(known.items()):
        stored, own = yield from part(read_label_map(files[stem]), n / len(known), (n + 1) / len(known))
        mask = _on((stored > 0).astype(np.uint8), own, grid, files[stem])
        masks.append((int(mask.sum()), name, np.packbits(mask)))
    labels = np.zeros(grid.shape_kji, np.uint8)
    for _, name, packed in sorted(masks, key=lambda one: (-one[0], one[1])):
        mask = np.unpackbits(packed, count=grid.size).reshape(grid.shape_kji)
        labels[mask > 0] = structures.index(name) + 1
    if any(_plain(stem) in _BOTH_LUNGS for stem in files):
        _tell_lungs_apart(labels, structures, grid)
    return _Found(labels, structures, unknown)


def _known(called: Mapping[str, str], path: Path | str) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Return the structure of each source that has one, all structures in order, and the names without any."""
    known: dict[str, str] = {}
    unknown: list[str] = []
    for source, name in called.items():
        structure = structure_of_segment("", name, "")
        if _plain(name) in _BOTH_LUNGS:
            known[source] = _RIGHT
        elif structure is not None:
            known[source] = structure.id
        else:
            unknown.append(name)
    if not known:
        has = f"it has {', '.join(unknown[:8])}" if unknown else "it has none"
        raise InputRefused(f"{path} holds no mask whose name is known; {has}")
    both = (_RIGHT, _LEFT) if any(_plain(called[source]) in _BOTH_LUNGS for source in known) else ()
    return known, tuple(dict.fromkeys((*known.values(), *both))), tuple(unknown)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _on(labels: LabelArray, own: Grid, grid: Grid, path: Path | str) -> LabelArray:
    """Bring labels onto the grid of the scan; InputRefused if most of them lie outside it."""
    if own.shape_kji == grid.shape_kji and np.allclose(own.affine, grid.affine, atol=1e-3):
        return labels
    moved: LabelArray = nearest(labels, own, grid)
    held = np.count_nonzero(labels) * own.voxel_ml
    if held and np.count_nonzero(moved) * grid.voxel_ml < _LEAST_WITHIN * held:
        raise InputRefused(f"the masks of {path} lie beside the scan: they belong to another one, or lost their place")
    return moved


def _judged(found: _Found, volume: Volume, name: str) -> Work[Given]:
    if found.unknown:
        _log.warning("%s: not known and left out: %s", name, ", ".join(found.unknown))
    if not found.labels.any():
        raise InputRefused(f"the masks of {name} are empty")
    states, notes = yield from _coverage(volume, found)
    masks = RegionMasks(found.labels, volume.grid, found.structures, f"given {name}", states, notes)
    return Given(masks, found.unknown)


def _tell_lungs_apart(labels: LabelArray, structures: tuple[str, ...], grid: Grid) -> None:
    """Give the voxels of both lungs, labelled as right, to the sides: by parts, or at the middle if they are one."""
    right, left = structures.index(_RIGHT) + 1, structures.index(_LEFT) + 1
    where = np.argwhere(labels == right)
    if not len(where):
        return
    x_mm = (grid.affine[0, :3] @ where[:, ::-1].T) + grid.affine[0, 3]
    middle = (x_mm.min() + x_mm.max()) / 2
    parts = cc3d.connected_components(labels == right, connectivity=6)[tuple(where.T)]
    counts = np.bincount(parts)
    centres = np.bincount(parts, weights=x_mm) / np.maximum(counts, 1)
    large = counts >= _PART_SHARE * len(where)
    two = bool((centres[large] > middle).any() and (centres[large] <= middle).any())
    is_left = (centres <= middle)[parts] if two else x_mm <= middle
    labels[tuple(where[is_left].T)] = left


def _coverage(volume: Volume, found: _Found) -> Work[tuple[dict[str, Coverage], dict[str, str]]]:
    small = yield from blocks(volume, SPACING_MM)
    scan = working(small)
    labels = nearest(found.labels, volume.grid, scan.grid)
    masks = {name: labels == n for n, name in enumerate(found.structures, start=1)}
    for name, side in ((_RIGHT, Side.RIGHT), (_LEFT, Side.LEFT)):
        lobes = [masks[s.id] for s in anatomy.region("lungs").structures if s.side is side and s.id in masks]
        masks[name] = np.logical_or.reduce([np.zeros(labels.shape, bool), *lobes])
    states, notes = coverage(scan, masks)
    for region_id, ways in _WHOLE.items():
        whole = any(all(any(s.startswith(part) for s in found.structures) for part in way) for way in ways)
        if not whole and states[region_id] is not Coverage.ABSENT:
            states[region_id] = Coverage.PARTIAL
            notes[region_id] = "; ".join(filter(None, (notes.get(region_id), "only some of its structures were given")))
    return states, notes
