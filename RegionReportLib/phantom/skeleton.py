"""The bones of the phantom: vertebrae with discs, ribs with cartilages, sternum, clavicles, scapulae, humeri."""

from __future__ import annotations

import numpy as np

from ..imaging.box import Box
from .habitus import Habitus
from .heart import tube
from .paint import Material, Painter, Solid
from .ribs import CARTILAGES, RIBS, STERNUM_HALF_WIDTH, STERNUM_Y, Ribs, cartilage_painters
from .slab import Block
from .solids import F32, Vector, curve, smooth_max
from .spine import CANAL, SPINE, bone, spine_painters

STRUCTURES = (
    *dict.fromkeys(v.structure for v in SPINE),
    CANAL,
    *RIBS,
    CARTILAGES,
    "sternum",
    "clavicle_right",
    "clavicle_left",
    "scapula_right",
    "scapula_left",
    "humerus_right",
    "humerus_left",
)


def _sternum(p: Block) -> F32:
    thick = np.abs(p.y - STERNUM_Y(p.z) - np.float32(1)) * np.float32(0.95) - np.float32(5.2)
    wide = np.abs(p.x) - STERNUM_HALF_WIDTH(p.z)
    ends = np.maximum(p.z - 60, -110 - p.z)
    out = smooth_max(np.asarray(thick, dtype=np.float32), np.asarray(wide, dtype=np.float32), 7)
    joint = 1.6 - np.abs(p.z - 14)  # the sternal angle
    return np.maximum(smooth_max(out, np.asarray(ends, dtype=np.float32), 6), joint)


def _blade(p: Block) -> F32:
    """Return the distance to both shoulder blades: sheets that lie on the ribs and their muscles behind the cage."""
    wall, around = p["wall"], p["theta"]
    sheet = np.abs(wall - 19.5) - 2.0
    u = (around - 0.16) * 380  # mm along the wall from the medial border
    slant = np.maximum(-u + 0.0 * p.z, (u - 24) * 0.80 - (p.z + 62) * 0.60)
    top = (p.z - 68) * 0.95 + u * 0.12
    return np.asarray(np.maximum(np.maximum(sheet, slant), np.maximum(top, -70 - p.z)), dtype=np.float32)


def girdle_painters(habitus: Habitus, arms: str) -> list[Painter]:
    """Return the painters of clavicles, scapulae and humeri."""
    t = habitus.tissue
    flat, long = bone(t.cortex * 0.75, t.trabecular * 1.3, 1.4), bone(t.cortex * 1.3, 60.0, 3.2)
    lift = 14.0 if arms == "up" else 0.0
    out: list[Painter] = []
    for side, sign in (("right", 1), ("left", -1)):
        blade_box = Box((40, -140, -80), (165, 10, 90)) if sign > 0 else Box((-165, -140, -80), (-40, 10, 90))
        out.append(Solid(blade_box, _blade, flat, f"scapula_{side}"))
        for points, radii in _SCAPULA_RODS:
            out.append(_rod(points, radii, sign, flat, f"scapula_{side}"))
        collar: list[Vector] = [(22, 42, 60), (56, 40, 70), (98, 14, 82 + lift), (138, -24, 96 + lift)]
        out.append(_rod(collar, [9.5, 6.2, 6.0, 6.8], sign, flat, f"clavicle_{side}"))
        for points, radii in _HUMERI[arms]:
            out.append(_rod(points, radii, sign, long, f"humerus_{side}"))
    return out


_SCAPULA_RODS: list[tuple[list[Vector], list[float]]] = [
    ([(80, -98, 44), (114, -94, 66), (150, -64, 92)], [3.0, 4.5, 6.5]),  # spine and acromion
    ([(116, -82, 48), (137, -56, 76)], [5.0, 12.0]),  # neck and glenoid
    ([(134, -52, 82), (128, -22, 84)], [5.0, 5.5]),  # coracoid
]
_HUMERI: dict[str, list[tuple[list[Vector], list[float]]]] = {
    "up": [
        ([(158, -46, 88), (162, -44, 104)], [23, 20]),
        ([(162, -44, 104), (182, -22, 190), (178, 6, 300)], [14, 11, 13]),
    ],
    "down": [
        ([(162, -46, 82), (166, -46, 68)], [23, 20]),
        ([(166, -46, 68), (206, -46, -70), (216, -34, -240)], [14, 11, 14]),
    ],
    "away": [([(158, -46, 82), (166, -46, 74)], [23, 18])],
}


def _rod(points: list[Vector], radii: list[float], sign: int, hu: Material, structure: str) -> Painter:
    nodes, widths = curve([(sign * x, y, z) for x, y, z in points], radii)
    solid = tube((nodes, widths), 0.0, structure)
    return Solid(solid.box, solid.distance, hu, structure)


def skeleton(habitus: Habitus, arms: str) -> list[Painter]:
    """Return the painters of all bones, the spinal canal among them."""
    t = habitus.tissue
    out: list[Painter] = [*cartilage_painters(habitus), Ribs(t.cortex * 0.95, t.trabecular * 0.9 + 40)]
    shell = bone(t.cortex * 0.6, t.trabecular * 0.8, 1.0)
    out += spine_painters(habitus)
    out.append(Solid(Box((-32, 30, -115), (32, 108, 66)), _sternum, shell, "sternum"))
    return [*out, *girdle_painters(habitus, arms)]
