"""The ribs of the phantom and their cartilages: oblique rods that lie on the inner wall of the chest."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..imaging.box import Box
from .habitus import Habitus
from .heart import tube
from .paint import Painter
from .slab import Block, Fields, Slab
from .solids import F32, Profile, Vector, curve
from .spine import SPINE
from .thorax import on_wall

RIB_HEADS_Z = np.array([v.centre[2] + v.half_height * 0.8 for v in SPINE[:12]])
_RIB_DROP = np.array([40, 54, 66, 78, 90, 100, 108, 114, 118, 120, 118, 112], dtype=float)
_RIB_END = np.array([0.80, 0.83, 0.82, 0.81, 0.80, 0.79, 0.77, 0.72, 0.67, 0.61, 0.43, 0.29])
RIBS = tuple(f"rib_{side}_{n}" for side in ("right", "left") for n in range(1, 13))
CARTILAGES = "costal_cartilages"
STERNUM_Y = Profile(
    (60, 43), (15, 65), (-40, 81), (-85, 91), (-112, 94),
)  # fmt: skip
STERNUM_HALF_WIDTH = Profile(
    (62, 25), (45, 28), (20, 18), (10, 15), (-30, 18), (-70, 20), (-86, 12), (-112, 5),
)  # fmt: skip


def _course(theta: F32) -> F32:
    """Return how far along its descent a rib is, 0 at the spine, 1 in front."""
    return np.asarray(0.5 * (1 - np.cos(np.pi * np.clip(theta / 0.86, 0, 1))), dtype=np.float32)


def rib_number(f: Fields) -> F32:
    """Return the field that is n on the middle line of rib n and in between elsewhere."""
    course = _course(f["theta"])
    heights = [RIB_HEADS_Z[n] - _RIB_DROP[n] * course for n in range(12)]
    out = 1 + np.minimum((heights[0] - f.z) / 20, 0) + np.maximum((heights[11] - f.z) / 28, 0)
    for upper, lower in pairwise(heights):
        out = out + np.clip((upper - f.z) / (upper - lower), 0, 1)
    return np.asarray(out, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Ribs:
    """All 24 ribs at once: they lie in the shell outside the inner wall, so only that shell is looked at."""

    cortex_hu: float
    marrow_hu: float

    def paint(self, slab: Slab) -> None:
        """Paint the ribs of the slab."""
        block = slab.block(Box((-175, -130, -240), (175, 110, 130)))
        if block is None:
            return
        wall = np.broadcast_to(block["wall"], slab.hu[block.where].shape)
        shell = np.flatnonzero((wall > 0.3) & (wall < 12.5))
        if not shell.size:
            return
        around = block["theta"].ravel()[shell]
        number = block["rib"].ravel()[shell]
        nearest = np.clip(np.rint(number), 1, 12).astype(np.intp)
        gap = np.interp(nearest, np.arange(1, 13), 19 + np.arange(12) * 0.75) * 0.86
        across = (wall.ravel()[shell] - 5.6) / 4.0
        height = (number - nearest) * gap / np.interp(around, (0.05, 0.5, 0.9), (4.6, 6.4, 6.0))
        bone = (np.sqrt(across**2 + height**2) - 1) * 4.4
        ends = np.maximum((around - _RIB_END[nearest - 1]) * 360, (0.055 - around) * 360)
        bone = np.maximum(bone, ends).astype(np.float32)
        inside = bone < slab.voxel_mm
        self._blend(slab, block, shell[inside], bone[inside], nearest[inside])

    def _blend(self, slab: Slab, block: Block, at: npt.NDArray[np.intp], bone: F32, rib: npt.NDArray[np.intp]) -> None:
        here = slab.hu[block.where]
        labels = slab.labels[block.where]
        where = np.unravel_index(at, here.shape)
        share = np.clip(0.5 - bone / slab.voxel_mm, 0, 1)
        # The cortex is about 0.8 mm thick: a hard step would show as steps of the voxel grid.
        shell = np.clip(0.5 + (bone + 1.1) / slab.voxel_mm, 0, 1)
        hu = self.marrow_hu + shell * (self.cortex_hu - self.marrow_hu)
        here[where] += share * (hu - here[where])
        right = np.broadcast_to(block.x, here.shape)[where] > 0
        solid = bone < 0
        first = slab.code("rib_right_1")
        labels[tuple(axis[solid] for axis in where)] = (first + rib - 1 + np.where(right, 0, 12))[solid]


def cartilage_painters(habitus: Habitus) -> list[Painter]:
    """Return the painters of the costal cartilages."""
    out: list[Painter] = []
    for n in range(10):
        end = float(_RIB_END[n])
        z = float(RIB_HEADS_Z[n] - _RIB_DROP[n] * _course(np.array([end], dtype=np.float32))[0])
        start = on_wall(end, z, 5.6)
        to_z = float(np.interp(n, (0, 1, 6, 9), (46, 14, -92, -104)))
        half = STERNUM_HALF_WIDTH.at(to_z)
        stop: Vector = (half, STERNUM_Y.at(to_z), to_z)
        if n > 6:  # the lower cartilages join the one above instead of the sternum
            stop = on_wall(end + 0.12, z + 26, 6.5)
        mid = on_wall(
            (end + 1.0) / 2 if n <= 6 else end + 0.06, min(z, to_z) + abs(to_z - z) * 0.2 if n <= 6 else z + 4, 6.0
        )
        for sign in (1, -1):
            nodes, radii = curve([(sign * q[0], q[1], q[2]) for q in (start, mid, stop)], [5.8, 5.4, 5.0])
            out.append(tube((nodes, radii), habitus.tissue.cartilage, CARTILAGES))
    return out
