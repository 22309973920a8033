"""Calibre of the pulmonary trunk, perpendicular to its course, and its ratio to the ascending aorta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..progress import Work
from ..report.measurement import Measurement
from .centreline import HOW, WINDOW, Paths, Tube, tube_along
from .frame import STEP_MM, voxel_ml
from .scan import Scan, together
from .shape import components
from .subject import Subject

METHOD = (
    f"{HOW} of the pulmonary trunk, median of its narrowest 10 mm between valve and bifurcation: sections that "
    "reach into a branch or the outflow tract are only wider (90th percentile 29 mm in men, 27 mm in women: Truong QA "
    "et al., Circ Cardiovasc Imaging 2012;5:147)"
)
RATIO_METHOD = (
    "diameter of the pulmonary trunk over that of the ascending aorta (90th percentile 0.9: Truong QA et al., Circ "
    "Cardiovasc Imaging 2012;5:147)"
)
TRUNK = Subject("heart_great_vessels", structure="pulmonary_artery")

_NAME = "pulmonary_artery"
_LEAST_ML = 5.0
_LEAST_MM = 20.0
# Two ways through the artery are one as long as they run this close together.
_TOGETHER_MM = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Trunk:
    """The pulmonary trunk, and the RAS height of its bifurcation."""

    tube: Tube
    bifurcation_mm: float


def find_trunk(scan: Scan) -> Work[Trunk | None]:
    """Find the trunk: the common way from the foremost of the artery's three tips to the other two."""
    where = scan.frame.bounds([_NAME])
    if where is None:
        return None
    part = scan.frame.crop(where)
    pieces = components(part.mask([_NAME]))
    if pieces[0].sum() * voxel_ml() < _LEAST_ML:
        return None
    paths = Paths.within(pieces[0])
    first, second = paths.ends()
    third = int(np.argmax(np.minimum(paths.lengths_from(first), paths.lengths_from(second))))
    # Of the array's axes j grows towards the front.
    valve, *branches = sorted((first, second, third), key=lambda n: -int(paths.voxels[n][1]))
    one, other = (paths.voxels[paths.line(valve, n)] for n in branches)
    shared = _shared(one, other)
    if len(shared) * STEP_MM < _LEAST_MM:
        return None
    tube = yield from tube_along(scan.masks, _NAME, scan.bounds[_NAME], part.grid.to_ras(shared[:, ::-1]))
    if not np.isfinite(tube.diameters_mm).any():
        return None
    return Trunk(tube, float(part.grid.to_ras(shared[-1][::-1])[2]))


def trunk_diameter(scan: Scan, trunk: Trunk | None) -> Measurement:
    """Write down the diameter of the trunk, None with a reason where it is not in the masks or not told."""
    if _NAME not in scan.bounds:
        return TRUNK.unknown("transverse_diameter", METHOD, "pulmonary artery not in the masks")
    if trunk is None:
        reason = "the pulmonary trunk was not told from its branches"
        return TRUNK.unknown("transverse_diameter", METHOD, reason)
    valid = np.flatnonzero(np.isfinite(trunk.tube.diameters_mm))
    runs = [valid[n : n + WINDOW] for n in range(max(len(valid) - WINDOW + 1, 1))]
    narrowest = min(runs, key=lambda run: float(np.median(trunk.tube.diameters_mm[run])))
    return trunk.tube.measured(TRUNK, METHOD, narrowest)


def trunk_to_aorta(pulmonary: Measurement, ascending: Measurement) -> Measurement:
    """Write down the ratio of both diameters, None with the reasons where one of them is unknown."""
    if pulmonary.value is None or ascending.value is None:
        why = together(*(m.reason for m in (pulmonary, ascending) if m.value is None))
        return TRUNK.unknown("pulmonary_aortic_ratio", RATIO_METHOD, why)
    value = pulmonary.value / ascending.value
    return TRUNK.known("pulmonary_aortic_ratio", value, RATIO_METHOD, pulmonary.place)


def _shared(one: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the beginning of one way, as far as the other stays near it."""
    gaps = np.array([np.min(np.linalg.norm((other - point) * STEP_MM, axis=1)) for point in one])
    apart = np.flatnonzero(gaps > _TOGETHER_MM)
    return one[: int(apart[0])] if len(apart) else one
