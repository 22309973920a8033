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
from .solids import F32, cone

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
        if self.structure is not None:
            labels[inside] = slab.code(self.structure) if self.structure else 0
        if self.lesion or self.structure is not None:  # what is replaced is no lesion any more
            slab.lesions[block.where][inside] = self.lesion


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


@dataclass(frozen=True, slots=True, eq=False)
class Rods:
    """Many thin cones `(n, 2, 3)` with radii `(n, 2)` that brighten their surroundings to `hu` (vessels, septa).

    Only voxels of `hosts` are touched; a rod thinner than a voxel is diluted by the area it fills. Rods darker than
    the background darken instead (air in bronchi); `within` keeps them to one lesion.
    """

    ends: np.ndarray[tuple[int, int, int], np.dtype[np.float64]]
    radii: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    hu: float
    background: float
    hosts: tuple[str, ...]
    within: int = 0

    def paint(self, slab: Slab) -> None:
        """Blend all rods that meet the slab, the one that differs most winning."""
        table = slab.hosts(self.hosts)
        margin = float(slab.voxel_mm)
        low = self.ends.min(axis=1) - self.radii.max(axis=1)[:, None] - margin
        high = self.ends.max(axis=1) + self.radii.max(axis=1)[:, None] + margin
        whole = slab.grid.box
        near = np.flatnonzero(((low <= whole.max_mm) & (high >= whole.min_mm)).all(axis=1))
        rise = np.float32(self.hu - self.background)
        winner = np.maximum if rise > 0 else np.minimum
        for n in near:
            block = slab.block(Box(tuple(low[n]), tuple(high[n])))
            if block is None:
                continue
            radii = (float(self.radii[n, 0]), float(self.radii[n, 1]))
            thin = min(1.0, np.pi * (sum(radii) / 2 / margin) ** 2)
            share = np.clip(np.float32(0.5) - cone(block, self.ends[n], radii) / slab.voxel_mm, 0, 1)
            share = share * table[slab.labels[block.where]] * np.float32(thin)
            if self.within:
                share = share * (slab.lesions[block.where] == self.within)
            here = slab.hu[block.where]
            winner(here, np.where(share > 0, self.background + share * rise, here), out=here)
