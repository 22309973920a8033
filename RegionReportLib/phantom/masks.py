"""True masks of a phantom: the label map, and how much of each region the scan holds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Coverage, Side
from ..imaging.grid import Grid
from ..imaging.masks import LabelArray, RegionMasks
from .chest import STRUCTURES
from .plan import Plan

METHOD = "phantom truth 1"
# The extent of each region in the standard patient, as corners; a region is complete if all of them are in the scan.
# For airways and abdomen it is the part that a chest CT is expected to show.
_EXTENT: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "airways": ((-42, -38, -42), (33, -2, 86)),
    "mediastinum": ((-60, -50, -115), (40, 60, 84)),
    "heart_great_vessels": ((-85, -50, -118), (50, 70, 70)),
    "upper_abdomen": ((-125, -80, -268), (125, 85, -125)),
}
_FACES = ((0, "at the left", "at the right"), (1, "behind", "in front"), (2, "at the bottom", "at the top"))


def true_masks(labels: LabelArray, grid: Grid, to_standard: npt.NDArray[np.float64], plan: Plan) -> RegionMasks:
    """Return the masks with the coverage that follows from geometry, not from what is labelled."""
    coverage, notes = {}, {}
    to_ijk = np.linalg.inv(to_standard @ grid.affine)
    places = {"lungs": _lung_points(plan), "bones": _cage_points(plan)}
    places |= {region_id: _box_points(*ends) for region_id, ends in _EXTENT.items()}
    for region_id, points in places.items():
        ijk = points @ to_ijk[:3, :3].T + to_ijk[:3, 3]
        inside = ((ijk > -0.5) & (ijk < np.array(grid.shape_kji[::-1]) - 0.5)).all(axis=1)
        coverage[region_id] = _verdict(inside)
        if coverage[region_id] is Coverage.PARTIAL:
            notes[region_id] = f"cut {_where(points, inside)}"
        elif coverage[region_id] is Coverage.ABSENT:
            notes[region_id] = "outside the scan"
    return RegionMasks(labels, grid, STRUCTURES, METHOD, coverage, notes)


def _verdict(inside: npt.NDArray[np.bool_]) -> Coverage:
    if inside.all():
        return Coverage.COMPLETE
    return Coverage.PARTIAL if inside.any() else Coverage.ABSENT


def _where(points: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]) -> str:
    """Name the faces of the scanned part beyond which more of the region lies."""
    kept, lost = points[inside], points[~inside]
    words = []
    for axis, low, high in _FACES:
        if (lost[:, axis] < kept[:, axis].min() - 1).any():
            words.append(low)
        if (lost[:, axis] > kept[:, axis].max() + 1).any():
            words.append(high)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "at an edge"


def _lung_points(plan: Plan) -> npt.NDArray[np.float64]:
    return plan.points(np.minimum(plan.lung(Side.RIGHT), plan.lung(Side.LEFT)) < 0)


def _cage_points(plan: Plan) -> npt.NDArray[np.float64]:
    """Return the bony wall of the chest at the lungs' height: what makes the bones of a chest scan complete."""
    heights = _lung_points(plan)[:, 2]
    level = (plan.z >= heights.min()) & (plan.z <= heights.max())
    return plan.points((plan["wall"] > 0) & (plan["wall"] < 12.0) & level)


def _box_points(low: tuple[float, float, float], high: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    axes = [np.linspace(a, b, 7) for a, b in zip(low, high, strict=True)]
    return np.stack([c.ravel() for c in np.meshgrid(*axes, indexing="ij")], axis=1)
