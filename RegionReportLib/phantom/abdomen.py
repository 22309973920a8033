"""The upper abdomen of the phantom: liver, spleen, stomach with gas and fluid, kidneys, bowel, fat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.box import Box
from .habitus import Habitus
from .heart import tube
from .paint import Material, Painter, Solid
from .slab import Block, Fields
from .solids import F32, Ripple, Vector, chain, curve, ellipsoid, smooth_max, smooth_min
from .thorax import SPINE_Y

STRUCTURES = ("upper_abdomen", "liver", "spleen", "stomach", "colon", "kidney_right", "kidney_left")
_CAVITY = Box((-150, -120, -340), (150, 110, -60))


class Abdomen:
    """The abdominal organs of one patient: fields, then painters; `lift_mm` is how far the diaphragm stands up."""

    def __init__(self, habitus: Habitus, rng: np.random.Generator) -> None:
        self.habitus = habitus
        self.lift = 55 * habitus.breath + habitus.tall_domes
        self.ripple = Ripple(rng, 60.0)
        self.bowel = Ripple(rng, 38.0)
        self.gas_y = float(rng.uniform(8, 40))
        self.size = float(rng.normal(1, 0.05))

    def makers(self) -> dict[str, Callable[[Fields], F32]]:
        """Return the fields that this part defines."""
        return {
            "liver": self.liver,
            "spleen": self.spleen,
            "stomach": self.stomach,
            "bowel": lambda f: np.asarray((0.35 - self.bowel(f)) * 8, dtype=np.float32),
        }

    def liver(self, f: Fields) -> F32:
        """Return the field of the liver: under the right dome, tapering across the midline, concave below."""
        z = f.z - np.float32(0.7 * self.lift)
        floor = np.interp(f.x, (-80, -40, 0, 40, 85, 130), (-124, -140, -162, -185, -222, -226)).astype(np.float32)
        below = floor - z + np.float32(4) * self.ripple(f) - 0.22 * (f.y - 10) * (f.x < 60)
        left = (-74 * self.size - f.x) * 0.9
        behind = np.interp(f.x, (-80, -20, 20, 50, 90), (24, 4, -28, -62, -110)).astype(np.float32) - f.y
        out = smooth_max(f["abdomen"] + np.float32(0.2), np.asarray(below * 0.75, dtype=np.float32), 14)
        out = smooth_max(out, np.asarray(behind * 0.9, dtype=np.float32), 12)
        return smooth_max(out, np.asarray(left, dtype=np.float32), 14)

    def spleen(self, f: Fields) -> F32:
        """Return the field of the spleen against the left posterior diaphragm."""
        z = 0.7 * self.lift
        out = ellipsoid(f, (-98, -46, -158 + z), (30 * self.size, 50, 52 * self.size), (0.75, 0.6, 0.2))
        hilum = 20 - np.sqrt((f.x + 52) ** 2 + (f.y + 18) ** 2 + ((f.z + 160 - z) * 0.5) ** 2)
        out = smooth_max(out, np.asarray(hilum, dtype=np.float32), 8)
        return smooth_max(out, f["abdomen"] + np.float32(0.6), 5)

    def stomach(self, f: Fields) -> F32:
        """Return the field of the stomach from the fundus under the left dome to the antrum."""
        z = 0.7 * self.lift
        nodes, radii = curve(
            [(-62, -22, -142 + z), (-74, 12, -158 + z), (-60, 44, -190 + z), (-22, 52, -212 + z), (14, 40, -208 + z)],
            [30, 34, 27, 19, 14],
            12.0,
        )
        out = chain(f, nodes, radii)
        out = smooth_max(out, f["abdomen"] + np.float32(3), 6)
        out = np.maximum(out, 2.0 - f["liver"])
        return np.asarray(np.maximum(out, 2.0 - f["spleen"]), dtype=np.float32)

    def painters(self) -> list[Painter]:
        """Return the painters of the cavity's fat and everything in it."""
        t = self.habitus.tissue
        inside = ("upper_abdomen",)
        out: list[Painter] = [
            Solid(_CAVITY, lambda b: b["abdomen"], t.fat - 2, "upper_abdomen"),
            Solid(_CAVITY, _bowel, 38.0, None, inside),
        ]
        out += self._colon()
        out += [
            Solid(_CAVITY, lambda b: b["stomach"], t.muscle - 12, "stomach", (*inside, "colon")),
            Solid(_CAVITY, lambda b: b["stomach"] + np.float32(3.5), self._contents(), "stomach", ("stomach",)),
            Solid(_CAVITY, lambda b: b["spleen"], t.spleen, "spleen", (*inside, "colon")),
            Solid(_CAVITY, lambda b: b["liver"], t.liver, "liver", (*inside, "stomach", "colon")),
        ]
        return [*out, *self._kidneys(), *self._liver_vessels()]

    def _contents(self) -> Material:
        level = self.gas_y

        def hu(block: Block, distance: F32) -> F32:
            del distance
            # Gas rises: the patient lies on the back, so the level is a plane of constant y.
            gas = np.clip((block.y - level) / 1.0 + 0.5, 0, 1)
            return np.asarray(18 + gas * (-985 - 18), dtype=np.float32)

        return hu

    def _colon(self) -> list[Painter]:
        z = 0.5 * self.lift
        points: list[Vector] = [
            (-92, 8, -330),
            (-104, 14, -240),
            (-100, 30, -196 + z),
            (-60, 58, -226),
            (0, 64, -244),
            (70, 60, -250),
        ]
        nodes, radii = curve(points, [18, 20, 21, 19, 18, 20])
        return [
            tube((nodes, radii), 42.0, "colon", ("upper_abdomen",)),
            tube((nodes, radii - 3.5), -180.0, "colon", ("colon",)),
            tube((nodes + np.array([0.0, 6.0, 0.0]), radii - 9), -960.0, "colon", ("colon",)),
        ]

    def _kidneys(self) -> list[Painter]:
        t = self.habitus.tissue
        out: list[Painter] = []
        for side, sign, low in (("right", 1, 12.0), ("left", -1, 0.0)):
            z = -212 - low + 0.5 * self.lift
            y = SPINE_Y.at(z) + 2
            box = Box((sign * 62 - 48, y - 42, z - 72), (sign * 62 + 48, y + 42, z + 72))
            axis = (sign * -0.22, 0.1, 0.97)
            hosts = ("upper_abdomen", "liver", "spleen", "colon", "stomach")
            centre = (sign * 62.0, y, z)

            sinus = (sign * 52.0, y + 6, z)
            out += [
                Solid(box, _ellipsoid(centre, (61, 32, 34), axis), t.fat, "upper_abdomen", hosts),
                Solid(box, _ellipsoid(centre, (54, 25, 27), axis), t.kidney, f"kidney_{side}", hosts),
                Solid(
                    box,
                    _ellipsoid(sinus, (24, 9, 10), axis),
                    t.fat + 40,
                    f"kidney_{side}",
                    (f"kidney_{side}",),
                ),
            ]
        return out

    def _liver_vessels(self) -> list[Painter]:
        t = self.habitus.tissue
        hu = t.cava_low
        z = 0.7 * self.lift
        trunks: list[tuple[list[Vector], list[float]]] = [
            ([(10, 0, -200 + z), (34, 4, -172 + z), (62, -14, -160 + z), (92, -30, -165 + z)], [7, 6.5, 5, 2.5]),
            ([(34, 4, -172 + z), (10, 30, -155 + z), (-30, 40, -148 + z)], [5.5, 5, 2.5]),
            ([(26, -12, -128 + z), (62, -18, -138 + z), (100, -20, -165 + z)], [5.5, 4.5, 2]),
            ([(25, -6, -126 + z), (42, 20, -140 + z), (58, 48, -170 + z)], [5, 4, 2]),
            ([(23, -4, -126 + z), (0, 20, -134 + z), (-34, 40, -138 + z)], [4.5, 3.5, 2]),
        ]
        return [tube(curve(points, radii), hu, None, ("liver",)) for points, radii in trunks]


def _ellipsoid(centre: Vector, radii: Vector, axis: Vector) -> Callable[[Block], F32]:
    return lambda b: ellipsoid(b, centre, radii, axis)


def _bowel(b: Block) -> F32:
    """Return the distance to bowel loops: blobs in the fat in front of the kidneys."""
    room = smooth_max(b["abdomen"] + np.float32(5), np.asarray(-20 - b.y, dtype=np.float32), 6)
    room = smooth_max(room, np.asarray(b.z + 170, dtype=np.float32), 6)
    return smooth_min(np.maximum(room, b["bowel"]), np.full(1, 60, dtype=np.float32), 1)
