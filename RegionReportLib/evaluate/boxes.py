"""Spatial precision and recall of grounded sentences, by boxes in RAS millimetres or by masks on one grid.

After RadFact (MAIRA-2, arXiv 2406.04449), from pixels to volumes. Whether one text entails another is judged
elsewhere and given here; whether the places agree is judged here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..imaging.box import Box
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray
from .findings import ratio

# RadFact: a sentence is spatially entailed if more than half of its area lies in that of its evidence.
ENTAILED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class GroundedClaim:
    """A sentence of one report, judged against the other report.

    `entailed`: the other report says so too. `covered`: share of the sentence's place that lies in the places of its
    evidence, 0..1 (`covered_share`, `covered_by_masks`, `covered_by_boxes`); None for a sentence without a place.
    """

    entailed: bool
    covered: float | None

    def __post_init__(self) -> None:
        if self.covered is not None and not 0.0 <= self.covered <= 1.0:
            raise ValueError(f"covered must lie in 0..1, got {self.covered}")

    @property
    def spatially_entailed(self) -> bool:
        """Whether both the words and the place agree."""
        return self.entailed and self.covered is not None and self.covered > ENTAILED_SHARE


@dataclass(frozen=True, slots=True)
class ClaimScores:
    """Precision if the claims are those of a draft, recall if they are those of the reference.

    `logical`: entailed of all. `grounding`: spatially entailed of those entailed that have a place. `spatial`:
    spatially entailed of all that have a place. None of nothing.
    """

    logical: float | None
    grounding: float | None
    spatial: float | None


def claim_scores(claims: Iterable[GroundedClaim]) -> ClaimScores:
    """Return the three scores of one report's claims."""
    found = list(claims)
    placed = [c for c in found if c.covered is not None]
    both = sum(c.spatially_entailed for c in placed)
    return ClaimScores(
        logical=ratio(sum(c.entailed for c in found), len(found)),
        grounding=ratio(both, sum(c.entailed for c in placed)),
        spatial=ratio(both, len(placed)),
    )


def covered_share(candidate: Sequence[Box], evidence: Sequence[Box]) -> float | None:
    """Return which share of the union of `candidate` boxes lies in the union of `evidence` boxes, by volume.

    Exact: space is cut at every face of a box. None if the candidates have no volume.
    """
    if not candidate:
        return None
    boxes = (*candidate, *evidence)
    corners = np.array([(b.min_mm, b.max_mm) for b in boxes])
    edges = [np.unique(corners[:, :, axis]) for axis in range(3)]
    volumes = np.einsum("i,j,k->ijk", *(np.diff(e) for e in edges))
    own, theirs = _cells(edges, candidate), _cells(edges, evidence)
    return ratio(float(volumes[own & theirs].sum()), float(volumes[own].sum()))


def covered_by_masks(candidate: BoolArray, evidence: Sequence[BoolArray]) -> float | None:
    """Return which share of the mask `candidate` `(k, j, i)` lies in the union of `evidence`, all on one grid.

    None for an empty candidate; ValueError if the shapes differ.
    """
    union = np.zeros(candidate.shape, dtype=bool)
    for mask in evidence:
        if mask.shape != candidate.shape:
            raise ValueError(f"masks must have one shape, got {candidate.shape} and {mask.shape}; resample first")
        union |= mask
    return ratio(int((candidate & union).sum()), int(candidate.sum()))


def covered_by_boxes(candidate: BoolArray, grid: Grid, evidence: Sequence[Box]) -> float | None:
    """Return which share of the voxels of a mask on `grid` have their centre in one of the boxes (RAS).

    None for an empty mask; ValueError if the mask is not of the grid's size.
    """
    if candidate.shape != grid.shape_kji:
        raise ValueError(f"the mask must have the grid's shape {grid.shape_kji}, got {candidate.shape}")
    centres = grid.to_ras(np.argwhere(candidate)[:, ::-1])
    inside = np.zeros(len(centres), dtype=bool)
    for box in evidence:
        inside |= ((centres >= box.min_mm) & (centres <= box.max_mm)).all(axis=1)
    return ratio(int(inside.sum()), len(centres))


def _cells(edges: Sequence[np.ndarray], boxes: Sequence[Box]) -> BoolArray:
    """Return which cells between the edges lie in one of the boxes."""
    inside = np.zeros([len(e) - 1 for e in edges], dtype=bool)
    for box in boxes:
        pairs = zip(box.min_mm, box.max_mm, strict=True)
        ends = [np.searchsorted(e, pair) for e, pair in zip(edges, pairs, strict=True)]
        inside[tuple(itertools.starmap(slice, ends))] = True
    return inside
