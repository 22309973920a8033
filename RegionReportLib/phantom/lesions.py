"""Lesions as values: what was planted, and what of it is in the scan. How each kind is made stands elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..anatomy.regions import Side, Zone
from ..imaging.box import Box, Point
from ..imaging.masks import BoolArray, Slices
from .chest import Chest, Stage
from .paint import Painter
from .plan import Mask, Plan
from .recipe import Finding, FindingKind
from .solids import Vector

ZONES = (Zone.UPPER, Zone.MIDDLE, Zone.LOWER)


@dataclass(frozen=True, slots=True)
class Planted:
    """A finding with its place: `size` in `unit` as made, `hu` the attenuation declared, None where it varies.

    `side` None of a finding of the lungs means both. `lobe` names the finer place: a lobe, a station of
    nodes, a vertebra.
    """

    number: int
    kind: FindingKind
    region_id: str
    structure: str | None
    size: float
    unit: str
    hu: float | None = None
    side: Side | None = None
    zone: Zone | None = None
    lobe: str = ""
    variety: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """A finding as it is in the scan: its mask is `mask` within the block `where` `(k, j, i)` of the volume.

    `box` surrounds the mask in RAS, `point_mm` lies in it, `volume_ml` is that of the mask. `boxes` are the places as
    a reader would draw them: one, but one in each lung for a finding of both.
    """

    planted: Planted
    where: Slices
    mask: BoolArray
    box: Box
    point_mm: Point
    volume_ml: float
    boxes: tuple[Box, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the mask as plain JSON values."""
        p = self.planted
        return {
            "number": p.number,
            "kind": p.kind.value,
            "region": p.region_id,
            "structure": p.structure,
            "side": p.side.value if p.side else None,
            "zone": p.zone.value if p.zone else None,
            "lobe": p.lobe or None,
            "variety": p.variety or None,
            "size": round(p.size, 3),
            "unit": p.unit,
            "hu": p.hu,
            "box_ras_mm": [list(self.box.min_mm), list(self.box.max_mm)],
            "boxes_ras_mm": [[list(box.min_mm), list(box.max_mm)] for box in self.boxes],
            "point_ras_mm": list(self.point_mm),
            "volume_ml": round(self.volume_ml, 4),
        }


class Spot:
    """One point of the standard patient, as fields take it."""

    def __init__(self, x: float, y: float, z: float) -> None:
        self.x, self.y, self.z = (np.array([c], dtype=np.float32) for c in (x, y, z))


@dataclass(slots=True)
class Garden:
    """What planters work with: the patient, its plan, the random numbers of this case, and what was planted so far."""

    chest: Chest
    plan: Plan
    rng: np.random.Generator
    planted: list[Planted]
    painters: dict[Stage, list[Painter]]

    @classmethod
    def of(cls, chest: Chest, plan: Plan, rng: np.random.Generator) -> Garden:
        """Return a patient without findings."""
        return cls(chest, plan, rng, [], {stage: [] for stage in Stage})

    @property
    def next_number(self) -> int:
        """The number of the next finding in the lesion map."""
        return len(self.planted) + 1

    @property
    def enhanced(self) -> bool:
        """Whether the scan was made with contrast medium."""
        return self.chest.habitus.tissue.blood > 80

    def side_of(self, finding: Finding) -> Side:
        """Return the side asked for, or draw one."""
        return finding.side or (Side.RIGHT if self.rng.random() < 0.5 else Side.LEFT)

    def place_of(self, finding: Finding) -> tuple[Side, Zone]:
        """Return side and zone asked for, or draw them."""
        side = self.side_of(finding)
        return side, finding.zone or ZONES[self.rng.integers(3)]

    def pick(self, where: Mask) -> Vector:
        """Draw one of the chosen points of the plan, in the standard patient."""
        x, y, z = self.plan.points(where)[self.rng.integers(np.count_nonzero(where))]
        return float(x), float(y), float(z)

    def add(self, planted: Planted, stage: Stage, *painters: Painter) -> None:
        """Note a finding and its painters."""
        self.planted.append(planted)
        self.painters[stage] += painters
