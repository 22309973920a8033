"""What is inside the lungs: parenchyma, fissures, vessels, bronchi; and which lobe a point belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from .habitus import Habitus
from .heart import Centre
from .paint import Material, Painter, Solid
from .recipe import Detail
from .rods import Rods
from .slab import Block, Fields
from .solids import F32, Points, Ripple
from .tree import grow, spread

SIDES = {"right": 1, "left": -1}
LUNGS = ("lung_right", "lung_left")
LUNG_BOX = {"right": Box((-14, -125, -235), (142, 92, 118)), "left": Box((-142, -125, -235), (14, 92, 118))}
_ARTERY_ROOT = {"right": (44.0, -20.0, -25.0), "left": (-46.0, -38.0, -18.0)}
_VEIN_ROOTS = {
    "right": ((54.0, 8.0, -22.0), (52.0, -36.0, -66.0)),
    "left": ((-56.0, 10.0, -18.0), (-56.0, -40.0, -62.0)),
}
_TIPS, _TIP_MM = 950, 0.68
_COARSE_TIPS, _COARSE_TIP_MM = 240, 1.12  # the same trunks by Murray's law, without the finest branches


def oblique_fissure(p: Points, side: str) -> F32:
    """Return the distance above the oblique fissure: negative in the lower lobe."""
    back_z, front_z = (44, -128) if side == "right" else (52, -126)
    bow = 7 * np.cos((np.abs(p.x) - 70) / 40)
    height = back_z + (p.y + 88) * ((front_z - back_z) / 148) + bow
    return np.asarray((p.z - height) * 0.66, dtype=np.float32)


def horizontal_fissure(p: Points) -> F32:
    """Return the distance above the horizontal fissure of the right lung."""
    return np.asarray(p.z + 30 - 5 * np.cos((p.x - 80) / 32) + 0.08 * (p.y - 20), dtype=np.float32)


def lobe(p: Points, side: str) -> npt.NDArray[np.str_]:
    """Return the name of the lobe at each point of a lung: upper, middle or lower."""
    upper = np.where((side == "right") & (horizontal_fissure(p) < 0), "middle", "upper")
    return np.where(oblique_fissure(p, side) < 0, "lower", upper)


def parenchyma(habitus: Habitus, rng: np.random.Generator) -> Material:
    """Return the material of aerated lung: denser where it hangs down, denser in expiration, slightly uneven."""
    base = habitus.tissue.lung + 130 * habitus.breath
    coarse, fine = Ripple(rng, 55.0), Ripple(rng, 13.0)

    def hu(block: Block, distance: F32) -> F32:
        # About 1 HU per mm from front to back in a supine patient (Verschakelen et al., AJR 1993;161:713).
        lie = np.clip((20 - block.y) * np.float32(0.55), -45, 70)
        return np.asarray(base + lie + 7 * coarse(block) + 6 * fine(block), dtype=np.float32)

    return hu


def lung_painters(material: Material) -> list[Painter]:
    """Return the painters of the two lungs and their fissures."""
    out: list[Painter] = []
    for side in SIDES:
        name, box = f"lung_{side}", LUNG_BOX[side]
        out.append(Solid(box, _field(f"hemithorax_{side}"), material, name))
        out.append(Solid(box, _fissure(side), -720.0, None, (name,)))
    minor = Solid(
        LUNG_BOX["right"],
        lambda b: np.maximum(np.abs(horizontal_fissure(b)) - np.float32(0.2), -oblique_fissure(b, "right")),
        -730.0,
        None,
        ("lung_right",),
    )
    return [*out, minor]


def _fissure(side: str) -> Callable[[Block], F32]:
    return lambda b: np.abs(oblique_fissure(b, side)) - np.float32(0.25)


def _field(name: str) -> Callable[[Block], F32]:
    return lambda b: b[name]


@dataclass(frozen=True, slots=True)
class Cuff:
    """Thickened walls of the bronchi of some sides, `wall_mm` thick, as the lesion `number`."""

    number: int
    sides: tuple[str, ...]
    wall_mm: float


@dataclass(frozen=True, slots=True)
class Trees:
    """How the trees are grown: how finely, and which bronchi have thickened walls."""

    detail: Detail = Detail.FULL
    cuffs: tuple[Cuff, ...] = ()


def lung_trees(
    habitus: Habitus, plan: Fields, centre: Centre, rng: np.random.Generator, trees: Trees = Trees()
) -> list[Painter]:
    """Return the painters of arteries, veins and bronchi of both lungs; `plan` holds the fields on a lattice."""
    count, tip_mm = (_TIPS, _TIP_MM) if trees.detail is Detail.FULL else (_COARSE_TIPS, _COARSE_TIP_MM)
    t = habitus.tissue
    background = t.lung + 20
    walls: list[Painter] = []
    lumens: list[Painter] = []
    out: list[Painter] = []
    for side in SIDES:
        hosts = (f"lung_{side}",)
        inside = plan[f"hemithorax_{side}"] < -3
        points = np.stack([plan.x[inside], plan.y[inside], plan.z[inside]], axis=1).astype(np.float64)
        ends, radii, tips = grow(_ARTERY_ROOT[side], spread(points, count, rng), tip_mm, rng)
        out.append(Rods(ends, radii, t.pulmonary, background, hosts))
        for root, above in zip(_VEIN_ROOTS[side], (True, False), strict=True):
            part = points[(points[:, 2] > _split_height(points)) == above]
            vein_ends, vein_radii, _ = grow(root, spread(part, count // 2, rng), tip_mm, rng)
            out.append(Rods(vein_ends, vein_radii, t.blood, background, hosts))
        # Bronchi run beside the arteries; beyond the segments their walls are below what a scan shows.
        shift = centre.bronchi[side][0][-1] - np.asarray(_ARTERY_ROOT[side])
        beside = ends + shift * np.clip((tips / tips.max()) ** 0.5, 0.28, 1)[:, None, None]
        big = tips >= count // 32
        walls.append(Rods(beside[big], radii[big] * 0.80, 10.0, background, hosts))
        lumens.append(Rods(beside[big], radii[big] * 0.55, -975.0, 0.0, hosts))
        for cuff in (c for c in trees.cuffs if side in c.sides):
            seen = tips >= count // 130
            lumen = np.maximum(radii[seen] * 0.62, 0.8)
            walls.append(Rods(beside[seen], lumen + cuff.wall_mm, 15.0, background, hosts, lesion=cuff.number))
            lumens.append(Rods(beside[seen], lumen, -975.0, 0.0, hosts))
    return [*out, *walls, *lumens]


def _split_height(points: npt.NDArray[np.float64]) -> float:
    return float(np.median(points[:, 2]))
