"""Calibre of the thoracic aorta and of the pulmonary trunk, perpendicular to their course, where the masks name them.

Diameters are outer ones of the mask: what it leaves out (wall, thrombus) is not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..progress import Progress, Work
from ..report.measurement import Measurement
from ..report.place import Place
from .centreline import STATION_MM, Floats, Paths, Tube, tube_along
from .frame import STEP_MM, Frame, voxel_ml
from .scan import Scan, together
from .shape import components
from .subject import Subject

_HOW = "diameter of the circle of the mask's area perpendicular to the centre line"
AORTA_METHOD = (
    f"{_HOW}; ascending and descending at the level of the bifurcation of the pulmonary trunk (Wolak A et al., JACC "
    "Cardiovasc Imaging 2008;1:200), without one in the middle of each limb; median over 10 mm (upper limit of the "
    "ascending aorta 40 mm: ESC guideline, Eur Heart J 2014;35:2873)"
)
TRUNK_METHOD = (
    f"{_HOW} of the pulmonary trunk, median of its narrowest 10 mm between valve and bifurcation: sections that "
    "reach into a branch or the outflow tract are only wider (90th percentile 29 mm in men, 27 mm in "
    "women: Truong QA et al., Circ Cardiovasc Imaging 2012;5:147)"
)
RATIO_METHOD = (
    "diameter of the pulmonary trunk over that of the ascending aorta (90th percentile 0.9: Truong QA et al., Circ "
    "Cardiovasc Imaging 2012;5:147)"
)
NO_AORTA = "aorta not in the masks"
NO_TRUNK = "pulmonary artery not in the masks"
LEVELS = ("ascending", "descending", "arch")

AORTA = Subject("heart_great_vessels", structure="aorta")
TRUNK = Subject("heart_great_vessels", structure="pulmonary_artery")

_LEAST_ML = 5.0
_OVER_MM = 10.0
# A limb runs within 50° of the body's axis; the arch lies flatter.
_UPRIGHT = 0.64
# The two limbs lie at least this far from front to back of each other, and fall this far from the arch.
_APART_MM = 20.0
_FALL_MM = 15.0
# The descending aorta runs along the vertebral bodies, the ascending one 50 mm and more in front of them.
_BEFORE_SPINE_MM = 35.0
# Two ways through the pulmonary artery are one as long as they run this close together.
_TOGETHER_MM = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """The pulmonary trunk, and the RAS height of its bifurcation."""

    tube: Tube
    bifurcation_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Limb:
    """The part of a tube that is ascending, descending or arch: `stations` are indices into it."""

    level: str
    tube: Tube
    stations: npt.NDArray[np.intp]


def vessel_measurements(scan: Scan) -> Work[tuple[Measurement, ...]]:
    """Write down calibre of aorta and pulmonary trunk and their ratio; None with a reason where they are not there."""
    yield Progress(0.0, "pulmonary trunk")
    trunk = _trunk(scan)
    yield Progress(0.3, "aorta")
    limbs: list[Limb] = []
    for tube in _aortic_tubes(scan):
        limbs += _limbs(scan, tube)
        yield Progress(0.9, "aorta")
    limbs = _told_apart(limbs)
    aorta = _aorta(scan, limbs, trunk)
    pulmonary = _pulmonary(scan, trunk)
    return (*aorta, pulmonary, _ratio(pulmonary, aorta[0]))


def _aorta(scan: Scan, limbs: list[Limb], trunk: Trunk | None) -> list[Measurement]:
    """Return ascending, descending and largest diameter, in this order."""
    if "aorta" not in scan.bounds:
        return [_named(AORTA.unknown("transverse_diameter", AORTA_METHOD, NO_AORTA), w) for w in _WHICH]
    found = []
    for level in ("ascending", "descending"):
        of = [n for n in limbs if n.level == level]
        best = max(of, key=lambda n: len(_valid(n)), default=None)
        at = None if best is None else _at_level(best, trunk)
        if best is None or at is None:
            reason = f"too little of the {level} aorta in the masks"
            found.append(_named(AORTA.unknown("transverse_diameter", AORTA_METHOD, reason), level))
            continue
        words = "" if trunk is not None and _reaches(best, trunk) else "in the middle of what the scan holds of it"
        found.append(_named(_diameter(AORTA, AORTA_METHOD, best.tube, at, f"{level} aorta", words), level))
    return [*found, _largest(scan, limbs)]


_WHICH = ("ascending", "descending", "largest")


def _largest(scan: Scan, limbs: list[Limb]) -> Measurement:
    best: tuple[float, Limb, int] | None = None
    for limb in limbs:
        values = ndimage.median_filter(limb.tube.diameters_mm, _window(), mode="nearest")
        for n in _valid(limb):
            if np.isfinite(values[n]) and (best is None or values[n] > best[0]):
                best = float(values[n]), limb, int(n)
    if best is None:
        reason = "too little of the aorta in the masks"
        return _named(AORTA.unknown("transverse_diameter", AORTA_METHOD, reason), "largest")
    value, limb, n = best
    caveat = together(f"{limb.level} aorta", "" if not scan.cut_faces(("aorta",)) else "of the part in the scan")
    place = _place(AORTA, limb.tube, n)
    return _named(AORTA.known("transverse_diameter", value, AORTA_METHOD, place, caveat), "largest")


def _pulmonary(scan: Scan, trunk: Trunk | None) -> Measurement:
    if "pulmonary_artery" not in scan.bounds:
        return TRUNK.unknown("transverse_diameter", TRUNK_METHOD, NO_TRUNK)
    if trunk is None:
        reason = "the pulmonary trunk was not told from its branches"
        return TRUNK.unknown("transverse_diameter", TRUNK_METHOD, reason)
    valid = np.flatnonzero(np.isfinite(trunk.tube.diameters_mm))
    runs = [valid[n : n + _window()] for n in range(max(len(valid) - _window() + 1, 1))]
    narrowest = min(runs, key=lambda run: float(np.median(trunk.tube.diameters_mm[run])))
    return _diameter(TRUNK, TRUNK_METHOD, trunk.tube, narrowest, "", "")


def _ratio(pulmonary: Measurement, ascending: Measurement) -> Measurement:
    if pulmonary.value is None or ascending.value is None:
        why = together(*(m.reason for m in (pulmonary, ascending) if m.value is None))
        return TRUNK.unknown("pulmonary_aortic_ratio", RATIO_METHOD, why)
    value = pulmonary.value / ascending.value
    return TRUNK.known("pulmonary_aortic_ratio", value, RATIO_METHOD, pulmonary.place)


def _diameter(
    subject: Subject, method: str, tube: Tube, at: npt.NDArray[np.intp], level: str, words: str
) -> Measurement:
    middle = int(at[len(at) // 2])
    value = float(np.median(tube.diameters_mm[at]))
    return subject.known("transverse_diameter", value, method, _place(subject, tube, middle), together(level, words))


def _place(subject: Subject, tube: Tube, station: int) -> Place:
    x, y, z = (float(v) for v in tube.points[station])
    return Place(subject.region_id, tube.box(station), (x, y, z), subject.structure)


def _named(measurement: Measurement, which: str) -> Measurement:
    """Tell the diameters of one vessel apart by their ids; what they are is the same."""
    return replace(measurement, id=f"{measurement.id}.{which}")


def _window() -> int:
    return 2 * round(_OVER_MM / 2 / STATION_MM) + 1


def _valid(limb: Limb) -> npt.NDArray[np.intp]:
    return limb.stations[np.isfinite(limb.tube.diameters_mm[limb.stations])]


def _reaches(limb: Limb, trunk: Trunk) -> bool:
    heights = limb.tube.points[_valid(limb), 2]
    return bool(len(heights) and heights.min() <= trunk.bifurcation_mm <= heights.max())


def _at_level(limb: Limb, trunk: Trunk | None) -> npt.NDArray[np.intp] | None:
    """Return the stations within 10 mm around the level to measure at, None if the limb is too short for it."""
    valid = _valid(limb)
    if len(valid) < _window() // 2 + 1:
        return None
    heights = limb.tube.points[valid, 2]
    at_trunk = trunk is not None and _reaches(limb, trunk)
    level = trunk.bifurcation_mm if trunk is not None and at_trunk else (heights.min() + heights.max()) / 2
    middle = int(np.argmin(np.abs(heights - level)))
    return valid[max(middle - _window() // 2, 0) : middle + _window() // 2 + 1]


def _aortic_tubes(scan: Scan) -> list[Tube]:
    where = scan.frame.bounds(["aorta"])
    if where is None:
        return []
    part = scan.frame.crop(where)
    tubes = []
    for piece in components(part.mask(["aorta"])):
        if piece.sum() * voxel_ml() < _LEAST_ML:
            break
        paths = Paths.within(piece)
        tubes.append(_tube(scan, part, "aorta", paths.voxels[paths.line(*paths.ends())]))
    return tubes


def _tube(scan: Scan, part: Frame, name: str, line_kji: npt.NDArray[np.intp]) -> Tube:
    return tube_along(scan.masks, name, scan.bounds[name], part.grid.to_ras(line_kji[:, ::-1]))


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
        return [*found, Limb("arch" if names[0] else "", tube, every[~upright])]
    return [Limb(_by_spine(scan, tube.points), tube, every)]


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


def _trunk(scan: Scan) -> Trunk | None:
    """Find the trunk: the common way from the foremost of the artery's three tips to the other two."""
    where = scan.frame.bounds(["pulmonary_artery"])
    if where is None:
        return None
    part = scan.frame.crop(where)
    pieces = components(part.mask(["pulmonary_artery"]))
    if pieces[0].sum() * voxel_ml() < _LEAST_ML:
        return None
    paths = Paths.within(pieces[0])
    first, second = paths.ends()
    third = int(np.argmax(np.minimum(paths.lengths_from(first), paths.lengths_from(second))))
    # Of the array's axes j grows towards the front.
    valve, *branches = sorted((first, second, third), key=lambda n: -int(paths.voxels[n][1]))
    one, other = (paths.voxels[paths.line(valve, n)] for n in branches)
    shared = _shared(one, other)
    if len(shared) * STEP_MM < _APART_MM:
        return None
    tube = _tube(scan, part, "pulmonary_artery", shared)
    if not np.isfinite(tube.diameters_mm).any():
        return None
    return Trunk(tube, float(part.grid.to_ras(shared[-1][::-1])[2]))


def _shared(one: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the beginning of one way, as far as the other stays near it."""
    gaps = np.array([np.min(np.linalg.norm((other - point) * STEP_MM, axis=1)) for point in one])
    apart = np.flatnonzero(gaps > _TOGETHER_MM)
    return one[: int(apart[0])] if len(apart) else one
