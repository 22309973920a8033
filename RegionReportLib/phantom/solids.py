"""Implicit shapes: signed distances in millimetres, negative inside, on arrays of points.

Only geometry; what a shape is made of is the painter's matter. Formulas after I. Quilez, "Distance functions" and
"Smooth minimum" (iquilezles.org), which are approximate for ellipsoids and unions, good to a fraction of a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

F32: TypeAlias = npt.NDArray[np.float32]
Vector: TypeAlias = tuple[float, float, float]


class Points(Protocol):
    """Points of the standard patient; the three arrays broadcast against each other."""

    @property
    def x(self) -> F32: ...

    @property
    def y(self) -> F32: ...

    @property
    def z(self) -> F32: ...


class Profile:
    """A smooth function through `(position, value)` pairs, constant beyond them, monotone between them."""

    def __init__(self, *table: tuple[float, float]) -> None:
        knots = np.array(sorted(table), dtype=np.float64)
        self._fine = np.arange(knots[0, 0], knots[-1, 0] + 1.0, 1.0)
        self._values = PchipInterpolator(knots[:, 0], knots[:, 1])(np.minimum(self._fine, knots[-1, 0]))

    def __call__(self, z: F32) -> F32:
        return np.interp(z, self._fine, self._values).astype(np.float32)

    def at(self, z: float) -> float:
        """Return the value at one position."""
        return float(np.interp(z, self._fine, self._values))


def smooth_min(a: F32, b: F32, k: float) -> F32:
    """Return the union of two distances with a fillet of about `k` mm."""
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.asarray(np.minimum(a, b) - h * h * (k / 4), dtype=np.float32)


def smooth_max(a: F32, b: F32, k: float) -> F32:
    """Return the intersection of two distances with an edge rounded over about `k` mm."""
    return -smooth_min(-a, -b, k)


def ellipsoid(p: Points, centre: Vector, radii: Vector, axis: Vector | None = None) -> F32:
    """Return the distance to an ellipsoid; with `axis` the first radius lies along it, the third stays near upright."""
    d = [p.x - np.float32(centre[0]), p.y - np.float32(centre[1]), p.z - np.float32(centre[2])]
    if axis is not None:
        rows = frame_along(axis)
        d = [d[0] * row[0] + d[1] * row[1] + d[2] * row[2] for row in rows.astype(np.float32)]
    r = np.asarray(radii, dtype=np.float32)
    u, v, w = (d[n] / r[n] for n in range(3))
    near = np.sqrt(u * u + v * v + w * w)
    steep = np.sqrt((u / r[0]) ** 2 + (v / r[1]) ** 2 + (w / r[2]) ** 2)
    return np.asarray(near * (near - 1) / np.maximum(steep, 1e-6), dtype=np.float32)


def frame_along(axis: Vector) -> npt.NDArray[np.float64]:
    """Return three orthogonal unit rows, the first along `axis`, the third as upright as it can be."""
    first = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    up = np.array([0.0, 0.0, 1.0]) if abs(first[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
    second = np.cross(up, first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])


def cone(p: Points, ends: npt.NDArray[np.float64], radii: tuple[float, float]) -> F32:
    """Return the distance to a rod between two `ends` `(2, 3)` whose radius goes from the first to the second."""
    a, b = ends.astype(np.float32)
    along = b - a
    length2 = np.float32(max(float(along @ along), 1e-6))
    x, y, z = p.x - a[0], p.y - a[1], p.z - a[2]
    t = np.clip((x * along[0] + y * along[1] + z * along[2]) / length2, 0, 1)
    x, y, z = x - t * along[0], y - t * along[1], z - t * along[2]
    far = np.sqrt(x * x + y * y + z * z)
    return np.asarray(far - (np.float32(radii[0]) + t * np.float32(radii[1] - radii[0])), dtype=np.float32)


def chain(p: Points, nodes: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]) -> F32:
    """Return the distance to a tube through `nodes` `(n, 3)` with a radius at each."""
    out = cone(p, nodes[:2], (radii[0], radii[1]))
    for n in range(1, len(nodes) - 1):
        out = np.minimum(out, cone(p, nodes[n : n + 2], (radii[n], radii[n + 1])))
    return out


def curve(
    points: Sequence[Vector], radii: Sequence[float], step_mm: float = 8.0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return nodes `(n, 3)` and radii `(n,)` of a smooth path through `points`, about `step_mm` apart."""
    given = np.asarray(points, dtype=np.float64)
    at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(given, axis=0), axis=1))])
    fine = np.linspace(0, at[-1], max(2, round(at[-1] / step_mm) + 1))
    if len(given) == 2:
        nodes = given[0] + np.outer(fine / at[-1], given[1] - given[0])
    else:
        nodes = PchipInterpolator(at, given)(fine)
    return nodes, np.interp(fine, at, radii)


def superellipse(across: F32, along: F32, half_across: F32, half_along: F32, power: float) -> F32:
    """Return the distance along the ray from the centre to a superellipse with the given half axes."""
    far = np.sqrt(across * across + along * along)
    ratio = (np.abs(across / half_across) ** power + np.abs(along / half_along) ** power) ** np.float32(1 / power)
    return np.asarray(far - far / np.maximum(ratio, np.float32(1e-3)), dtype=np.float32)


class Ripple:
    """A smooth random field of about unit amplitude and the wavelength `wave_mm`, the same wherever it is evaluated."""

    def __init__(self, rng: np.random.Generator, wave_mm: float, terms: int = 9) -> None:
        directions = rng.standard_normal((terms, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        waves = wave_mm * rng.uniform(0.7, 1.5, terms)
        self._k = (directions * (2 * np.pi / waves)[:, None]).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, terms).astype(np.float32)

    def __call__(self, p: Points) -> F32:
        total = np.zeros(1, dtype=np.float32)
        for (kx, ky, kz), phase in zip(self._k, self._phase, strict=True):
            total = total + np.sin(kx * p.x + ky * p.y + kz * p.z + phase)
        return np.asarray(total * np.float32(np.sqrt(2 / len(self._k))), dtype=np.float32)
