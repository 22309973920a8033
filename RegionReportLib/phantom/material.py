"""Medical material: a pacemaker with its leads, a central venous catheter, the wires of a sternotomy."""

from __future__ import annotations

import numpy as np

from ..imaging.box import Box
from .chest import Stage
from .heart import tube
from .kinds import VARIETIES
from .lesions import Garden, Planted
from .paint import Painter, Solid
from .recipe import Finding
from .ribs import STERNUM_HALF_WIDTH, STERNUM_Y
from .slab import Block
from .solids import F32, Vector, curve

_METAL_HU, _PLASTIC_HU = 3000.0, 900.0
_CASE_Z, _CASE_X = 26.0, -78.0


def plant_material(garden: Garden, finding: Finding) -> None:
    """Plant one kind of medical material; its size is the number of its pieces."""
    kinds = VARIETIES[finding.kind]
    variety = finding.variety or kinds[garden.rng.integers(len(kinds))]
    number = garden.next_number
    painters, region, structure, pieces = {
        "pacemaker": _pacemaker,
        "catheter": _catheter,
        "wires": _wires,
    }[variety](garden, number)
    planted = Planted(number, finding.kind, region, structure, float(pieces), "pieces", variety=variety)
    garden.add(planted, Stage.LAST, *painters)


_Material = tuple[list[Painter], str, "str | None", int]


def _pacemaker(garden: Garden, number: int) -> _Material:
    """Return a generator in front of the left pectoral muscle, and a lead to the apex of the right ventricle."""
    scale = garden.chest.centre.heart_scale
    apex = (-34.0 * scale, 44.0, -100.0)
    knots: list[Vector] = [
        (_CASE_X, 60, _CASE_Z + 10),
        (-64, 34, 70),
        (-42, 18, 84),
        (-22, 28, 70),
        (6, 28, 60),
        (28, 19, 52),
        (29, 8, -10),
        (24, 18, -58),
        (0, 38, -88),
        apex,
    ]
    lead = curve(knots, [1.2] * len(knots), 6.0)

    def case(b: Block) -> F32:
        across = np.sqrt((b.x - _CASE_X) ** 2 + ((b.z - _CASE_Z) * np.float32(0.9)) ** 2) - np.float32(22)
        return np.asarray(np.maximum(across, np.abs(b["wall"] - np.float32(27)) - np.float32(3.6)), dtype=np.float32)

    box = Box((_CASE_X - 28, 10, _CASE_Z - 30), (_CASE_X + 28, 150, _CASE_Z + 30))
    painters: list[Painter] = [
        Solid(box, case, _METAL_HU, None, None, number),
        _marked(lead, _METAL_HU, number),
    ]
    return painters, "heart_great_vessels", None, 2


def _catheter(garden: Garden, number: int) -> _Material:
    """Return a catheter through the right jugular vein, its tip in the superior vena cava."""
    tip = float(garden.rng.uniform(-30, 6))
    knots: list[Vector] = [(34, -4, 220), (38, -2, 120), (46, 6, 88), (36, 14, 70), (28, 18, 50), (29, 9, 25)]
    knots.append((29.0, 8.0, tip))
    path = curve(knots, [1.3] * len(knots), 8.0)
    return [_marked(path, _PLASTIC_HU, number)], "heart_great_vessels", "superior_vena_cava", 1


def _wires(garden: Garden, number: int) -> _Material:
    """Return rings around the sternum."""
    levels = np.linspace(42, -84, int(garden.rng.integers(5, 8)))
    painters: list[Painter] = []
    for z in levels:
        half, y = STERNUM_HALF_WIDTH.at(float(z)) + 2.0, STERNUM_Y.at(float(z)) + 1.0
        turn = np.linspace(0, 2 * np.pi, 17)
        nodes = np.stack([half * np.cos(turn), y + 8.5 * np.sin(turn), np.full(17, z)], axis=1)
        painters.append(_marked((nodes, np.full(17, 0.8)), _METAL_HU, number))
    return painters, "bones", "sternum", len(levels)


def _marked(path: tuple[np.ndarray, np.ndarray], hu: float, number: int) -> Painter:
    solid = tube(path, hu, None)
    return Solid(solid.box, solid.distance, hu, None, None, number)
