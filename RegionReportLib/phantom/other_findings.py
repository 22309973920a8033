"""Findings outside the lungs: calcium of coronaries and aorta, enlarged nodes, and those of the whole patient.

Cut-offs: trabecular attenuation under 100 HU suggests osteoporosis (Pickhardt et al., Ann Intern Med 2013;158:588),
liver under 40 HU steatosis (Boyce et al., AJR 2010;194:623), calcium from 130 HU (Agatston et al., JACC 1990;15:827),
cardiothoracic ratio over 0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from .chest import Stage
from .habitus import Habitus
from .heart import HEART_CENTRE
from .lesions import Garden, Planted
from .paint import Solid
from .recipe import Finding, FindingKind, Recipe
from .slab import Block, Fields
from .solids import F32, Vector, curve, ellipsoid

Array: TypeAlias = npt.NDArray[np.float64]
# Courses of left anterior descending, circumflex and right coronary artery, put onto the heart's surface below.
_CORONARIES: tuple[tuple[Vector, ...], ...] = (
    ((-16, 40, -44), (-34, 58, -62), (-56, 62, -86)),
    ((-18, 30, -44), (-52, 6, -58), (-60, -6, -80)),
    ((8, 44, -44), (32, 44, -62), (34, 28, -90)),
)
NODE_SITES: dict[str, Vector] = {
    "right lower paratracheal": (22, -10, 22),
    "subcarinal": (2, -32, -24),
    "aortopulmonary": (-22, 4, 14),
    "prevascular": (-10, 34, 22),
}


def plant_coronary_calcium(garden: Garden, finding: Finding) -> None:
    """Plant calcified plaques along the coronary arteries."""
    rng = garden.rng
    total = finding.size if finding.size is not None else float(np.clip(rng.lognormal(5.0, 0.8), 30, 1200))
    heart = np.array(HEART_CENTRE)
    spots: list[Array] = []
    for volume in _shares(total, rng):
        course = _CORONARIES[rng.choice(3, p=[0.55, 0.15, 0.3])]
        nodes, _ = curve(course, [1.0] * len(course), 1.0)
        toward = nodes[rng.integers(len(nodes) * 2 // 3)] - heart
        spots.append(np.append(_on_heart(garden, heart, toward), volume))
    _plant_flecks(garden, finding.kind, "heart", total, spots)


def plant_aortic_calcium(garden: Garden, finding: Finding) -> None:
    """Plant calcified plaques in the wall of the arch and the descending aorta."""
    rng = garden.rng
    total = finding.size if finding.size is not None else float(np.clip(rng.lognormal(5.4, 0.9), 40, 2500))
    nodes, radii = garden.chest.centre.paths["aorta"]
    usable = np.flatnonzero((nodes[:, 2] > -110) & (np.arange(len(nodes)) > 6))
    spots = []
    for volume in _shares(total, rng):
        n = int(rng.choice(usable))
        course = nodes[n] - nodes[n - 1]
        out = np.cross(course, rng.standard_normal(3))
        # Far enough inside that the fleck as a whole belongs to the aorta.
        inset = (volume * 3 / (4 * np.pi)) ** (1 / 3) * 0.6 + 0.4
        spots.append(np.append(nodes[n] + out / np.linalg.norm(out) * (radii[n] - inset), volume))
    _plant_flecks(garden, finding.kind, "aorta", total, spots)


def _plant_flecks(garden: Garden, kind: FindingKind, structure: str, total: float, spots: list[Array]) -> None:
    number = garden.next_number
    base = 420.0 if garden.chest.habitus.tissue.blood < 80 else 900.0
    solids = []
    for x, y, z, volume in spots:
        radius = (volume * 3 / (4 * np.pi)) ** (1 / 3)
        flat = np.array([1.25, 1.0, 0.8]) * radius / garden.plan.stretch
        box = Box((x - 2 * radius, y - 2 * radius, z - 2 * radius), (x + 2 * radius, y + 2 * radius, z + 2 * radius))
        hu = base + 300 * float(garden.rng.random())
        solids.append(Solid(box, _blob((x, y, z), (flat[0], flat[1], flat[2])), hu, structure, None, number))
    garden.add(Planted(number, kind, "heart_great_vessels", structure, total, "mm3"), Stage.LAST, *solids)


def _shares(total_mm3: float, rng: np.random.Generator) -> Array:
    """Split a volume into plaques of 8 to 150 mm³ or so."""
    count = int(np.clip(total_mm3 / 55, 1, 18))
    parts = rng.uniform(0.3, 1.0, count)
    return np.asarray(parts / parts.sum() * total_mm3)


def _on_heart(garden: Garden, centre: npt.NDArray[np.float64], toward: npt.NDArray[np.float64]) -> Array:
    """Return the point a few millimetres under the heart's surface in a direction from its centre."""
    steps = np.arange(10.0, 130.0, 1.0)
    ray = centre + np.outer(steps, toward / np.linalg.norm(toward))
    x, y, z = (ray[:, n].astype(np.float32) for n in range(3))
    inside = Fields(garden.chest.makers, x, y, z)["heart"] < -3.5
    return np.asarray(ray[np.flatnonzero(inside)[-1]] if inside.any() else centre)


def _blob(centre: Vector, radii: Vector) -> Callable[[Block], F32]:
    return lambda b: ellipsoid(b, centre, radii)


def plant_node(garden: Garden, finding: Finding) -> None:
    """Plant an enlarged mediastinal lymph node; its size is the short axis."""
    rng = garden.rng
    size = finding.size if finding.size is not None else float(rng.uniform(12, 26))
    used = {p.lobe for p in garden.planted}
    names = [name for name in NODE_SITES if name not in used] or list(NODE_SITES)
    name = names[rng.integers(len(names))]
    short = size / 2 / garden.plan.stretch
    centre, radii = NODE_SITES[name], (float(short[0]), float(short[1]), float(short[2] * rng.uniform(1.2, 1.6)))
    hu = float(rng.uniform(35, 50)) + (40 if garden.chest.habitus.tissue.blood > 80 else 0)
    reach = np.array(radii) * 1.3
    box = Box(tuple(np.array(centre) - reach), tuple(np.array(centre) + reach))
    number = garden.next_number
    solid = Solid(box, _blob(centre, radii), hu, "mediastinum", (*_SOFT,), number)
    garden.chest.centre.bulges.append((centre, (radii[0] + 2, radii[1] + 2, radii[2] + 2)))
    garden.add(
        Planted(number, finding.kind, "mediastinum", "mediastinum", size, "mm", hu, lobe=name), Stage.MEDIASTINUM, solid
    )


_SOFT = ("mediastinum", "lung_right", "lung_left")


def apply_to_patient(
    habitus: Habitus, recipe: Recipe, rng: np.random.Generator
) -> tuple[Habitus, float, list[Planted]]:
    """Return the patient with its whole-patient findings, the cardiothoracic ratio to reach, and what was planted."""
    ratio = float(np.clip(rng.normal(0.44, 0.025), 0.38, 0.485))
    tissue = habitus.tissue
    found: list[Planted] = []
    for finding in recipe.findings:
        if finding.kind is FindingKind.CARDIOMEGALY:
            ratio = finding.size if finding.size is not None else float(rng.uniform(0.53, 0.62))
            found.append(Planted(0, finding.kind, "heart_great_vessels", "heart", ratio, "ratio"))
        elif finding.kind is FindingKind.LOW_BONE_DENSITY:
            hu = finding.size if finding.size is not None else float(rng.uniform(45, 92))
            tissue = replace(tissue, trabecular=hu)
            found.append(Planted(0, finding.kind, "bones", None, hu, "HU", hu))
        elif finding.kind is FindingKind.STEATOSIS:
            hu = finding.size if finding.size is not None else float(rng.uniform(5, 34))
            # The size is that of the unenhanced liver; contrast adds to it as to a healthy one of 58 HU.
            tissue = replace(tissue, liver=hu + max(0.0, tissue.liver - 58) * (tissue.blood > 80))
            found.append(Planted(0, finding.kind, "upper_abdomen", "liver", hu, "HU", tissue.liver))
    return replace(habitus, tissue=tissue), ratio, found
