"""Findings of the airways: thickened walls, bronchiectasis, secretion in the trachea.

A bronchus is too wide when its lumen exceeds the artery beside it (signet ring; Bankier et al., Radiology 2024).
"""

from __future__ import annotations

import numpy as np

from ..anatomy.regions import Side
from ..imaging.box import Box
from .chest import Stage
from .lesions import Garden, Planted, Spot
from .lungs import Cuff, lobe
from .paint import Solid
from .plan import SIGN
from .recipe import Finding
from .rods import Array, Rods
from .solids import Vector, ellipsoid
from .tree import grow, spread

_WALL_MM = 1.3


def plant_peribronchial(garden: Garden, finding: Finding) -> None:
    """Thicken the walls of the bronchi of one or both lungs."""
    rng = garden.rng
    wall = finding.size if finding.size is not None else float(rng.uniform(1.6, 3.2))
    side, number = finding.side, garden.next_number
    sides = (side,) if side else tuple(Side)
    garden.chest.cuffs.append(Cuff(number, tuple(s.value for s in sides), wall))
    host = f"lung_{side.value}" if side else None
    garden.add(Planted(number, finding.kind, "lungs", host, wall, "mm", None, side), Stage.LUNG)


def plant_bronchiectasis(garden: Garden, finding: Finding) -> None:
    """Plant a cluster of wide bronchi with thick walls, each with its artery; its size is the inner diameter."""
    rng, plan = garden.rng, garden.plan
    size = finding.size if finding.size is not None else float(rng.uniform(5, 10))
    side, zone = garden.place_of(finding)
    reach = 24.0 + size
    space = plan.lung(side)
    deep = plan.zone(side, zone) & (space < -16) & ~plan.taken
    deep = deep if deep.any() else plan.zone(side, zone)
    centre = np.array(garden.pick(deep))
    near = (plan.x - centre[0]) ** 2 + (plan.y - centre[1]) ** 2 + (plan.z - centre[2]) ** 2 < reach**2
    points = plan.points(near & (space < -5))
    hilum: Vector = (SIGN[side] * 42.0, -32.0, -34.0)
    ends, radii, _ = grow(hilum, spread(points, 7, rng), 0.8, rng)
    keep = (np.linalg.norm(ends - centre, axis=2) < reach * 1.15).all(axis=1)
    ends, radii = ends[keep], radii[keep]
    wide = size / 2 * np.clip(radii / np.median(radii), 0.75, 1.15)
    number, host = garden.next_number, f"lung_{side.value}"
    hosts, lung = (host,), garden.chest.habitus.tissue.lung
    aside = _beside(ends) * (size * 0.5 + _WALL_MM + size * 0.28)
    painters = (
        Rods(ends, wide + _WALL_MM, 20.0, lung, hosts, lesion=number),
        Rods(ends, wide, -965.0, 0.0, hosts, lesion=number),
        Rods(ends + aside[:, None], wide * 0.55, garden.chest.habitus.tissue.pulmonary, lung, hosts),
    )
    where = str(lobe(Spot(*centre), side.value)[0])
    planted = Planted(number, finding.kind, "lungs", host, size, "mm", None, side, zone, where)
    garden.add(planted, Stage.LUNG, *painters)
    plan.taken |= near


def _beside(ends: Array) -> Array:
    """Return unit vectors `(n, 3)` across each rod, as upright as they can be."""
    along = ends[:, 1] - ends[:, 0]
    across = np.cross(along, [0.0, 1.0, 0.0])
    return np.asarray(across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6))


def plant_secretion(garden: Garden, finding: Finding) -> None:
    """Plant secretion that lies on the back wall of the trachea."""
    rng = garden.rng
    size = finding.size if finding.size is not None else float(rng.uniform(5, 10))
    nodes, _ = garden.chest.centre.trachea
    usable = np.flatnonzero((nodes[:, 2] > 12) & (nodes[:, 2] < 76))
    across, deep = garden.chest.centre.lumen
    half = min(size, 1.7 * across) / 2
    x, y, z = nodes[rng.choice(usable)] + np.array([rng.uniform(-0.35, 0.35) * across, -0.62 * deep, 0.0])
    centre, radii = (float(x), float(y), float(z)), (half, half * 0.75, half * 1.3)
    box = Box((x - 9, y - 9, z - 12), (x + 9, y + 9, z + 12))
    number = garden.next_number
    blob = Solid(box, lambda b: ellipsoid(b, centre, radii), 14.0, None, ("trachea",), number)
    planted = Planted(number, finding.kind, "airways", "trachea", 2 * half, "mm", 14.0)
    garden.add(planted, Stage.LAST, blob)
