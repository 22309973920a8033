"""Calibre of the thoracic aorta, perpendicular to its course, where the masks name it.

Diameters are outer ones of the mask: what it leaves out (wall, thrombus) is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..progress import Work
from ..report.measurement import Measurement
from .centreline import HOW, WINDOW, Floats, Paths, Stations, Tube, tube_along
from .frame import voxel_ml
from .scan import Scan, together
from .shape import components
from .subject import Subject

METHOD = (
    f"{HOW}; ascending and descending at the level of the bifurcation of the pulmonary trunk (Wolak A et al., JACC "
    "Cardiovasc Imaging 2008;1:200), without one in the middle of each limb; median over 10 mm (upper limit of the "
    "ascending aorta 40 mm: ESC guideline, Eur Heart J 2014;35:2873)"
)
NO_AORTA = "aorta not in the masks"

AORTA = Subject("heart_great_vessels", structure="aorta")

_LEAST_ML = 5.0
# A limb runs within 50° of the body's axis; the arch lies flatter.
_UPRIGHT = 0.64
# The two limbs lie at least this far from front to back of each other, and fall this far from the arch.
_APART_MM = 20.0
_FALL_MM = 15.0
# The descending aorta runs along the vertebral bodies, the ascending one 50 mm and more in front of them.
_BEFORE_SPINE_MM = 35.0


@dataclass(frozen=True, slots=True, eq=False)
class Limb:
    """The part of a tube that is ascending, arch, descending or abdominal: `stations` are indices into it."""

    level: str
    tube: Tube
    stations: Stations

    @property
    def valid(self) -> Stations:
        """The stations that have a diameter."""
        return self.stations[np.isfinite(self.tube.diameters_mm[self.stations])]


def aorta_measurements(scan: Scan, bifurcation_mm: float | None) -> Work[tuple[Measurement, ...]]:
    """Write down ascending, descending and largest diameter, in this order; None with a reason where not there.

    `bifurcation_mm` is the RAS height of the pulmonary trunk's bifurcation, None if unknown.
    """
    if "aorta" not in scan.bounds:
        return tuple(_unknown(NO_AORTA, which) for which in ("ascending", "descending", "largest"))
    limbs: list[Limb] = []
    for tube in (yield from _tubes(scan)):
        limbs += _limbs(scan, tube)
    limbs = _told_apart(limbs)
    both = (_of_limb(limbs, level, bifurcation_mm) for level in ("ascending", "descending"))
    return (*both, _largest(scan, limbs))


def _of_limb(limbs: list[Limb], level: str, bifurcation_mm: float | None) -> Measurement:
    of = [n for n in limbs if n.level == level]
    best = max(of, key=lambda n: len(n.valid), default=None)
    if best is None or len(best.valid) <= WINDOW // 2:
        return _unknown(f"too little of the {level} aorta in the masks", level)
    heights = best.tube.points[best.valid, 2]
    at_trunk = bifurcation_mm is not None and heights.min() <= bifurcation_mm <= heights.max()
    height = bifurcation_mm if bifurcation_mm is not None and at_trunk else (heights.min() + heights.max()) / 2
    middle = int(np.argmin(np.abs(heights - height)))
    stations = best.valid[max(middle - WINDOW // 2, 0) : middle + WINDOW // 2 + 1]
    words = "" if at_trunk else "in the middle of what the masks hold of it"
    return _named(best.tube.measured(AORTA, METHOD, stations, f"{level} aorta", words), level)


def _largest(scan: Scan, limbs: list[Limb]) -> Measurement:
    best: tuple[float, Limb, int] | None = None
    for limb in limbs:
        values = ndimage.median_filter(limb.tube.diameters_mm, WINDOW, mode="nearest")
        for n in limb.valid:
            if np.isfinite(values[n]) and (best is None or values[n] > best[0]):
                best = float(values[n]), limb, int(n)
    if best is None:
        return _unknown("too little of the aorta in the masks", "largest")
    value, limb, n = best
    level = f"{limb.level} aorta" if limb.level else "level unknown"
    caveat = together(level, "of the part in the scan" if scan.cut_faces(("aorta",)) else "")
    place = limb.tube.place(AORTA, n)
    return _named(AORTA.known("transverse_diameter", value, METHOD, place, caveat), "largest")


def _unknown(reason: str, which: str) -> Measurement:
    return _named(AORTA.unknown("transverse_diameter", METHOD, reason), which)


def _named(measurement: Measurement, which: str) -> Measurement:
    """Tell the diameters of one vessel apart by their ids; what they are is the same."""
    return replace(measurement, id=f"{measurement.id}.{which}")


def _tubes(scan: Scan) -> Work[list[Tube]]:
    where = scan.frame.bounds(["aorta"])
    if where is None:
        return []
    part = scan.frame.crop(where)
    tubes = []
    for piece in components(part.mask(["aorta"])):
        if piece.sum() * voxel_ml() < _LEAST_ML:
            break
        paths = Paths.within(piece)
        line = part.grid.to_ras(paths.voxels[paths.line(*paths.ends())][:, ::-1])
        tubes.append((yield from tube_along(scan.masks, "aorta", scan.bounds["aorta"], line)))
    return tubes


def _limbs(scan: Scan, tube: Tube) -> list[Limb]:
    """Cut a tube at its top; two falling limbs are ascending and descending, one alone is told by the spine."""
    every = np.arange(len(tube.points))
    upright = np.abs(tube.directions[:, 2]) >= _UPRIGHT
    top = int(np.argmax(tube.points[:, 2]))
    sides = [every[:top], every[top:]]
    falls = [float(np.ptp(tube.points[s, 2])) if len(s) else 0.0 for s in sides]
    if min(falls) >= _FALL_MM:
        low = tube.points[top, 2] - min(falls)
        # Compared at the same heights: far below, a bent spine carries the descending aorta to the front.
        depth = [float(tube.points[s[tube.points[s, 2] >= low], 1].mean()) for s in sides]
        names = ("ascending", "descending") if depth[0] > depth[1] else ("descending", "ascending")
        names = names if abs(depth[0] - depth[1]) >= _APART_MM else ("", "")
        found = [Limb(name, tube, s[upright[s]]) for name, s in zip(names, sides, strict=True)]
        return _above_hiatus(scan, [*found, Limb("arch" if names[0] else "", tube, every[~upright])])
    return _above_hiatus(scan, [Limb(_by_spine(scan, tube.points), tube, every)])


def _above_hiatus(scan: Scan, limbs: list[Limb]) -> list[Limb]:
    """Part the descending aorta from the abdominal one, which begins at T12: above L1, where the masks name it."""
    where = scan.frame.bounds(["vertebrae_L1"])
    if where is None:
        return limbs
    top = float(scan.frame.heights_mm()[where[0].stop - 1])
    found = []
    for limb in limbs:
        low = limb.tube.points[limb.stations, 2] < top
        if limb.level == "descending" and low.any():
            found.append(Limb("abdominal", limb.tube, limb.stations[low]))
            found.append(Limb("descending", limb.tube, limb.stations[~low]))
        else:
            found.append(limb)
    return found


def _by_spine(scan: Scan, points: Floats) -> str:
    """Tell ascending from descending by the distance to the front of the spine; empty if there is none near."""
    names = tuple(n for n in scan.present("bones") if n.startswith("vertebrae"))
    where = scan.frame.bounds(names)
    if where is None:
        return ""
    part = scan.frame.crop(where)
    bone = part.mask(names)
    gaps = []
    for x, y, z in points:
        i, _, k = np.rint(part.grid.to_ijk([x, y, z])).astype(int)
        if 0 <= k < len(bone):
            near = bone[k, :, max(i - 20, 0) : max(i + 20, 0)].any(axis=1)
            if near.any():
                gaps.append(y - part.grid.to_ras([0, np.flatnonzero(near)[-1], 0])[1])
    if not gaps:
        return ""
    return "descending" if float(np.median(gaps)) < _BEFORE_SPINE_MM else "ascending"


def _told_apart(limbs: list[Limb]) -> list[Limb]:
    """Name limbs in pieces of their own, where a scan ends below the arch: the one in front is the ascending one."""
    loose = [n for n in limbs if not n.level]
    if len(limbs) == 2 and len(loose) == 2:
        depth = [float(n.tube.points[:, 1].mean()) for n in limbs]
        if abs(depth[0] - depth[1]) >= _APART_MM:
            front = int(np.argmax(depth))
            return [replace(n, level="ascending" if m == front else "descending") for m, n in enumerate(limbs)]
    return limbs
