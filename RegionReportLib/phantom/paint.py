"""What is painted into a slab: solids with a distance, a material, a label and the tissues they may replace.

Edges are blended over one voxel, so that partial volume is right without painting on a finer grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from ..imaging.box import Box
from .slab import Block, Slab
from .solids import F32

Material: TypeAlias = "float | Callable[[Block, F32], F32]"


class Painter(Protocol):
    """Anything that paints itself into a slab."""

    def paint(self, slab: Slab) -> None: ...


@dataclass(frozen=True, slots=True)
class Solid:
    """A shape given by `distance` (mm, negative inside) within `box` (None: everywhere), made of `hu`.

    `structure` is the label it paints (None keeps what is there, "" clears it), `hosts` are the structures it may
    replace (None: any), `lesion` is its number in the lesion map (0: none).
    """

    box: Box | None
    distance: Callable[[Block], F32]
    hu: Material
    structure: str | None = None
    hosts: tuple[str, ...] | None = None
    lesion: int = 0

    def paint(self, slab: Slab) -> None:
        """Blend the solid into the slab."""
        block = slab.block(self.box)
        if block is None:
            return
        distance = self.distance(block)
        share = np.clip(np.float32(0.5) - distance / slab.voxel_mm, 0, 1)
        labels = slab.labels[block.where]
        share = np.broadcast_to(share, labels.shape)
        if self.hosts is not None:
            share = share * slab.hosts(self.hosts)[labels]
        if not share.any():
            return
        here = slab.hu[block.where]
        material = np.float32(self.hu) if isinstance(self.hu, (int, float)) else self.hu(block, distance)
        here += share * (material - here)
        inside = share > 0.5
        if self.lesion and not inside.any():  # smaller than a voxel: what holds most of it
            inside = share >= 0.5 * share.max()
        if self.structure is not None:
            labels[inside] = slab.code(self.structure) if self.structure else 0
        if self.lesion or self.structure is not None:  # what is replaced is no lesion any more
            slab.lesions[block.where][inside] = self.lesion


@dataclass(frozen=True, slots=True)
class Veil:
    """A haze: `opacity` (0..1) of `hu` is mixed into what is there, so that vessels and bronchi still show.

    Its border fades over `edge_mm`; `texture`, about -1..1, makes the haze uneven. It marks as its `lesion` (0: none)
    only what is not marked yet.
    """

    box: Box
    distance: Callable[[Block], F32]
    hu: float
    opacity: float
    hosts: tuple[str, ...]
    lesion: int
    edge_mm: float = 4.0
    texture: Callable[[Block], F32] | None = None

    def paint(self, slab: Slab) -> None:
        """Mix the haze into the slab."""
        block = slab.block(self.box)
        if block is None:
            return
        edge = np.float32(max(self.edge_mm, float(slab.voxel_mm)))
        share = np.clip(np.float32(0.5) - self.distance(block) / edge, 0, 1)
        share = share * slab.hosts(self.hosts)[slab.labels[block.where]]
        if not share.any():
            return
        part = np.float32(self.opacity) * share
        if self.texture is not None:
            part = part * (1 + np.float32(0.14) * self.texture(block))
        here = slab.hu[block.where]
        here += np.clip(part, 0, 1) * (np.float32(self.hu) - here)
        lesions = slab.lesions[block.where]
        if self.lesion:
            lesions[(share > 0.5) & (lesions == 0)] = self.lesion


@dataclass(frozen=True, slots=True)
class Border:
    """Where regions end by definition: `structures` beyond the border (`field` negative) are called `name` instead.

    Changes labels only; None leaves no label.
    """

    field: str
    structures: tuple[str, ...]
    name: str | None

    def paint(self, slab: Slab) -> None:
        """Rename what lies beyond the border."""
        block = slab.block(None)
        if block is None:
            return
        beyond = (block[self.field] < 0) & (slab.hosts(self.structures)[slab.labels] > 0)
        slab.labels[beyond] = slab.code(self.name) if self.name else 0


@dataclass(frozen=True, slots=True)
class Filling:
    """A lesion that fills part of a `vessel` (a field such as a pleural space) up to its very border.

    Voxels at the border hold part `background` and part wall; only the former is exchanged, so that no thin line of
    air is left between a dense lesion and the wall.
    """

    box: Box
    distance: Callable[[Block], F32]
    hu: float
    vessel: str
    background: float
    host: str
    lesion: int

    def paint(self, slab: Slab) -> None:
        """Blend the lesion into the slab."""
        block = slab.block(self.box)
        if block is None:
            return
        share = np.clip(np.float32(0.5) - self.distance(block) / slab.voxel_mm, 0, 1)
        if not share.any():
            return
        held = np.clip(np.float32(0.5) - block[self.vessel] / slab.voxel_mm, 0, 1)
        here = slab.hu[block.where]
        content = slab.content(block.where, self.background)
        change = share * (np.float32(self.hu) - content)
        content += change
        here += np.where(held < 1, held * change, share * (np.float32(self.hu) - here))
        inside = (share > 0.5) & (slab.labels[block.where] == slab.code(self.host))
        slab.lesions[block.where][inside] = self.lesion
