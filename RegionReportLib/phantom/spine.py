"""The spine of the phantom: vertebrae with bodies, arches and processes, discs, canal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..imaging.box import Box
from .habitus import Habitus
from .heart import tube
from .paint import Material, Painter, Solid
from .slab import Block
from .solids import F32, Vector, cone, smooth_max, superellipse
from .thorax import SPINE_Y, Mirror

T1_TOP_MM = 88.0
DISCS, CANAL = "vertebrae", "spinal_cord"
"""Discs belong to the thoracic spine as a whole; the canal with all it holds goes by the name of the cord."""
# Height of each vertebra with its disc below, after Panjabi et al., Spine 1991;16:888 (thoracic) and 1992;17:299.
_LEVELS: tuple[tuple[str, float], ...] = (
    *((f"vertebrae_T{n}", 18.0 + 0.85 * (n - 1)) for n in range(1, 13)),
    ("vertebrae_L1", 32.0),
    ("vertebrae_L2", 33.0),
    ("vertebrae_L3", 33.5),
)
_NECK: tuple[tuple[str, float], ...] = (
    ("vertebrae_C7", 17.0),
    ("vertebrae_C6", 16.0),
    ("vertebrae", 16.0),
    ("vertebrae", 16.0),
)


@dataclass(frozen=True, slots=True)
class Vertebra:
    """One vertebra: label, middle of the body, half width, half depth, half height of the bone, half gap of a disc."""

    structure: str
    centre: Vector
    half_width: float
    half_depth: float
    half_height: float
    half_disc: float
    tilt: tuple[float, float]


def _spine() -> tuple[Vertebra, ...]:
    out, top = [], T1_TOP_MM
    for name, height in _LEVELS:
        out.append(_vertebra(name, top - height / 2, height))
        top -= height
    bottom = T1_TOP_MM
    for name, height in _NECK:
        out.append(_vertebra(name, bottom + height / 2, height))
        bottom += height
    return tuple(out)


def _vertebra(name: str, z: float, height: float) -> Vertebra:
    low, mid, high = (SPINE_Y.at(at) for at in (z - 8, z, z + 8))
    size = float(np.interp(z, (-260, -150, 0, 90, 130), (23.0, 19.5, 15.0, 13.2, 12.5)))
    depth = float(np.interp(z, (-260, -150, 0, 90, 130), (16.5, 15.5, 13.5, 9.5, 8.5)))
    disc = float(np.interp(z, (-260, -150, 0, 130), (4.6, 3.2, 2.0, 2.4)))
    length = float(np.hypot(16, high - low))
    return Vertebra(name, (0.0, mid, z), size, depth, height / 2 - disc, disc, ((high - low) / length, 16 / length))


SPINE: tuple[Vertebra, ...] = _spine()


def bone(cortex_hu: float, marrow_hu: float, cortex_mm: float) -> Material:
    """Return the material of a bone with a dense shell."""

    def material(block: Block, distance: F32) -> F32:
        mm = np.float32(0.8)
        shell = np.clip(0.5 + (distance + np.float32(cortex_mm)) / mm, 0, 1)
        return np.asarray(marrow_hu + shell * (cortex_hu - marrow_hu), dtype=np.float32)

    return material


def _body(v: Vertebra, grown_mm: float, half_height: float) -> Callable[[Block], F32]:
    def distance(p: Block) -> F32:
        y, z = p.y - np.float32(v.centre[1]), p.z - np.float32(v.centre[2])
        along = y * np.float32(v.tilt[0]) + z * np.float32(v.tilt[1])
        depth = y * np.float32(v.tilt[1]) - z * np.float32(v.tilt[0])
        waist = 1 - 0.1 * (1 - np.clip(along / v.half_height, -1, 1) ** 2)
        side = superellipse(
            np.asarray(p.x + 0 * depth),
            depth,
            (v.half_width + grown_mm) * waist,
            np.float32(v.half_depth + grown_mm) * waist,
            2.3,
        )
        return smooth_max(side, np.asarray(np.abs(along) - half_height, dtype=np.float32), 2.0)

    return distance


def _arch(v: Vertebra) -> Callable[[Block], F32]:
    d = v.half_depth
    steep = 14 if v.structure.startswith("vertebrae_T") else 4
    rods: list[tuple[Vector, Vector, float]] = [
        ((11, -d + 1, 3), (13, -d - 13, 2), 4.2),  # pedicle
        ((13, -d - 14, 1), (2, -d - 24, -5), 3.6),  # lamina
        ((13, -d - 13, 2), (33, -d - 24, 5), 4.2),  # transverse process
        ((0, -d - 23, -5), (0, -d - 42, -8 - steep), 3.3),  # spinous process
        ((13, -d - 14, -9), (13, -d - 15, 9), 4.0),  # articular pillars
    ]

    def distance(p: Block) -> F32:
        local = Mirror(p.x, p.y - np.float32(v.centre[1]), p.z - np.float32(v.centre[2]))
        out = None
        for a, b, r in rods:
            one = cone(local, np.array([a, b], dtype=float), (r, r * 0.9))
            out = one if out is None else np.minimum(out, one)
        assert out is not None
        return out

    return distance


def spine_painters(habitus: Habitus) -> list[Painter]:
    """Return the painters of discs, vertebral bodies, arches with their processes, and the canal in them."""
    t = habitus.tissue
    discs: list[Painter] = []
    bodies: list[Painter] = []
    arches: list[Painter] = []
    for v in SPINE:
        x, y, z = v.centre
        wide, tall = v.half_width + 4, v.half_height + v.half_disc + 8
        box = Box((x - wide, y - v.half_depth - 5, z - tall), (x + wide, y + v.half_depth + 5, z + tall))
        discs.append(Solid(box, _body(v, -0.5, v.half_height + v.half_disc + 1), 82.0, DISCS))
        bodies.append(Solid(box, _body(v, 0.0, v.half_height), bone(t.cortex * 0.62, t.trabecular, 0.8), v.structure))
        box = Box((-42, y - v.half_depth - 50, z - 32), (42, y - v.half_depth + 8, z + 22))
        arches.append(Solid(box, _arch(v), bone(t.cortex * 0.8, t.trabecular * 1.25, 1.3), v.structure))
    return [*discs, *bodies, *arches, *_canal()]


def _canal() -> list[Painter]:
    z = np.arange(150.0, -300.0, -15.0)
    y = SPINE_Y(z.astype(np.float32)) - np.interp(z, (-260, 0, 130), (25.5, 21.5, 17.5))
    path = np.stack([0 * z, y, z], axis=1)
    return [
        tube((path, np.full(len(path), 8.2)), 12.0, CANAL),
        tube((path, np.full(len(path), 4.6)), 38.0, CANAL),
    ]
