"""The whole patient put together: the fields that the parts share and the painters in the order they are painted.

Later painters replace earlier ones, so the order says what lies inside what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

import numpy as np

from ..imaging.box import Box
from . import abdomen as belly
from . import skeleton as bones
from . import thorax
from .abdomen import Abdomen
from .habitus import Habitus
from .heart import VESSEL_STRUCTURES, Centre
from .lungs import LUNGS, Cuff, Trees, lung_painters, lung_trees, parenchyma
from .paint import Border, Painter, Solid
from .plan import Plan
from .recipe import Arms, Detail
from .ribs import rib_number
from .slab import Block, Fields
from .solids import F32, Ripple
from .thorax import SPINE_Y

STRUCTURES: tuple[str, ...] = (
    *LUNGS,
    "trachea",
    "main_bronchi",
    "mediastinum",
    "esophagus",
    "heart",
    *VESSEL_STRUCTURES,
    *bones.STRUCTURES,
    *belly.STRUCTURES,
)

BELOW_INLET = ("mediastinum", "esophagus", *VESSEL_STRUCTURES)
"""What belongs to its region only as far up as the thoracic inlet."""
ABOVE_DIAPHRAGM = (*BELOW_INLET, "heart")
"""What belongs to its region only as far down as the diaphragm; below it, it is the abdomen's."""


class Stage(str, Enum):
    """When a finding is painted: what comes later lies inside it or replaces it."""

    HOLES = "holes"
    LUNG = "lung"
    MEDIASTINUM = "mediastinum"
    LAST = "last"


class Chest:
    """One patient in standard coordinates: `makers` of the shared fields, and the parts that paint themselves."""

    def __init__(self, habitus: Habitus, arms: Arms, rng: np.random.Generator, detail: Detail = Detail.FULL) -> None:
        self.habitus = habitus
        self.detail = detail
        self.cuffs: list[Cuff] = []
        self.arms = arms.value
        self.centre = Centre(habitus)
        self.abdomen = Abdomen(habitus, rng)
        self.lung = parenchyma(habitus, rng)
        self.streaks = Ripple(rng, 45.0)
        self.makers: dict[str, Callable[[Fields], F32]] = {
            "wall": thorax.wall,
            "theta": thorax.theta,
            "dome": thorax.domes(habitus),
            "body": thorax.skin(habitus, self.arms),
            "muscle": thorax.muscle(habitus),
            "abdomen": thorax.abdomen,
            "hemithorax_right": thorax.hemithorax(1),
            "hemithorax_left": thorax.hemithorax(-1),
            "rib": rib_number,
            "middle": _middle,
            "above_inlet": lambda f: -thorax.inlet(f),
            "before_spine": _before_spine,
            "mediastinal": _mediastinal,
            "streaks": self.streaks,
            **self.centre.makers(),
            **self.abdomen.makers(),
        }

    def painters(self, plan: Plan, rng: np.random.Generator, found: Mapping[Stage, list[Painter]]) -> list[Painter]:
        """Return all painters of the patient in order, those of the findings at their stages."""
        return [
            *self._trunk(),
            *lung_painters(self.lung),
            *lung_trees(self.habitus, plan, self.centre, rng, Trees(self.detail, tuple(self.cuffs))),
            *found[Stage.HOLES],
            *found[Stage.LUNG],
            *self.centre.soft_tissues(),
            *found[Stage.MEDIASTINUM],
            *self.centre.heart_parts(),
            *self.abdomen.painters(),
            *self.centre.vessels(),
            *self.centre.airways(),
            Border("dome", ABOVE_DIAPHRAGM, "upper_abdomen"),
            Border("above_inlet", BELOW_INLET, None),
            Border("before_spine", ("mediastinum",), None),
            *bones.skeleton(self.habitus, self.arms),
            *found[Stage.LAST],
        ]

    def _trunk(self) -> list[Painter]:
        t = self.habitus.tissue
        cavity = Box((-145, -128, -245), (145, 95, 122))

        def skin(block: Block, distance: F32) -> F32:
            shell = np.clip((distance + np.float32(2.2)) / np.float32(0.8), 0, 1)
            return np.asarray(t.fat + shell * (t.skin - t.fat), dtype=np.float32)

        def mantle(block: Block, distance: F32) -> F32:
            # Thin layers of fat part the muscles: intercostal from serratus, serratus from pectoral and latissimus.
            wall = block["wall"] - np.float32(1.8) * block["streaks"]
            seam = np.exp(-(((wall - 13) / 0.9) ** 2)) + 0.8 * np.exp(-(((wall - 24.5) / 0.9) ** 2))
            seam = seam * np.clip((np.float32(70) - block.z) / np.float32(30), 0, 1)
            return np.asarray(t.muscle + seam * (0.85 * (t.fat - t.muscle)), dtype=np.float32)

        return [
            *self._table(),
            Solid(None, lambda b: b["body"], skin),
            Solid(None, lambda b: b["muscle"], mantle),
            Solid(cavity, lambda b: b["middle"], t.fat + 2, ""),
            Solid(cavity, lambda b: b["mediastinal"], t.fat + 6, "mediastinum"),
            Solid(
                cavity, lambda b: np.maximum(np.abs(b["dome"]) - np.float32(2.8), b["wall"]), t.muscle, "upper_abdomen"
            ),
        ]

    def _table(self) -> list[Painter]:
        lowest = -70 - 59 - 0.55 * self.habitus.fat - 5
        box = Box((-235, lowest - 80, -600), (235, lowest + 45, 600))

        def surface(block: Block) -> F32:
            return np.asarray(block.y - lowest - (block.x / 42) ** 2, dtype=np.float32)

        def board(top: float, thick: float) -> Callable[[Block], F32]:
            half = np.float32(thick / 2)
            return lambda b: np.maximum(np.abs(surface(b) + np.float32(top)) - half, np.abs(b.x) - np.float32(225))

        return [
            Solid(box, board(14.0, 24.0), -880.0),
            Solid(box, board(28.0, 1.8), -120.0),
            Solid(box, board(52.0, 1.6), -250.0),
        ]


def _middle(f: Fields) -> F32:
    """Return the field of the thoracic cavity between inlet and diaphragm, lungs and all."""
    return np.maximum(np.maximum(f["wall"], -f["dome"]), thorax.inlet(f))


def _before_spine(f: Fields) -> F32:
    """Return the distance in front of where the mediastinum ends and the paravertebral tissue begins.

    1 cm behind the front of the vertebral bodies (ITMIG: Carter et al., J Thorac Oncol 9:S97, 2014).
    """
    return np.asarray(f.y - SPINE_Y(f.z) - np.float32(14.5 - 10), dtype=np.float32)


def _mediastinal(f: Fields) -> F32:
    """Return the field of the mediastinum: what the lungs leave in the middle, not the rim outside of them."""
    return np.asarray(np.maximum(f["middle"], f["envelope"] - np.float32(3)), dtype=np.float32)
