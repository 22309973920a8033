"""Findings of heart, mediastinum, bones and liver: pericardial fluid, hiatal hernia, sclerotic focus, cyst."""

from __future__ import annotations

import numpy as np

from ..imaging.box import Box
from .chest import Stage
from .lesions import Garden, Planted
from .paint import Solid
from .recipe import Finding
from .slab import Block, Fields
from .solids import F32, ellipsoid, smooth_max
from .spine import SPINE

_PERICARDIUM = Box((-165, -95, -175), (125, 115, 15))
_SHELL_MM = 3.5


def plant_pericardial_effusion(garden: Garden, finding: Finding) -> None:
    """Plant fluid around the heart, thickest behind and below; its size is the largest thickness."""
    rng, centre = garden.rng, garden.chest.centre
    size = finding.size if finding.size is not None else float(np.clip(rng.lognormal(2.3, 0.45), 5, 26))
    inner = size / float(np.mean(garden.plan.stretch))
    centre.fluid_mm = inner
    number = garden.next_number
    water = garden.chest.habitus.tissue.water + 4

    def fluid(f: Fields) -> F32:
        behind = np.clip((np.float32(30) - f.y) / np.float32(60), 0, 1) * np.float32(0.45)
        out = f["heart"] - np.float32(inner) * (np.float32(0.55) + behind)
        out = np.maximum(out, np.float32(1.2) - f["dome"])
        return np.asarray(np.maximum(out, f["wall"] + np.float32(2.5)), dtype=np.float32)

    name = f"lesion_{number}"
    garden.chest.makers[name] = fluid
    shell = Solid(_PERICARDIUM, lambda b: b[name], water, "heart", None, number)
    planted = Planted(number, finding.kind, "heart_great_vessels", "heart", size, "mm", water)
    garden.add(planted, Stage.MEDIASTINUM, shell)


def plant_hernia(garden: Garden, finding: Finding) -> None:
    """Plant a hiatal hernia: stomach behind the heart, with a wall, fluid, and gas that has risen to the front."""
    rng = garden.rng
    size = finding.size if finding.size is not None else float(rng.uniform(28, 62))
    across, deep, tall = (float(size / 2 / s * f) for s, f in zip(garden.plan.stretch, (1.0, 0.86, 0.94), strict=True))
    middle = (float(rng.uniform(-14, 4)), -27.0, -128.0 + 55 * garden.chest.habitus.breath * 0.8 + tall * 0.8)
    radii = (across, deep, tall)
    number = garden.next_number
    level = middle[1] + float(rng.uniform(-0.25, 0.35)) * deep
    reach = np.array(radii) + 3
    box = Box(tuple(np.array(middle) - reach), tuple(np.array(middle) + reach))
    wall_hu = garden.chest.habitus.tissue.muscle - 8

    def stomach(b: Block) -> F32:
        above = np.asarray(-1.0 - b["dome"], dtype=np.float32)
        return smooth_max(ellipsoid(b, middle, radii), above, 4)

    def contents(block: Block, distance: F32) -> F32:
        inner = np.clip(0.5 - (distance + np.float32(_SHELL_MM)) / 1.5, 0, 1)
        gas = np.clip((block.y - level) / 1.0 + 0.5, 0, 1)
        filling = np.float32(22) + gas * np.float32(-985 - 22)
        return np.asarray(wall_hu + inner * (filling - wall_hu), dtype=np.float32)

    garden.chest.centre.bulges.append((middle, (radii[0] + 2, radii[1] + 2, radii[2] + 2)))
    hosts = ("mediastinum", "lung_right", "lung_left", "esophagus", "upper_abdomen")
    solid = Solid(box, stomach, contents, "mediastinum", hosts, number)
    planted = Planted(number, finding.kind, "mediastinum", "mediastinum", size, "mm")
    garden.add(planted, Stage.MEDIASTINUM, solid)


def plant_bone_lesion(garden: Garden, finding: Finding) -> None:
    """Plant a dense focus in the body of a thoracic vertebra."""
    rng = garden.rng
    size = finding.size if finding.size is not None else float(rng.uniform(6, 16))
    used = {p.lobe for p in garden.planted}
    free = [v for v in SPINE[2:12] if v.structure.removeprefix("vertebrae_") not in used]
    vertebra = free[rng.integers(len(free))]
    half = size / 2
    room = np.maximum(np.array([vertebra.half_width, vertebra.half_depth, vertebra.half_height]) - half - 2, 0)
    x, y, z = np.array(vertebra.centre) + rng.uniform(-1, 1, 3) * room
    radii = tuple(float(half / s) for s in garden.plan.stretch)
    centre = (float(x), float(y), float(z))
    box = Box((x - size, y - size, z - size), (x + size, y + size, z + size))
    number, hu = garden.next_number, float(rng.uniform(650, 950))
    focus = Solid(
        box,
        lambda b: ellipsoid(b, centre, (radii[0], radii[1], min(radii[2], vertebra.half_height - 1))),
        hu,
        None,
        (vertebra.structure,),
        number,
    )
    level = vertebra.structure.removeprefix("vertebrae_")
    planted = Planted(number, finding.kind, "bones", vertebra.structure, size, "mm", hu, lobe=level)
    garden.add(planted, Stage.LAST, focus)


def plant_liver_cyst(garden: Garden, finding: Finding) -> None:
    """Plant a cyst in the upper part of the liver, which a scan of the chest shows."""
    rng, plan = garden.rng, garden.plan
    size = finding.size if finding.size is not None else float(np.clip(rng.lognormal(2.8, 0.5), 8, 50))
    half = size / 2
    depth = plan["liver"]
    upper = plan.z > plan.z[depth < 0].max() - 65
    for inset in (half + 2, half * 0.6, 0.0):
        room = (depth < -inset) & upper & ~plan.taken
        if room.any():
            break
    centre = garden.pick(room)
    radii = tuple(float(half / s) for s in plan.stretch)
    number, water = garden.next_number, garden.chest.habitus.tissue.water
    box = Box(tuple(np.array(centre) - size), tuple(np.array(centre) + size))
    cyst = Solid(box, lambda b: ellipsoid(b, centre, (radii[0], radii[1], radii[2])), water, None, ("liver",), number)
    where = "right" if centre[0] > 12 else "left"
    planted = Planted(number, finding.kind, "upper_abdomen", "liver", size, "mm", water, lobe=where)
    garden.add(planted, Stage.LAST, cyst)
    plan.taken |= ellipsoid(plan, centre, (size, size, size)) < 0
