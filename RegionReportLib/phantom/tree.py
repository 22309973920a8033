"""Branching vessels and airways of a lung, grown from the hilum towards points spread through the lung.

The points are split in two again and again; each part gets a branch towards its middle. Calibres follow Murray's law
with the exponent 2.7 measured in pulmonary arteries (Huang et al., J Appl Physiol 1996;81:2123).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .solids import Vector

Array = npt.NDArray[np.float64]
_MURRAY = 2.7


def grow(root: Vector, targets: Array, tip_mm: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return ends `(n, 2, 3)`, radii `(n, 2)` and the number of tips `(n,)` served by each branch."""
    ends: list[Array] = []
    radii: list[tuple[float, float]] = []
    tips: list[int] = []
    start = np.asarray(root, dtype=np.float64)
    stack = [(start, targets, _radius(len(targets), tip_mm), np.zeros(3))]
    while stack:
        at, points, radius, heading = stack.pop()
        if len(points) == 1:
            stop = points[0]
        else:
            middle = points.mean(axis=0)
            # A branch ends before the middle of what it serves, the nearer the more there is to serve.
            stop = at + (middle - at) * rng.uniform(0.32, 0.5) + heading * 0.12 * np.linalg.norm(middle - at)
        bend = (at + stop) / 2 + rng.normal(0, 0.045, 3) * np.linalg.norm(stop - at)
        parts = [] if len(points) == 1 else _split(points, stop)
        end_radius = radius * 0.6 if not parts else max(_radius(len(part), tip_mm) for part in parts)
        half = (radius + end_radius) / 2
        ends += [np.stack([at, bend]), np.stack([bend, stop])]
        radii += [(radius, half), (half, end_radius)]
        tips += [len(points)] * 2
        direction = (stop - at) / max(float(np.linalg.norm(stop - at)), 1e-6)
        stack += [(stop, part, _radius(len(part), tip_mm), direction) for part in parts]
    return np.stack(ends), np.array(radii), np.array(tips)


def _radius(count: int, tip_mm: float) -> float:
    return float(tip_mm * count ** (1 / _MURRAY))


def _split(points: Array, at: Array) -> list[Array]:
    """Split points by the plane that best separates their directions as seen from `at`; both parts keep a quarter."""
    seen = points - at
    _, _, axes = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)
    order = np.argsort(seen @ axes[0], kind="stable")
    cut = max(1, len(points) // 2)
    return [points[order[:cut]], points[order[cut:]]]


def spread(inside: Array, count: int, rng: np.random.Generator) -> Array:
    """Choose `count` of the points `(n, 3)` at random, moved a little so that they leave their lattice."""
    chosen = inside[rng.choice(len(inside), size=min(count, len(inside)), replace=False)]
    return np.asarray(chosen + rng.uniform(-2, 2, chosen.shape))
