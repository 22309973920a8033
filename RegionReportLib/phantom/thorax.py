"""The cage of the chest as smooth fields: inner wall, diaphragm, skin, muscle, hemithoraces, abdominal cavity.

Coordinates are those of the standard patient: x to the right, y forward, z up, the carina at z = 0. The tables follow
an adult of 175 cm: inner thoracic width 27 cm, lungs 25 cm high, carina at T4/T5, right dome at T10.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .habitus import Habitus
from .slab import Fields
from .solids import F32, Profile, chain, cone, ellipsoid, smooth_max, smooth_min, superellipse

SPINE_Y = Profile(
    (-300, -42), (-240, -48), (-180, -57), (-120, -66), (-60, -70), (0, -67), (60, -57), (120, -42),
    (170, -32), (220, -30),
)  # fmt: skip
HALF_WIDTH = Profile(
    (-320, 118), (-260, 124), (-200, 130), (-160, 134), (-120, 135), (-80, 132), (-40, 126), (0, 118),
    (30, 108), (60, 92), (80, 78), (100, 60), (120, 44), (150, 36),
)  # fmt: skip
FRONT_Y = Profile(
    (-320, 90), (-260, 92), (-200, 91), (-160, 90), (-120, 88), (-80, 83), (-40, 74), (0, 63),
    (30, 52), (60, 38), (80, 26), (100, 16), (120, 8), (150, 4),
)  # fmt: skip
_GUTTER_MM = 27.0  # how far the lung reaches behind the centre of the vertebral body
_POWER = 2.25


def centre_y(z: F32) -> F32:
    """Return the y of the cage's centre at a height."""
    back = SPINE_Y(z) - np.float32(_GUTTER_MM)
    return np.asarray(back + np.float32(0.5) * (FRONT_Y(z) - back), dtype=np.float32)


def wall(f: Fields) -> F32:
    """Return the distance outward from the inner thoracic wall, measured in plane."""
    back, front = SPINE_Y(f.z) - np.float32(_GUTTER_MM), FRONT_Y(f.z)
    centre = back + np.float32(0.5) * (front - back)
    along = f.y - centre
    # The vertebral bodies push the posterior wall forward between the two paravertebral gutters.
    notch = np.float32(40) * np.exp(-((f.x / np.float32(27)) ** 2))
    reach = np.where(along > 0, front - centre, np.maximum(centre - back - notch, 12))
    return superellipse(f.x, along, HALF_WIDTH(f.z), reach, _POWER)


def theta(f: Fields) -> F32:
    """Return the place around the chest: 0 at the spine, 1 at the sternum, the same on both sides."""
    back, front = SPINE_Y(f.z) - np.float32(_GUTTER_MM), FRONT_Y(f.z)
    half = np.float32(0.5) * (front - back)
    angle = np.arctan2(np.abs(f.x) / HALF_WIDTH(f.z), (back + half - f.y) / half)
    return np.asarray(angle / np.pi, dtype=np.float32)


def on_wall(theta_at: float, z: float, outward_mm: float) -> tuple[float, float, float]:
    """Return the point on the right side at a place around the chest, a height and a distance from the inner wall."""
    a, front, back = HALF_WIDTH.at(z), FRONT_Y.at(z), SPINE_Y.at(z) - _GUTTER_MM
    half = (front - back) / 2
    s, c = np.sin(theta_at * np.pi), -np.cos(theta_at * np.pi)
    far = (abs(s) ** _POWER + abs(c) ** _POWER) ** (-1 / _POWER)
    x, y = a * s * far, half * c * far
    stretch = 1 + outward_mm / max(float(np.hypot(x, y)), 1.0)
    return float(x * stretch), float(y * stretch + back + half), z


def domes(habitus: Habitus) -> Callable[[Fields], F32]:
    """Return the field of the distance above the diaphragm."""
    lift = 55 * habitus.breath + habitus.tall_domes

    def dome(f: Fields, centre_x: float, top: float) -> F32:
        across = np.abs(f.x) - np.float32(abs(centre_x))
        along = f.y - np.float32(6)
        side = np.sign(f.x) == np.sign(centre_x)
        u = np.where(side, across / np.where(across > 0, np.float32(68), np.float32(88)), np.abs(f.x - centre_x) / 80)
        v = along / np.where(along > 0, np.float32(78), np.float32(98))
        r = np.sqrt(u * u + v * v)
        front = np.clip(along / 78, 0, 1)
        behind = np.clip(-along / 98, 0, 1)
        drop = 64 + 20 * behind - 42 * front
        height = top + lift - drop * r**2.5
        slope = 2.5 * drop * r**1.5 / 75
        return np.asarray((f.z - height) / np.sqrt(1 + slope * slope), dtype=np.float32)

    def above(f: Fields) -> F32:
        right, left = dome(f, 66.0, -118.0), dome(f, -64.0, -127.0)
        tendon = f.z - (-129 + lift) + ((f.x + 12) / 60) ** 2 * 18 + ((f.y - 18) / 60) ** 2 * 26
        return smooth_min(smooth_min(right, left, 10), np.asarray(tendon * 0.9, dtype=np.float32), 10)

    return above


def hemithorax(side: int) -> Callable[[Fields], F32]:
    """Return the field of one pleural space, `side` 1 for the right and -1 for the left."""

    def inside(f: Fields) -> F32:
        u, v = f.x * side - np.float32(48), f.y + np.float32(36)
        v = np.where(v > 0, v * np.float32(0.68), v)
        top = np.float32(110 if side > 0 else 107) - (u * u + v * v) / np.float32(88)
        out = smooth_max(f["wall"], np.asarray((f.z - top) * 0.8, dtype=np.float32), 8)
        out = smooth_max(out, np.float32(1.5) - f["envelope"], 4)
        out = np.maximum(out, 1.5 - f["dome"])
        return np.asarray(np.maximum(out, -f.x * side - np.float32(12)), dtype=np.float32)

    return inside


def skin(habitus: Habitus, arms: str) -> Callable[[Fields], F32]:
    """Return the field of the distance to the skin."""
    fat = habitus.fat

    def body(f: Fields) -> F32:
        side = HALF_WIDTH(np.minimum(f.z, np.float32(45))) + np.float32(26 + fat)
        side = np.where(f.z > 45, side - np.float32(0.35) * (f.z - 45), side)
        front = FRONT_Y(f.z) + np.float32(24 + 0.8 * fat)
        back = SPINE_Y(np.minimum(f.z, np.float32(60))) - np.float32(63 + 0.55 * fat)
        centre = (front + back) / 2
        out = superellipse(f.x, f.y - centre, side, front - centre, 2.45)
        out = smooth_max(out, np.asarray(f.z - np.float32(112), dtype=np.float32), 40)
        mirrored = Mirror(f.x, f.y, f.z)
        thick = 8 + 0.5 * fat
        girdle = chain(
            mirrored,
            np.array([[10, -30, 106], [95, -38, 82], [158, -42, 84]], dtype=float),
            np.array([56.0, 66.0, 47.0]) + 0.6 * thick - 4,
        )
        out = smooth_min(out, girdle, 34)
        out = smooth_min(out, cone(f, np.array([[0, -30, 100], [0, -2, 300]], dtype=float), (60, 54)), 30)
        for ends, radii in _ARMS[arms]:
            out = smooth_min(out, cone(mirrored, np.array(ends, dtype=float), (radii + thick * 0.5, radii - 4)), 7)
        if habitus.breast:
            size = 30 * habitus.breast
            out = smooth_min(out, ellipsoid(mirrored, (72, 88 + 0.6 * fat, -38), (1.9 * size, size, 1.7 * size)), 22)
        return out

    return body


_ARMS: dict[str, list[tuple[list[list[float]], float]]] = {
    "up": [([[156, -42, 88], [182, -22, 190]], 44), ([[182, -22, 190], [176, 10, 330]], 40)],
    "down": [([[166, -44, 70], [208, -46, -70]], 42), ([[208, -46, -70], [222, -24, -320]], 38)],
    "away": [],
}


class Mirror:
    """Points with both sides folded onto the right one."""

    def __init__(self, x: F32, y: F32, z: F32) -> None:
        self.x, self.y, self.z = np.abs(x), y, z


def muscle(habitus: Habitus) -> Callable[[Fields], F32]:
    """Return the field of the muscle mantle of the trunk, shoulders and arms."""

    def inside(f: Fields) -> F32:
        t = f["theta"]
        chest = np.exp(-(((t - 0.74) / 0.12) ** 2)) * np.clip((f.z + 60) / 60, 0, 1) * 13  # pectorals
        flank = np.exp(-(((t - 0.42) / 0.13) ** 2)) * 11  # serratus and latissimus
        back = np.exp(-(((t - 0.2) / 0.12) ** 2)) * (6 + 12 * np.clip((f.z + 40) / 90, 0, 1))  # trapezius, rhomboids
        belly = np.clip((-120 - f.z) / 60, 0, 1) * 5
        out = f["wall"] - (11 + chest + flank + back + belly)
        column = Mirror(f.x, f.y - SPINE_Y(f.z) + np.float32(42), f.z)
        out = np.minimum(out, np.sqrt((column.x - 25) ** 2 + (column.y * 1.15) ** 2) - 23)  # erector spinae
        drop = np.abs(f.x) * -0.35 - np.maximum(np.abs(f.x) - 168, 0) * 9
        shoulder = np.maximum(
            f["body"] + np.float32(4 + 0.55 * habitus.fat),
            drop + 88 - f.z,
        )
        out = smooth_min(np.asarray(out, dtype=np.float32), np.asarray(shoulder, dtype=np.float32), 6)
        return np.asarray(np.maximum(out, f["body"] + np.float32(3 + 0.3 * habitus.fat)), dtype=np.float32)

    return inside


def abdomen(f: Fields) -> F32:
    """Return the field of the abdominal cavity below the diaphragm, the spine and the psoas muscles left out."""
    column = np.sqrt((np.abs(f.x) * 0.62) ** 2 + (f.y - SPINE_Y(f.z) + 2) ** 2) - 21
    out = np.maximum(f["wall"] + 1.0, f["dome"] + 1.0)
    return smooth_max(np.asarray(out, dtype=np.float32), np.asarray(-column, dtype=np.float32), 8)


def inlet(f: Fields) -> F32:
    """Return the distance above the plane of the thoracic inlet, from the top of T1 down to the jugular notch."""
    return np.asarray((f.z - 86 + 0.32 * (f.y + 45)) * 0.95, dtype=np.float32)
