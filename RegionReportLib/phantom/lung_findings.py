"""Findings of lungs and pleura: nodule, consolidation, emphysema, effusion with atelectasis, pneumothorax.

Each is the set of points where a smooth key is below a level, and the level is chosen so that the volume is the one
asked for. Attenuations: simple effusion 0–20 HU and pneumothorax after Fleischner glossary practice; emphysema below
−950 HU (Gevenois et al., AJRCCM 1996;154:187).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from ..anatomy.regions import Side, Zone
from ..imaging.box import Box
from .chest import Stage
from .lesions import ZONES, Garden, Planted, Spot
from .lungs import LUNG_BOX, lobe, oblique_fissure
from .paint import Filling, Painter, Solid, Veil
from .plan import SIGN, Mask
from .recipe import Finding, FindingKind
from .rods import Rods
from .slab import Block, Fields
from .solids import F32, Points, Ripple, ellipsoid, smooth_max
from .tree import grow, spread

# How far fluid or air creeps along the wall beyond its level in the middle of the pleural space.
_CLIMB_MM = np.float32(34)


# Attenuation added to that of soft tissue by variety; a ground-glass nodule is a haze (Fleischner glossary 2024).
_CALCIFIED_HU = 480.0


def plant_nodule(garden: Garden, finding: Finding) -> None:
    """Plant a nodule with a slightly lobulated border."""
    rng, plan = garden.rng, garden.plan
    size = finding.size if finding.size is not None else float(np.clip(rng.lognormal(2.2, 0.55), 4, 35))
    if finding.variety == "calcified" and finding.size is None:
        size = min(size, 11.0)
    side, zone = garden.place_of(finding)
    radius = size / 2
    free = ~ndimage.binary_dilation(plan.taken, iterations=1 + int(radius / plan.step_mm))
    fits = (plan.lung(side) < -(radius * 1.05 + 2)) & plan.zone(side, zone) & free
    if not fits.any():  # a large nodule in a narrow zone may touch the pleura
        fits = plan.zone(side, zone) & (plan.lung(side) < -radius * 0.6)
    centre = garden.plan.points(fits)[rng.integers(np.count_nonzero(fits))]
    ripple = Ripple(rng, size * 1.1)
    radii = tuple(radius / s for s in plan.stretch)
    at = (float(centre[0]), float(centre[1]), float(centre[2]))
    reach = 1.25 * radius + 2
    lump = 0.05 * radius  # takes as much as it gives, so that the longest diameter stays the size

    def distance(b: Block) -> F32:
        shape = ellipsoid(b, at, (radii[0], radii[1], radii[2]))
        return np.asarray(shape + np.float32(lump) * (ripple(b) + 1), dtype=np.float32)

    hu = float(rng.uniform(25, 60)) + (25 if garden.chest.habitus.tissue.blood > 80 else 0)
    box = Box(tuple(centre - reach), tuple(centre + reach))
    number = garden.next_number
    host, variety = f"lung_{side.value}", finding.variety or "solid"
    hu += _CALCIFIED_HU if variety == "calcified" else 0.0
    painter: Painter = Solid(box, distance, hu, None, (host,), number)
    if variety == "ground-glass":
        painter = Veil(box, distance, hu, 0.42, (host,), number, 2.0)
    where = str(lobe(Spot(*at), side.value)[0])
    declared = None if variety == "ground-glass" else hu
    planted = Planted(number, finding.kind, "lungs", host, size, "mm", declared, side, zone, where, variety)
    garden.add(planted, Stage.LUNG, painter)
    plan.taken |= ellipsoid(plan, at, (reach + 6, reach + 6, reach + 6)) < 0


def plant_effusion(garden: Garden, finding: Finding) -> None:
    """Plant free pleural fluid: behind and below, a crescent up the walls, with collapsed lung above it."""
    rng, plan = garden.rng, garden.plan
    side = garden.side_of(finding)
    volume = finding.size if finding.size is not None else float(np.clip(rng.lognormal(5.4, 0.7), 40, 1000))
    key = _dependent(side)
    inside = (plan.lung(side) < 0) & ~plan.taken
    values = key(plan)
    level = plan.level_reaching(values, inside, volume)
    band = float(np.clip(3 + volume**0.5 * rng.uniform(0.25, 0.5), 4, 16))
    contrast = garden.chest.habitus.tissue.blood > 80
    fluid_hu = garden.chest.habitus.tissue.water
    lung_hu = float(rng.uniform(32, 48)) + (55 if contrast else 0)
    squeezed = float(np.count_nonzero(inside & (values >= level) & (values < level + band * 1.3)) * plan.point_ml)
    names = (f"lesion_{garden.next_number}", f"lesion_{garden.next_number + 1}")
    garden.chest.makers[names[0]] = lambda f: (key(f) - np.float32(level + band * 1.3)) / np.float32(1.3)
    garden.chest.makers[names[1]] = lambda f: (key(f) - np.float32(level)) / np.float32(1.3)
    host = f"lung_{side.value}"
    for name, kind, size, hu, over in (
        (names[0], FindingKind.ATELECTASIS, squeezed, lung_hu, 0),
        (names[1], FindingKind.EFFUSION, volume, fluid_hu, 1),
    ):
        number = garden.next_number
        solid = _filling(garden, side, name, hu, over)
        garden.add(Planted(number, kind, "lungs", host, size, "mL", hu, side), Stage.LUNG, solid)
    plan.taken |= (plan.lung(side) < 0) & (values < level + band * 1.3)


def plant_atelectasis(garden: Garden, finding: Finding) -> None:
    """Plant dependent atelectasis: a dense band of lung behind and below without fluid."""
    if finding.variety == "linear":
        return _plant_plate(garden, finding)
    rng, plan = garden.rng, garden.plan
    side = garden.side_of(finding)
    volume = finding.size if finding.size is not None else float(rng.uniform(25, 110))
    key = _dependent(side)
    level = plan.level_reaching(key(plan), (plan.lung(side) < 0) & ~plan.taken, volume)
    hu = float(rng.uniform(25, 42)) + (50 if garden.chest.habitus.tissue.blood > 80 else 0)
    number = garden.next_number
    name, host = f"lesion_{number}", f"lung_{side.value}"
    garden.chest.makers[name] = lambda f: (key(f) - np.float32(level)) / np.float32(1.3)
    solid = _filling(garden, side, name, hu)
    planted = Planted(number, finding.kind, "lungs", host, volume, "mL", hu, side, variety="dependent")
    garden.add(planted, Stage.LUNG, solid)
    plan.taken |= (plan.lung(side) < 0) & (key(plan) < level)


def _plant_plate(garden: Garden, finding: Finding) -> None:
    """Plant linear atelectasis: a thin plate that reaches the pleura near the base; its size is the length."""
    rng, plan = garden.rng, garden.plan
    side = garden.side_of(finding)
    inside = plan.lung(side)
    base = plan.zone(side, Zone.LOWER) & (inside > -18) & (inside < -6) & (plan["wall"] > -26) & ~plan.taken
    at = garden.pick(base if base.any() else plan.zone(side, Zone.LOWER))
    length, width, half = rng.uniform(28, 62), rng.uniform(14, 26), rng.uniform(1.0, 2.0)
    hilum = np.array([SIGN[side] * 45.0, -25.0, -40.0])
    inward = hilum - np.array(at)
    axis = inward / np.linalg.norm(inward) + rng.normal(0, 0.25, 3)
    centre = np.array(at) + axis / np.linalg.norm(axis) * length * 0.3
    number, host = garden.next_number, f"lung_{side.value}"
    box = Box(tuple(centre - length * 0.6), tuple(centre + length * 0.6))
    radii, middle = (length / 2, width / 2, half), (float(centre[0]), float(centre[1]), float(centre[2]))
    toward = (float(axis[0]), float(axis[1]), float(axis[2]) * 0.6)
    plate = Solid(box, lambda b: ellipsoid(b, middle, radii, toward), 20.0, None, (host,), number)
    where = str(lobe(Spot(*middle), side.value)[0])
    planted = Planted(
        number, finding.kind, "lungs", host, float(length), "mm", None, side, Zone.LOWER, where, variety="linear"
    )
    garden.add(planted, Stage.LUNG, plate)


def plant_pneumothorax(garden: Garden, finding: Finding) -> None:
    """Plant free air in front of the lung, with the visceral pleura as a thin line along its border."""
    rng, plan = garden.rng, garden.plan
    side = garden.side_of(finding)
    volume = finding.size if finding.size is not None else float(np.clip(rng.lognormal(5.2, 0.7), 50, 900))
    slope = float(rng.uniform(0.1, 0.3))

    def key(f: Points) -> F32:
        assert isinstance(f, Fields)
        depth = np.maximum(-f[f"hemithorax_{side.value}"], 0)
        climb = _CLIMB_MM * (1 - np.exp(-depth / _CLIMB_MM))
        return np.asarray(-f.y - slope * f.z + climb, dtype=np.float32)

    level = plan.level_reaching(key(plan), (plan.lung(side) < 0) & ~plan.taken, volume)
    number = garden.next_number
    name, host = f"lesion_{number}", f"lung_{side.value}"
    garden.chest.makers[name] = lambda f: (key(f) - np.float32(level)) / np.float32(1.45)
    field = _field(name)
    pleura = Solid(LUNG_BOX[side.value], lambda b: np.abs(field(b)) - np.float32(0.35), -350.0, None, (host,))
    air = _filling(garden, side, name, -998.0)
    garden.add(Planted(number, finding.kind, "lungs", host, volume, "mL", -998.0, side), Stage.LUNG, air, pleura)
    plan.taken |= (plan.lung(side) < 0) & (key(plan) < level)


def plant_consolidation(garden: Garden, finding: Finding) -> None:
    """Plant an airspace consolidation that starts at the pleura, stops at a fissure and keeps air in its bronchi."""
    rng, plan = garden.rng, garden.plan
    side, zone = garden.place_of(finding)
    volume = finding.size if finding.size is not None else float(np.clip(rng.lognormal(4.3, 0.7), 20, 400))
    edge = plan.zone(side, zone) & (plan.lung(side) > -12) & (plan["wall"] > -16) & ~plan.taken
    edge = edge if edge.any() else plan.zone(side, zone)
    seed = plan.points(edge)[rng.integers(np.count_nonzero(edge))]
    at = (float(seed[0]), float(seed[1]), float(seed[2]))
    lower = bool(oblique_fissure(Spot(*at), side.value)[0] < 0)
    ripple = Ripple(rng, 32.0)

    def key(f: Points) -> F32:
        far = np.sqrt((f.x - at[0]) ** 2 + (f.y - at[1]) ** 2 + (f.z - at[2]) ** 2)
        return np.asarray(far + np.float32(5) * ripple(f), dtype=np.float32)

    def fissure(f: Points) -> F32:
        return np.asarray(oblique_fissure(f, side.value) * np.float32(1 if lower else -1), dtype=np.float32)

    room = (plan.lung(side) < 0) & (fissure(plan) < 0) & ~plan.taken
    level = plan.level_reaching(key(plan), room, volume)
    number = garden.next_number
    name, host = f"lesion_{number}", f"lung_{side.value}"
    garden.chest.makers[name] = lambda f: smooth_max(key(f) - np.float32(level), fissure(f), 1)
    hu = float(rng.uniform(24, 46)) + (35 if garden.chest.habitus.tissue.blood > 80 else 0)
    solid = _filling(garden, side, name, hu)
    inside = room & (key(plan) < level)
    bronchi = _bronchogram(garden, side, inside, number)
    zone = max(ZONES, key=lambda z: int(np.count_nonzero(inside & plan.zone(side, z))))
    where = str(lobe(Spot(*at), side.value)[0])
    garden.add(
        Planted(number, finding.kind, "lungs", host, volume, "mL", hu, side, zone, where), Stage.LUNG, solid, *bronchi
    )
    plan.taken |= room & (key(plan) < level)


def _bronchogram(garden: Garden, side: Side, inside: Mask, number: int) -> list[Painter]:
    """Return the painters of air-filled bronchi within a consolidation."""
    points = garden.plan.points(inside)
    if len(points) < 40:
        return []
    hilum = (SIGN[side] * 42.0, -32.0, -34.0)
    ends, radii, _ = grow(hilum, spread(points, min(14, len(points) // 30), garden.rng), 0.75, garden.rng)
    return [Rods(ends, radii, -930.0, 30.0, (f"lung_{side.value}",), number)]


def plant_emphysema(garden: Garden, finding: Finding) -> None:
    """Plant emphysema: holes of a centimetre, or confluent ones twice as large, more of them in the upper lungs."""
    rng, plan = garden.rng, garden.plan
    share = finding.size if finding.size is not None else float(rng.uniform(6, 28))
    wide = finding.variety != "centrilobular"
    ripple = Ripple(rng, 26.0 if wide else 15.0, 14)
    slope = float(rng.uniform(0.008, 0.018))

    def key(f: Points) -> F32:
        return np.asarray(-ripple(f) - np.float32(slope) * f.z, dtype=np.float32)

    lungs = np.minimum(plan.lung(Side.RIGHT), plan.lung(Side.LEFT))
    total = float(np.count_nonzero(lungs < 0) * plan.point_ml)
    level = plan.level_reaching(key(plan), (lungs < 0) & ~plan.taken, total * share / 100)
    number = garden.next_number
    hu = float(rng.uniform(-990, -978))
    solids = [
        # The key rises by about one per four millimetres, or per two where holes are small.
        Solid(
            box,
            lambda b: (key(b) - np.float32(level)) * np.float32(4 if wide else 2.4),
            hu,
            None,
            (f"lung_{side}",),
            number,
        )
        for side, box in LUNG_BOX.items()
    ]
    variety = "confluent" if wide else "centrilobular"
    planted = Planted(number, finding.kind, "lungs", None, share, "%", hu, variety=variety)
    garden.add(planted, Stage.HOLES, *solids)


def _dependent(side: Side) -> Callable[[Points], F32]:
    """Return the key of what collects behind and below in a supine patient, thinner the higher it climbs."""

    def key(f: Points) -> F32:
        assert isinstance(f, Fields)
        depth = np.maximum(-f[f"hemithorax_{side.value}"], 0)
        climb = _CLIMB_MM * (1 - np.exp(-depth / _CLIMB_MM))
        return np.asarray(f.y + np.float32(0.16) * f.z + climb, dtype=np.float32)

    return key


def _filling(garden: Garden, side: Side, name: str, hu: float, over: int = 0) -> Filling:
    """Return the painter of the field `name`; it leaves out what fills the side already, but for the last `over`."""
    number = garden.next_number
    space, host = f"hemithorax_{side.value}", f"lung_{side.value}"
    earlier = [p.number for p in garden.planted if p.side is side and p.unit == "mL"]
    earlier = earlier[: len(earlier) - over]

    def distance(b: Block) -> F32:
        out = b[name]
        for other in earlier:
            out = np.maximum(out, -b[f"lesion_{other}"])
        return out

    background = garden.chest.habitus.tissue.lung
    return Filling(LUNG_BOX[side.value], distance, hu, space, background, host, number)


def _field(name: str) -> Callable[[Block], F32]:
    return lambda b: b[name]
