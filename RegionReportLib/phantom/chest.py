"""The whole patient put together: the fields that the parts share and the painters in the order they are painted.

Later painters replace earlier ones, so the order says what lies inside what.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.box import Box
from . import abdomen as belly
from . import skeleton as bones
from . import thorax
from .abdomen import Abdomen
from .habitus import Habitus
from .heart import VESSEL_STRUCTURES, Centre
from .lungs import LUNGS, lung_painters, lung_trees, parenchyma
from .paint import Painter, Solid
from .recipe import Arms
from .ribs import rib_number
from .slab import Block, Fields
from .solids import F32, Ripple

STRUCTURES: tuple[str, ...] = (
    *LUNGS,
    "trachea",
    "main_bronchi",
    "mediastinum",
    "esophagus",
    "thyroid_gland",
    "heart",
    *VESSEL_STRUCTURES,
    *bones.STRUCTURES,
    *belly.STRUCTURES,
)
_PLAN_MM = 4.0


class Chest:
    """One patient in standard coordinates: `makers` of the shared fields, and the parts that paint themselves."""

    def __init__(self, habitus: Habitus, arms: Arms, rng: np.random.Generator) -> None:
        self.habitus = habitus
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
            "streaks": self.streaks,
            **self.centre.makers(),
            **self.abdomen.makers(),
        }

    def plan(self, step_mm: float = _PLAN_MM) -> Fields:
        """Return the fields on a lattice over the thoracic cavity, for placing things and taking true sizes."""
        axes = (np.arange(-150, 151, step_mm), np.arange(-128, 97, step_mm), np.arange(-240, 125, step_mm))
        x, y, z = (c.astype(np.float32) for c in np.meshgrid(*axes, indexing="ij"))
        return Fields(self.makers, x, y, z)

    def painters(self, plan: Fields, rng: np.random.Generator) -> list[Painter]:
        """Return all painters of the patient without findings, in order."""
        return [
            *self._trunk(),
            *lung_painters(self.habitus, self.lung),
            *lung_trees(self.habitus, plan, self.centre, rng),
            *self.centre.soft_tissues(),
            *self.centre.heart_parts(),
            *self.abdomen.painters(),
            *self.centre.vessels(),
            *self.centre.airways(),
            *bones.skeleton(self.habitus, self.arms),
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
            Solid(cavity, lambda b: b["middle"], t.fat + 6, "mediastinum"),
            Solid(cavity, lambda b: np.maximum(np.abs(b["dome"]) - np.float32(2.8), b["wall"]), t.muscle, ""),
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
