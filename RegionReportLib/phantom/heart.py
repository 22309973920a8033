"""The middle of the chest: heart, great vessels, large airways, oesophagus, thyroid and the fat around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from .habitus import Habitus
from .paint import Painter, Solid
from .slab import Block, Fields
from .solids import F32, Points, Vector, chain, curve, ellipsoid, smooth_max, smooth_min
from .thorax import SPINE_Y

Path = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Chamber:
    """A part of the heart: outer ellipsoid, and the blood pool inside it by wall thickness."""

    name: str
    centre: Vector
    radii: Vector
    axis: Vector | None
    wall_mm: float


CHAMBERS = (
    Chamber("left ventricle", (-41, 22, -80), (52, 34, 34), (-0.66, 0.55, -0.42), 10.0),
    Chamber("right ventricle", (-13, 46, -82), (40, 27, 38), (-0.75, 0.42, -0.35), 3.5),
    Chamber("right atrium", (27, 20, -66), (23, 28, 38), None, 2.5),
    Chamber("left atrium", (-4, -13, -48), (37, 21, 24), None, 2.5),
)
HEART_CENTRE: Vector = (2, 20, -70)
HEART_BOX = Box((-130, -60, -160), (90, 100, 0))

_PATHS: dict[str, tuple[Sequence[Vector], Sequence[float]]] = {
    "root": ([(-6, 20, -42), (4, 25, -22)], [15.5, 15.5]),
    "aorta": (
        [
            (-4, 20, -38),
            (8, 27, -18),
            (12, 27, 4),
            (10, 20, 22),
            (0, 8, 34),
            (-11, -7, 38),
            (-22, -26, 34),
            (-26, -41, 20),
            (-26, -48, 0),
            (-26, -50, -40),
            (-22, -48, -90),
            (-12, -42, -140),
            (-4, -36, -190),
            (-2, -28, -280),
        ],
        [16, 15.5, 15.3, 14.4, 13.4, 12.6, 12.5, 12.5, 12.4, 12.2, 11.8, 11.2, 10.5, 9.5],
    ),
    "pulmonary": ([(-22, 42, -44), (-23, 32, -26), (-20, 16, -12), (-14, 4, -10)], [14, 14, 13.5, 12.5]),
    "pulmonary_right": ([(-14, 4, -10), (6, -7, -15), (26, -13, -19), (44, -20, -25)], [12, 11.5, 10.5, 8.5]),
    "pulmonary_left": ([(-17, 8, -9), (-29, -10, 1), (-39, -27, -1), (-46, -38, -18)], [12, 11.5, 10.5, 8.0]),
    "cava": ([(28, 19, 54), (29, 9, 25), (29, 8, -10), (27, 12, -40)], [8.5, 9.5, 10, 10.5]),
    "cava_low": ([(24, 2, -88), (25, -8, -120), (24, -18, -160), (20, -26, -280)], [12, 12, 12, 11]),
    "brachiocephalic_left": ([(-42, 18, 84), (-22, 28, 70), (6, 28, 60), (28, 19, 52)], [6.5, 7, 7, 7.5]),
    "brachiocephalic_right": ([(46, 6, 88), (36, 14, 70), (28, 19, 52)], [7, 7.5, 8]),
    "artery_brachiocephalic": (
        [(6, 14, 38), (10, 8, 62), (22, 0, 86), (44, 0, 112), (78, 10, 104)],
        [7, 6.5, 6, 5, 4.5],
    ),
    "artery_carotid": ([(-7, 2, 42), (-13, -2, 70), (-22, -8, 110), (-26, -6, 220)], [4.5, 4, 3.8, 3.6]),
    "artery_carotid_right": ([(22, 0, 86), (25, -8, 110), (26, -6, 220)], [3.8, 3.8, 3.6]),
    "artery_subclavian": (
        [(-17, -12, 44), (-21, -20, 75), (-27, -18, 98), (-52, -2, 114), (-80, 10, 104)],
        [5.5, 5, 4.8, 4.5, 4.2],
    ),
    "jugular_right": ([(46, 6, 88), (38, -2, 120), (34, -4, 220)], [6.5, 6, 6]),
    "jugular_left": ([(-42, 18, 84), (-36, 0, 120), (-34, -4, 220)], [6, 5.5, 5.5]),
    "azygos": (
        [(10, -52, -190), (11, -54, -60), (11, -52, -12), (18, -34, 10), (27, -4, 11), (29, 8, 8)],
        [4, 4.2, 4.5, 5, 5, 5],
    ),
    "vein_upper_right": ([(22, -10, -36), (40, -2, -30), (54, 8, -22)], [7, 6, 5]),
    "vein_lower_right": ([(22, -20, -52), (40, -29, -58), (52, -36, -66)], [7, 6, 5]),
    "vein_upper_left": ([(-30, -8, -34), (-44, 2, -28), (-56, 10, -18)], [7, 6, 5]),
    "vein_lower_left": ([(-30, -20, -50), (-44, -32, -56), (-56, -40, -62)], [7, 6, 5]),
    "oesophagus": (
        [
            (-3, -26, 210),
            (-3, -30, 100),
            (-3, -43, 20),
            (2, -46, -30),
            (-4, -40, -80),
            (-14, -28, -118),
            (-30, -14, -138),
        ],
        [6.5, 6.5, 7, 7, 7.5, 8, 8.5],
    ),
}
_TRACHEA: list[Vector] = [(0, 0, 230), (0, -2, 150), (1, -10, 95), (5, -21, 40), (4, -27, 2)]
_BRONCHI: dict[str, tuple[list[Vector], list[float]]] = {
    "right": ([(4, -27, 3), (13, -29, -13), (25, -31, -28), (31, -30, -43)], [0.92, 0.84, 0.72, 0.6]),
    "left": ([(4, -27, 3), (-13, -30, -12), (-33, -35, -28), (-42, -38, -38)], [0.9, 0.76, 0.68, 0.55]),
}
# path: (structure, tissue); a vessel that the anatomy table does not know, or that lies above the inlet,
# keeps the label of what it runs through.
_VESSELS: dict[str, tuple[str | None, str]] = {
    "root": ("aorta", "aorta"),
    "aorta": ("aorta", "aorta"),
    "pulmonary": ("pulmonary_artery", "pulmonary"),
    "pulmonary_right": ("pulmonary_artery", "pulmonary"),
    "pulmonary_left": ("pulmonary_artery", "pulmonary"),
    "cava": ("superior_vena_cava", "cava"),
    "cava_low": ("inferior_vena_cava", "cava_low"),
    "azygos": (None, "blood"),
    "brachiocephalic_left": ("brachiocephalic_vein_left", "cava"),
    "brachiocephalic_right": ("brachiocephalic_vein_right", "cava"),
    "artery_brachiocephalic": ("brachiocephalic_trunk", "aorta"),
    "artery_carotid": ("common_carotid_artery_left", "aorta"),
    "artery_carotid_right": (None, "aorta"),
    "artery_subclavian": ("subclavian_artery_left", "aorta"),
    "jugular_right": (None, "cava"),
    "jugular_left": (None, "cava"),
    "vein_upper_right": ("pulmonary_vein", "blood"),
    "vein_lower_right": ("pulmonary_vein", "blood"),
    "vein_upper_left": ("pulmonary_vein", "blood"),
    "vein_lower_left": ("pulmonary_vein", "blood"),
}
VESSEL_STRUCTURES = tuple(dict.fromkeys(s for s, _ in _VESSELS.values() if s))
# These cross in front of or above the lung apex and do not dent it.
_ABOVE_LUNG = ("jugular_right", "jugular_left", "artery_carotid_right")
_FAT_PADS: tuple[tuple[Vector, Vector], ...] = (((40, 54, -118), (24, 22, 18)), ((-72, 52, -118), (24, 20, 16)))
# How much fat lies between a vessel and the pleura.
_PADDING_MM = 2.5


class Centre:
    """The middle of one patient's chest: its fields `heart`, `heart_muscle`, `envelope` and its painters.

    What is planted in it pushes the lungs aside: `bulges` (centres and radii) and `fluid_mm` of pericardial fluid.
    """

    def __init__(self, habitus: Habitus) -> None:
        self.habitus = habitus
        self.heart_scale = habitus.heart
        self.bulges: list[tuple[Vector, Vector]] = []
        self.fluid_mm = 0.0
        self.paths: dict[str, Path] = {name: curve(points, radii) for name, (points, radii) in _PATHS.items()}
        across = (habitus.trachea[0] / habitus.scale[0], habitus.trachea[1] / habitus.scale[1])
        self.lumen = across
        self.trachea: Path = curve(_TRACHEA, [across[0]] * len(_TRACHEA))
        self.bronchi: dict[str, Path] = {
            side: curve(points, [share * across[0] for share in shares], 5.0)
            for side, (points, shares) in _BRONCHI.items()
        }

    def makers(self) -> dict[str, Callable[[Fields], F32]]:
        """Return the fields that this part defines."""
        return {"heart": self.heart, "heart_muscle": self.heart_muscle, "envelope": self.envelope}

    def chamber(self, f: Fields | Block, part: Chamber, inset_mm: float = 0.0) -> F32:
        """Return the distance to a chamber, or to its blood pool when inset by the wall."""
        s = self.heart_scale
        centre = tuple(h + s * (c - h) for c, h in zip(part.centre, HEART_CENTRE, strict=True))
        radii = tuple(r * s - inset_mm for r in part.radii)
        return ellipsoid(f, (centre[0], centre[1], centre[2]), (radii[0], radii[1], radii[2]), part.axis)

    def heart_muscle(self, f: Fields) -> F32:
        """Return the field of the heart without the fat in its grooves."""
        out = self.chamber(f, CHAMBERS[0])
        for part in CHAMBERS[1:]:
            out = smooth_min(out, self.chamber(f, part), 6)
        return np.asarray(np.maximum(out, f["heart"] + np.float32(1.5)), dtype=np.float32)

    def heart(self, f: Fields) -> F32:
        """Return the field of the heart within its pericardium, resting on the diaphragm behind the sternum."""
        out = self.chamber(f, CHAMBERS[0])
        for part in CHAMBERS[1:]:
            out = smooth_min(out, self.chamber(f, part), 24)
        out = np.asarray(out - np.float32(1.5), dtype=np.float32)
        out = smooth_max(out, np.asarray(2.5 - f["dome"], dtype=np.float32), 8)
        return smooth_max(out, np.asarray(f["wall"] + 5, dtype=np.float32), 6)

    def envelope(self, f: Fields) -> F32:
        """Return the field of the mediastinum: the lungs drape over everything in it with a little fat between."""
        near = (np.abs(f.x) < 115) & (f["wall"] < 14) & (f["dome"] > -14)
        out = np.full(f.x.shape, 60, dtype=np.float32)
        if near.any():
            inner = Fields(f.makers, f.x[near], f.y[near], f.z[near])
            inner.adopt("wall", f["wall"][near])
            inner.adopt("dome", f["dome"][near])
            out[near] = self._envelope(inner)
        return out

    def _envelope(self, f: Fields) -> F32:
        out = np.asarray(f["heart"] - np.float32(3 + 0.9 * self.fluid_mm), dtype=np.float32)
        for name, (nodes, radii) in (*self.paths.items(), ("trachea", self.trachea)):
            if name not in _ABOVE_LUNG:
                out = smooth_min(out, chain(f, nodes, radii + _PADDING_MM), 9)
        for nodes, radii in self.bronchi.values():
            out = smooth_min(out, chain(f, nodes, radii + 3.5), 7)
        spine = np.sqrt(f.x**2 + (f.y - SPINE_Y(f.z)) ** 2) - np.float32(21)
        out = smooth_min(out, np.asarray(spine, dtype=np.float32), 12)
        # The sheet behind the sternum: wide with thymus and veins above, thin where the lungs meet, fat pads below.
        width = np.interp(f.z, (-130, -90, -40, -5, 25, 50, 90), (26, 14, 7, 4, 9, 22, 30)).astype(np.float32)
        sheet = np.maximum(np.abs(f.x + 3) - width, 8 - f.y)
        out = smooth_min(out, np.asarray(sheet, dtype=np.float32), 14)
        core = np.maximum(np.abs(f.x - 2) - np.float32(11), np.abs(f.y + 22) - np.float32(30))
        out = smooth_min(out, np.asarray(core, dtype=np.float32), 14)
        for pad in (*_FAT_PADS, *self.bulges):
            out = smooth_min(out, ellipsoid(f, *pad), 12)
        return out

    def vessels(self) -> list[Painter]:
        """Return the painters of the great vessels."""
        return [
            tube(self.paths[name], getattr(self.habitus.tissue, tissue), structure)
            for name, (structure, tissue) in _VESSELS.items()
        ]

    def soft_tissues(self) -> list[Painter]:
        """Return the painters of oesophagus, thyroid and the thymic remnant."""
        tissue = self.habitus.tissue
        thymus = tissue.fat + (45 if self.habitus.age < 40 else 12)
        gullet, widths = self.paths["oesophagus"]
        lobes = Box((-34, -22, 92), (34, 20, 146))
        return [
            Solid(
                Box((-30, 8, 0), (30, 60, 70)),
                lambda b: ellipsoid(b, (-2, 34, 34), (18, 9, 30)),
                thymus,
                "mediastinum",
                ("mediastinum",),
            ),
            tube((gullet, widths), tissue.muscle - 14, "esophagus"),
            tube((gullet, widths * 0.22), tissue.muscle - 160, None),
            Solid(lobes, _thyroid, tissue.thyroid),
        ]

    def heart_parts(self) -> list[Painter]:
        """Return the painters of the heart: fat in the pericardium, walls, blood pools."""
        tissue = self.habitus.tissue
        out: list[Painter] = [
            Solid(HEART_BOX, lambda b: b["heart"], tissue.fat + 8, "heart"),
            Solid(HEART_BOX, lambda b: b["heart_muscle"], tissue.myocardium, "heart"),
        ]
        for part in CHAMBERS:
            hu = tissue.blood if part.name.startswith("left") else (tissue.pulmonary + tissue.blood) / 2
            out.append(Solid(HEART_BOX, _pool(self, part), hu, "heart", ("heart",)))
        return out

    def airways(self) -> list[Painter]:
        """Return the painters of the walls and then the lumens of trachea and main bronchi."""
        wall = self.habitus.tissue.muscle - 20
        tubes: list[Painter] = [
            Solid(_TRACHEA_BOX, lambda b: self.lumen_distance(b) - np.float32(1.6), wall, "mediastinum")
        ]
        tubes += [tube((nodes, radii + 1.6), wall, "mediastinum") for nodes, radii in self.bronchi.values()]
        tubes += [tube(path, -990.0, "main_bronchi") for path in self.bronchi.values()]
        return [*tubes, Solid(_TRACHEA_BOX, self.lumen_distance, -995.0, "trachea")]

    def lumen_distance(self, p: Points) -> F32:
        """Return the distance to the tracheal air column: round in front, flattened at the membranous back."""
        nodes, _ = self.trachea
        across, depth = self.lumen
        x = np.interp(p.z, nodes[::-1, 2], nodes[::-1, 0]).astype(np.float32)
        y = np.interp(p.z, nodes[::-1, 2], nodes[::-1, 1]).astype(np.float32)
        u, v = p.x - x, (p.y - y) * np.float32(across / depth)
        ring = np.sqrt(u * u + v * v) - np.float32(across)
        flat = smooth_max(np.asarray(ring, dtype=np.float32), np.asarray(-v - 0.74 * across, dtype=np.float32), 3)
        return np.maximum(flat, -p.z)


_TRACHEA_BOX = Box((-22, -48, -1), (26, 18, 260))


def _pool(centre: Centre, part: Chamber) -> Callable[[Block], F32]:
    return lambda b: centre.chamber(b, part, part.wall_mm)


def _thyroid(p: Block) -> F32:
    side = np.abs(p.x) - np.float32(16)
    y = p.y - np.float32(0)
    lobe = np.sqrt((side / 8) ** 2 + (y / 9) ** 2 + ((p.z - 120) / 22) ** 2) - 1
    bridge = np.sqrt((p.x / 18) ** 2 + ((y - 10) / 4) ** 2 + ((p.z - 112) / 8) ** 2) - 1
    return np.asarray(np.minimum(lobe * 8, bridge * 4), dtype=np.float32)


def tube(path: Path, hu: float, structure: str | None, hosts: tuple[str, ...] | None = None) -> Solid:
    """Return a solid tube along a path; the box is that of the whole path."""
    nodes, radii = path
    low, high = (nodes - radii[:, None]).min(axis=0) - 1.5, (nodes + radii[:, None]).max(axis=0) + 1.5
    return Solid(Box(tuple(low), tuple(high)), lambda b: chain(b, nodes, radii), hu, structure, hosts)
