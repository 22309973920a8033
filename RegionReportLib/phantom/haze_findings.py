"""Findings of the lungs that are no solid mass: ground glass, mosaic attenuation, septa, fibrosis.

Appearances after the Fleischner Society glossary (Bankier et al., Radiology 2024;310:e232558): ground glass leaves
vessels visible, septa form polygons of one to two centimetres, fibrotic sequelae are bands that reach the pleura.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from ..anatomy.regions import Side
from ..imaging.box import Box
from .chest import Stage
from .lesions import ZONES, Garden, Planted, Spot
from .lungs import LUNG_BOX, lobe
from .paint import Painter, Veil
from .plan import SIGN, Mask
from .recipe import Finding
from .rods import Array, Rods
from .slab import Block, Slab
from .solids import F32, Points, Ripple, Vector

_LOBULE_MM = 17.0


def plant_ground_glass(garden: Garden, finding: Finding) -> None:
    """Plant a patch of ground glass, mostly near the pleura, with a soft border."""
    rng, plan = garden.rng, garden.plan
    side, zone = garden.place_of(finding)
    volume = finding.size if finding.size is not None else float(np.clip(rng.lognormal(4.4, 0.8), 20, 700))
    space = plan.lung(side)
    deep = -12.0 if rng.random() < 0.7 else -60.0
    at = _site(garden, plan.zone(side, zone) & (space > deep), plan.zone(side, zone))
    ripple, grain = Ripple(rng, 28.0), Ripple(rng, 14.0)

    def key(f: Points) -> F32:
        far = np.sqrt((f.x - at[0]) ** 2 + (f.y - at[1]) ** 2 + (f.z - at[2]) ** 2)
        return np.asarray(far + np.float32(6) * ripple(f), dtype=np.float32)

    room = (space < 0) & ~plan.taken
    level = plan.level_reaching(key(plan), room, volume)
    number, host = garden.next_number, f"lung_{side.value}"
    box = LUNG_BOX[side.value]
    haze = Veil(
        box, lambda b: key(b) - np.float32(level), 35.0, float(rng.uniform(0.32, 0.5)), (host,), number, 6.0, grain
    )
    inside = room & (key(plan) < level)
    zone = max(ZONES, key=lambda z: int(np.count_nonzero(inside & plan.zone(side, z))))
    where = str(lobe(Spot(*at), side.value)[0])
    planted = Planted(number, finding.kind, "lungs", host, volume, "mL", None, side, zone, where)
    garden.add(planted, Stage.HOLES, haze)
    plan.taken |= inside


def plant_mosaic(garden: Garden, finding: Finding) -> None:
    """Plant a patchwork of lobules that are too dark between lung that is too bright."""
    rng, plan = garden.rng, garden.plan
    share = finding.size if finding.size is not None else float(rng.uniform(18, 50))
    ripple = Ripple(rng, 30.0, 12)
    lungs: Mask = np.minimum(plan.lung(Side.RIGHT), plan.lung(Side.LEFT)) < 0
    volume = float(np.count_nonzero(lungs) * plan.point_ml) * share / 100
    level = plan.level_reaching(ripple(plan), lungs, volume)
    number = garden.next_number

    def dark(b: Block) -> F32:
        return np.asarray((ripple(b) - np.float32(level)) * np.float32(5), dtype=np.float32)

    painters: list[Painter] = []
    for side, box in LUNG_BOX.items():
        hosts = (f"lung_{side}",)
        painters.append(Veil(box, lambda b: -dark(b), 35.0, float(rng.uniform(0.16, 0.26)), hosts, 0, 2.5))
        painters.append(Veil(box, dark, -935.0, 0.35, hosts, number, 2.5))
    garden.add(Planted(number, finding.kind, "lungs", None, share, "%"), Stage.HOLES, *painters)


def plant_septal(garden: Garden, finding: Finding) -> None:
    """Plant thickened interlobular septa: a net of polygons near the pleura, more of it at the bases."""
    rng = garden.rng
    size = finding.size if finding.size is not None else float(rng.uniform(0.9, 2.0))
    side = finding.side
    sides = (side,) if side else tuple(Side)
    ripple, number = Ripple(rng, 45.0), garden.next_number
    reach, top = float(rng.uniform(14, 26)), float(rng.uniform(-70, 10))
    painters: list[Painter] = []
    for one in sides:
        axes = [np.arange(a, b, _LOBULE_MM) for a, b in zip(*_ends(LUNG_BOX[one.value]), strict=True)]
        lattice = np.stack([c.ravel() for c in np.meshgrid(*axes, indexing="ij")], axis=1)
        seeds = lattice + rng.uniform(-8.0, 8.0, lattice.shape)
        painters.append(_Septa(seeds, one.value, size, _Reach(ripple, reach, top), number))
    host = f"lung_{side.value}" if side else None
    garden.add(Planted(number, finding.kind, "lungs", host, size, "mm", None, side), Stage.HOLES, *painters)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where septa are thick: nearer than `reach_mm` to the pleura and below `top_z`, with an uneven border."""

    ripple: Ripple
    reach_mm: float
    top_z: float

    def holds(self, block: Block, side: str) -> Mask:
        edge = np.float32(10) * self.ripple(block)
        near = -block[f"hemithorax_{side}"] < np.float32(self.reach_mm) + edge
        return np.asarray(near & (block.z < np.float32(self.top_z) + 2 * edge))


@dataclass(frozen=True, slots=True, eq=False)
class _Septa:
    """The walls between the Voronoi cells of `seeds` `(n, 3)`, `thick_mm` thick, in one lung."""

    seeds: Array
    side: str
    thick_mm: float
    where: _Reach
    lesion: int

    def paint(self, slab: Slab) -> None:
        """Blend the septa into the slab."""
        block = slab.block(LUNG_BOX[self.side])
        if block is None:
            return
        labels = slab.labels[block.where]
        at = np.nonzero((labels == slab.code(f"lung_{self.side}")) & self.where.holds(block, self.side))
        if not len(at[0]):
            return
        points = np.stack([np.broadcast_to(c, labels.shape)[at] for c in (block.x, block.y, block.z)], axis=1)
        found = cKDTree(self.seeds).query(points, k=2)
        far, cell = np.asarray(found[0]), np.asarray(found[1])
        apart = np.linalg.norm(self.seeds[cell[:, 1]] - self.seeds[cell[:, 0]], axis=1)
        away = (far[:, 1] ** 2 - far[:, 0] ** 2) / (2 * apart)
        voxel = float(slab.voxel_mm)
        # Some septa stay thin: which ones goes with the pair of cells, so that a septum is thick as a whole.
        thin = (cell.sum(axis=1) * 7 + cell.prod(axis=1) * 3) % 10 < 3
        away = np.where(thin, 1e3, away)
        share = np.clip(0.5 - (away - self.thick_mm / 2) / voxel, 0, 1) * min(1.0, self.thick_mm / voxel)
        here = slab.hu[block.where]
        here[at] = np.maximum(here[at], here[at] + share * (20.0 - here[at]))
        inside = share > 0.3 * share.max()
        slab.lesions[block.where][tuple(axis[inside] for axis in at)] = self.lesion


def plant_fibrosis(garden: Garden, finding: Finding) -> None:
    """Plant fibrotic sequelae: irregular bands that run from the pleura towards the hilum, and a thickened pleura."""
    rng, plan = garden.rng, garden.plan
    side, zone = garden.place_of(finding)
    size = finding.size if finding.size is not None else float(rng.uniform(22, 55))
    space = plan.lung(side)
    edge = plan.zone(side, zone) & (space > -9) & (plan["wall"] > -14)
    at = np.array(_site(garden, edge, plan.zone(side, zone)))
    hilum = np.array([SIGN[side] * 42.0, -28.0, -30.0])
    inward = (hilum - at) / np.linalg.norm(hilum - at)
    bands = [_band(at, inward, size, rng) for _ in range(int(rng.integers(6, 11)))]
    ends = np.concatenate(bands)
    radii = rng.uniform(0.8, 1.9, (len(ends), 1)) * np.array([1.15, 0.8])
    number, host = garden.next_number, f"lung_{side.value}"
    low, high = at - 26, at + 26
    cap = f"hemithorax_{side.value}"
    ripple = Ripple(rng, 16.0)

    def scar(b: Block) -> F32:
        far = np.sqrt((b.x - at[0]) ** 2 + (b.y - at[1]) ** 2 + (b.z - at[2]) ** 2)
        thick = np.float32(3.5) + 2 * ripple(b)
        return np.asarray(np.maximum(far - np.float32(20), -b[cap] - thick), dtype=np.float32)

    painters = (
        Veil(Box(tuple(low), tuple(high)), scar, 30.0, 0.75, (host,), number, 2.0),
        Rods(ends, radii, 25.0, garden.chest.habitus.tissue.lung, (host,), lesion=number),
    )
    where = str(lobe(Spot(*(at + inward * 12)), side.value)[0])
    planted = Planted(number, finding.kind, "lungs", host, size, "mm", None, side, zone, where)
    garden.add(planted, Stage.HOLES, *painters)


def _band(at: Array, inward: Array, length: float, rng: np.random.Generator) -> Array:
    """Return a crooked band `(3, 2, 3)` from the pleura near `at` inward."""
    start = at + rng.normal(0, 11, 3) - inward * 4
    stop = at + inward * length * rng.uniform(0.55, 1.0) + rng.normal(0, 6, 3)
    knots = [start, *(start + (stop - start) * f + rng.normal(0, 2.2, 3) for f in (0.35, 0.7)), stop]
    return np.stack([np.stack(pair) for pair in pairwise(knots)])


def _site(garden: Garden, best: Mask, otherwise: Mask) -> Vector:
    """Draw a place that is free, near the pleura if there is one."""
    free = ~garden.plan.taken
    for choice in (best & free, otherwise & free, otherwise):
        if choice.any():
            return garden.pick(choice)
    raise AssertionError("a zone of a lung has points")


def _ends(box: Box) -> tuple[Vector, Vector]:
    return box.min_mm, box.max_mm
