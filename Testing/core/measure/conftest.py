"""A chest of plain solids with known answers, sampled onto any grid."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial import KDTree

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.measure.contrast import blood_pool
from RegionReportLib.measure.examine import measure
from RegionReportLib.measure.frame import frame_of
from RegionReportLib.measure.scan import Scan
from RegionReportLib.progress import finish
from RegionReportLib.report.measurement import Measurement

Points: TypeAlias = npt.NDArray[np.float32]
Solid: TypeAlias = Callable[[Points], npt.NDArray[np.bool_]]

Start: TypeAlias = tuple[int, int, int]
Stop: TypeAlias = tuple[int | None, int | None, int | None]
Found: TypeAlias = dict[str, Measurement]

STRUCTURES = (
    "lung_right",
    "lung_left",
    "trachea",
    "main_bronchi",
    "mediastinum",
    "heart_great_vessels",
    "bone",
    "upper_abdomen",
)


def ball(centre: tuple[float, float, float], radius: float) -> Solid:
    return lambda p: ((p - np.array(centre)) ** 2).sum(axis=-1) <= radius**2


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> Solid:
    return lambda p: ((p >= np.array(low)) & (p < np.array(high))).all(axis=-1)


def rod(start: tuple[float, float, float], stop: tuple[float, float, float], radii: tuple[float, float]) -> Solid:
    """An elliptic cylinder along start–stop with half-axes `radii` along right–left and front–back."""
    a, b = np.array(start), np.array(stop)
    axis = (b - a) / np.linalg.norm(b - a)
    right = np.array([1.0, 0.0, 0.0]) - axis[0] * axis
    right /= np.linalg.norm(right)
    front = np.cross(axis, right)

    def inside(p: Points) -> npt.NDArray[np.bool_]:
        q = p - a
        along = q @ axis
        flat = ((q @ right) / radii[0]) ** 2 + ((q @ front) / radii[1]) ** 2
        return (flat <= 1) & (along >= 0) & (along <= np.linalg.norm(b - a))

    return inside


@dataclass
class Chest:
    """The plain chest with solids painted over it: (structure or None to keep the label, HU, solid)."""

    blood_hu: float
    solids: list[tuple[str | None, float, Solid]] = field(default_factory=list)
    noise_hu: float = 0.0
    coverage: dict[str, Coverage] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def paint(self, structure: str | None, hu: float, solid: Solid) -> Chest:
        self.solids.append((structure, hu, solid))
        return self

    def on(self, grid: Grid) -> tuple[Volume, RegionMasks]:
        points, hu, labels = (a.copy() if n else a for n, a in enumerate(_plain_painted(grid, self.blood_hu)))
        for name, value, solid in self.solids:
            _paint(points, hu, labels, (name, value, solid))
        if self.noise_hu:
            hu += np.random.default_rng(7).normal(0, self.noise_hu, len(hu))
        shape = grid.shape_kji
        volume = Volume(np.round(hu).astype(np.int16).reshape(shape), grid, Provenance("", "phantom"))
        coverage = {name: self.coverage.get(name, Coverage.COMPLETE) for name in REGION_IDS}
        return volume, RegionMasks(labels.reshape(shape), grid, STRUCTURES, "by hand", coverage, self.notes)

    def measured(self, grid: Grid, start_kji: Start = (0, 0, 0), stop_kji: Stop = (None, None, None)) -> Found:
        """Measure the chest on a grid, or on the block of it from `start_kji` to `stop_kji`: a scan cut there."""
        volume, masks = self.on(grid)
        k, j, i = (slice(a, b) for a, b in zip(start_kji, stop_kji, strict=True))
        hu = volume.hu[k, j, i]
        block = grid.crop(start_kji, hu.shape)
        labels = np.ascontiguousarray(masks.labels[k, j, i])
        cut = RegionMasks(labels, block, masks.structures, masks.method, masks.coverage, masks.coverage_notes)
        return {m.id: m for m in finish(measure(Volume(hu, block, volume.provenance), cut))}


def plain_chest(blood_hu: float = 40.0) -> Chest:
    """Two box lungs of 80 × 120 × 180 mm, a heart of 110 mm, a trachea of 16 × 20 mm, three vertebrae, a liver."""
    return Chest(blood_hu)


@functools.lru_cache(maxsize=3)
def _plain_painted(grid: Grid, blood_hu: float) -> tuple[Points, Points, npt.NDArray[np.uint8]]:
    k, j, i = np.indices(grid.shape_kji).reshape(3, -1)
    points = grid.to_ras(np.stack([i, j, k], axis=1)).astype(np.float32)
    hu = np.full(len(points), -1000.0, dtype=np.float32)
    labels = np.zeros(len(points), dtype=np.uint8)
    for solid in _plain_solids(blood_hu):
        _paint(points, hu, labels, solid)
    return points, hu, labels


def _paint(points: Points, hu: Points, labels: npt.NDArray[np.uint8], what: tuple[str | None, float, Solid]) -> None:
    name, value, solid = what
    inside = solid(points)
    hu[inside] = value
    if name is not None:
        labels[inside] = 0 if name == "none" else STRUCTURES.index(name) + 1


def _plain_solids(blood_hu: float) -> Iterator[tuple[str | None, float, Solid]]:
    yield "none", 20, block((-150, -110, -130), (150, 110, 130))
    yield "lung_right", -860, block((50, -60, -60), (130, 60, 120))
    yield "lung_left", -860, block((-130, -60, -60), (-50, 60, 120))
    yield "mediastinum", 20, block((-50, -60, -60), (50, 60, 120))
    yield "heart_great_vessels", blood_hu, ball((-15, 20, -20), 55)
    yield "heart_great_vessels", blood_hu, block((-40, -20, 40), (40, 20, 70))
    yield "trachea", -1000, rod((0, -35, 45), (0, -35, 119), (8, 10))
    yield "main_bronchi", -1000, rod((0, -35, 45), (30, -35, 10), (6, 6))
    yield "main_bronchi", -1000, rod((0, -35, 45), (-30, -35, 10), (6, 6))
    for z in (-40.0, 0.0, 40.0):
        yield "bone", 700, rod((0, -80, z - 14), (0, -80, z + 14), (18, 15))
        yield "bone", 180, rod((0, -80, z - 12), (0, -80, z + 12), (16, 13))
    yield "upper_abdomen", 20, block((-130, -60, -120), (130, 60, -62))
    yield "upper_abdomen", 58, block((30, -50, -115), (120, 50, -65))


def upright_grid(spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Grid:
    size = [int(np.ceil(n / s)) for n, s in zip((310, 230, 270), spacing, strict=True)]
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-154.3, -114.3, -134.3)
    return Grid((size[2], size[1], size[0]), affine)


def oblique_grid() -> Grid:
    """Left-handed, anisotropic, tilted by 12° and turned by 9°, large enough for the whole chest."""
    a, b = np.radians(12.0), np.radians(9.0)
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    # Columns: i runs to the left, j to the front, k upwards; the mirrored i makes it left-handed.
    axes = tilt @ turn @ np.diag([-1.0, 1.0, 1.0])
    spacing = np.array([1.8, 2.0, 2.5])
    size = np.array([206, 160, 134])
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing
    affine[:3, 3] = -affine[:3, :3] @ ((size - 1) / 2)
    return Grid((int(size[2]), int(size[1]), int(size[0])), affine)


def turned_grid(
    centre: tuple[float, float, float],
    size_mm: tuple[float, float, float],
    spacing: tuple[float, float, float],
    axes: Points,
) -> Grid:
    """A grid whose columns run along the columns of `axes`."""
    i, j, k = (int(np.ceil(a / b)) for a, b in zip(size_mm, spacing, strict=True))
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array(spacing)
    affine[:3, 3] = np.array(centre) - affine[:3, :3] @ ((np.array([i, j, k]) - 1) / 2)
    return Grid((k, j, i), affine)


def rotation(axis: str, degrees: float) -> Points:
    """The rotation about x, y or z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    one = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
    return np.array({**one, "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}[axis], dtype=float)


def oblique_axes() -> Points:
    """Left-handed axes, tilted by 12° and turned by 9°."""
    return rotation("x", 12.0) @ rotation("z", 9.0) @ np.diag([-1.0, 1.0, 1.0])


def scan_of(grid: Grid, painted: Iterable[tuple[str, float, Solid]], empty: tuple[str, ...] = ()) -> Scan:
    """Paint (structure, HU, solid) in this order on tissue of 20 HU; `empty` structures are named but hold nothing."""
    things = list(painted)
    names = (*dict.fromkeys(name for name, _, _ in things), *empty)
    k, j, i = np.indices(grid.shape_kji).reshape(3, -1)
    points = grid.to_ras(np.stack([i, j, k], axis=1))
    hu = np.full(len(points), 20.0)
    labels = np.zeros(len(points), np.uint8)
    for name, value, solid in things:
        inside = solid(points)
        hu[inside], labels[inside] = value, names.index(name) + 1
    volume = Volume(np.round(hu).astype(np.int16).reshape(grid.shape_kji), grid, Provenance("", "phantom"))
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels.reshape(grid.shape_kji), grid, names, "by hand", coverage, {})
    frame = finish(frame_of(volume, masks))
    assert frame is not None
    return Scan(volume, masks, frame, masks.bounds(), blood_pool(volume, frame))


def pipe(points: Points, radii: Points | float) -> Solid:
    """Everything within its radius of the nearest point of a line; the points lie close together."""
    tree, wide = KDTree(points), np.broadcast_to(radii, len(points))

    def inside(p: Points) -> npt.NDArray[np.bool_]:
        found = np.zeros(len(p), bool)
        top = float(wide.max())
        near = np.flatnonzero(((p > points.min(axis=0) - top) & (p < points.max(axis=0) + top)).all(axis=1))
        gaps, which = tree.query(p[near], distance_upper_bound=top)
        found[near] = gaps <= np.append(wide, -1.0)[which]
        return found

    return inside


@pytest.fixture
def chest() -> Chest:
    return plain_chest()


@pytest.fixture(params=["upright", "oblique"])
def grid(request: pytest.FixtureRequest) -> Grid:
    return upright_grid() if request.param == "upright" else oblique_grid()


@pytest.fixture(scope="session")
def upright() -> Grid:
    return upright_grid()


@pytest.fixture(scope="session", params=["upright", "oblique"])
def plain(request: pytest.FixtureRequest) -> tuple[Grid, RegionMasks, dict[str, Measurement]]:
    """The plain chest and its measurements, sampled and measured once per grid."""
    grid = upright_grid() if request.param == "upright" else oblique_grid()
    volume, masks = plain_chest().on(grid)
    return grid, masks, {m.id: m for m in finish(measure(volume, masks))}


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The builders of this file, for tests to compose chests with."""
    return SimpleNamespace(
        ball=ball,
        block=block,
        rod=rod,
        plain_chest=plain_chest,
        upright_grid=upright_grid,
        oblique_grid=oblique_grid,
        pipe=pipe,
        rotation=rotation,
        oblique_axes=oblique_axes,
        turned_grid=turned_grid,
        scan_of=scan_of,
    )
