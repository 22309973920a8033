"""Overlap of masks: Dice, hit rate and instances, as ReXGroundingCT (arXiv 2507.22030) scores grounded findings.

Masks of a pair lie on one grid; whoever has two grids resamples first, so that how it was done is said where it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import optimize

from ..anatomy import regions as anatomy
from ..imaging.masks import BoolArray, RegionMasks
from .findings import Confusion, ratio

# ReXGroundingCT: a finding counts as hit from Dice 0.1, one of its instances as found from Dice 0.2.
HIT_DICE = 0.1
INSTANCE_DICE = 0.2


@dataclass(frozen=True, slots=True)
class FindingOverlap:
    """Overlap of one finding: `dice` (None if both masks are empty) and the counts of its `instances`."""

    dice: float | None
    instances: Confusion

    @property
    def hit(self) -> bool | None:
        """Whether the finding counts as found at all; None where there is nothing to find and nothing was."""
        return None if self.dice is None else self.dice >= HIT_DICE


@dataclass(frozen=True, slots=True)
class GroundingScores:
    """Means over `count` findings that are defined (`dice`, `hit_rate` 0..1), and the counts of all instances.

    Precision, recall and F1 of instances are those of `instances`. None of nothing.
    """

    count: int
    dice: float | None
    hit_rate: float | None
    instances: Confusion


def dice(reference: BoolArray, prediction: BoolArray) -> float | None:
    """Return twice the common voxels over the voxels of both, 0..1; None if both masks are empty.

    Voxels of one grid are equally large, so this is by volume on any grid. ValueError if the shapes differ.
    """
    _same_shape(reference, prediction)
    return ratio(2 * int((reference & prediction).sum()), int(reference.sum()) + int(prediction.sum()))


def region_dice(reference: RegionMasks, prediction: RegionMasks) -> dict[str, float | None]:
    """Return the Dice of each of the six regions; ValueError if the two lie on different grids."""
    if reference.grid != prediction.grid:
        raise ValueError("both segmentations must lie on one grid; resample one of them first")
    return {r: dice(reference.region(r), prediction.region(r)) for r in anatomy.REGION_IDS}


def finding_overlap(reference: BoolArray, prediction: BoolArray) -> FindingOverlap:
    """Compare the masks `(k, j, i)` of one finding.

    Instances are the parts that touch by face, edge or corner. Each is matched with at most one of the other mask, so
    that the sum of Dice over matches of Dice 0.2 and more is largest; this matching is our choice.
    """
    _same_shape(reference, prediction)
    table = _instance_dice(_parts(reference), _parts(prediction))
    good = np.where(table >= INSTANCE_DICE, table, 0.0)
    rows, columns = optimize.linear_sum_assignment(good, maximize=True)
    found = int((good[rows, columns] > 0).sum())
    instances = Confusion(found, table.shape[1] - found, table.shape[0] - found)
    return FindingOverlap(dice(reference, prediction), instances)


def grounding_scores(findings: Iterable[FindingOverlap]) -> GroundingScores:
    """Return the scores over the findings of all cases."""
    found = list(findings)
    scores = [f.dice for f in found if f.dice is not None]
    return GroundingScores(
        count=len(scores),
        dice=fmean(scores) if scores else None,
        hit_rate=ratio(sum(bool(f.hit) for f in found), len(scores)),
        instances=sum((f.instances for f in found), Confusion(0, 0, 0)),
    )


def _parts(mask: BoolArray) -> npt.NDArray[np.int64]:
    return np.asarray(cc3d.connected_components(mask, connectivity=26), dtype=np.int64)


def _instance_dice(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the Dice of each part of the one with each of the other, `(parts, parts)`, in one pass."""
    rows, columns = int(ours.max(initial=0)), int(theirs.max(initial=0))
    either = (ours > 0) | (theirs > 0)
    pairs = np.bincount(ours[either] * (columns + 1) + theirs[either], minlength=(rows + 1) * (columns + 1))
    common = pairs.reshape(rows + 1, columns + 1).astype(np.float64)
    sizes = common.sum(axis=1)[1:, None] + common.sum(axis=0)[None, 1:]
    return np.asarray(2 * common[1:, 1:] / sizes)


def _same_shape(reference: BoolArray, prediction: BoolArray) -> None:
    if reference.shape != prediction.shape:
        raise ValueError(f"masks must have one shape, got {reference.shape} and {prediction.shape}; resample first")
