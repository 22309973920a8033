"""The centre line of a tubular structure, and its sections perpendicular to it: calibre that does not depend on the
direction of the slices. Lines are found in the patient frame, sections cut through the mask's own voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from ..imaging.box import Box
from ..imaging.grid import Grid
from ..imaging.masks import BoolArray, RegionMasks, Slices
from ..progress import Progress, Work
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import STEP_MM
from .scan import together
from .subject import Subject

Floats = npt.NDArray[np.float64]
Stations = npt.NDArray[np.intp]

WINDOW = 5
"""So many stations make the 10 mm that a diameter is the median of."""
HOW = "diameter of the circle of the mask's area perpendicular to the centre line"
STATION_MM = 2.0
"""Distance between two sections along the line."""
_PIXEL_MM = 1.0
_SMOOTH_MM = 5.0
# Twice is enough: the second round moves the centres by less than half a pixel.
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Tube:
    """Stations along a vessel: centres `points` and unit `directions` `(n, 3)` in RAS, and `diameters_mm` `(n,)`.

    A diameter is that of the circle of the section's area; it is nan where the section is cut by the scan's edge or
    reaches the vessel's own end.
    """

    points: Floats
    directions: Floats
    diameters_mm: Floats

    def place(self, subject: Subject, station: int) -> Place:
        """Return the place of the section at a station."""
        x, y, z = (float(v) for v in self.points[station])
        return Place(subject.region_id, self.box(station), (x, y, z), subject.structure)

    def measured(self, subject: Subject, method: str, stations: Stations, *caveats: str) -> Measurement:
        """Write down the median diameter of some stations, at least one, at the place of the middle one."""
        value = float(np.median(self.diameters_mm[stations]))
        place = self.place(subject, int(stations[len(stations) // 2]))
        return subject.known("transverse_diameter", value, method, place, together(*caveats))

    def box(self, station: int) -> Box:
        """Return the box around the section at a station, taken as a circle."""
        reach = self.diameters_mm[station] / 2 * np.sqrt(np.clip(1 - self.directions[station] ** 2, 0, 1))
        # A section is thin along its normal; a box of no thickness could not be clicked.
        reach = np.maximum(reach, STATION_MM / 2)
        return Box.around([self.points[station] - reach, self.points[station] + reach])


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Shortest ways within a `mask` of the patient frame: how far voxels lie apart, and the line that keeps inside.

    Ways lead from voxel to neighbouring voxel (26 of them); for the line a step costs the more, the nearer it runs to
    the wall (Dijkstra's algorithm on the distance map, as for virtual endoscopy: Bitter I et al., IEEE Trans Vis
    Comput Graph 2001;7:195).
    """

    voxels: npt.NDArray[np.intp]
    depths_mm: Floats
    graph: coo_array
    costs: coo_array

    @classmethod
    def within(cls, mask: BoolArray) -> Paths:
        """Prepare the ways within a mask that holds at least one voxel."""
        voxels = np.argwhere(mask)
        number = np.full(np.array(mask.shape) + 2, -1)
        number[tuple((voxels + 1).T)] = np.arange(len(voxels))
        depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=STEP_MM)[1:-1, 1:-1, 1:-1][mask]
        steps = [s for s in np.ndindex(3, 3, 3) if s > (1, 1, 1)]
        starts, stops, lengths = [], [], []
        for step in np.array(steps) - 1:
            other = number[tuple((voxels + 1 + step).T)]
            near = np.flatnonzero(other >= 0)
            starts.append(near)
            stops.append(other[near])
            lengths.append(np.full(len(near), STEP_MM * float(np.linalg.norm(step))))
        a, b, length = (np.concatenate(x) for x in (starts, stops, lengths))
        wall = (depth.max() / np.minimum(depth[a], depth[b])) ** 3
        size = (len(voxels), len(voxels))
        return cls(voxels, depth, coo_array((length, (a, b)), size), coo_array((length * wall, (a, b)), size))

    def lengths_from(self, start: int) -> Floats:
        """Return how far each voxel lies from one of them, within the mask; inf where no way leads."""
        lengths: Floats = dijkstra(self.graph.tocsr(), directed=False, indices=[start])[0]
        return lengths

    def line(self, start: int, stop: int) -> npt.NDArray[np.intp]:
        """Return the voxels `(n,)` of the central line between two."""
        _, before = dijkstra(self.costs.tocsr(), directed=False, indices=[start], return_predecessors=True)
        way = [stop]
        while way[-1] != start:
            way.append(int(before[0, way[-1]]))
        return np.array(way[::-1])

    def ends(self) -> tuple[int, int]:
        """Return the two voxels that lie farthest apart, about: the ends of a tube."""
        middle = int(np.argmax(self.depths_mm))
        first = int(np.argmax(self.lengths_from(middle)))
        return first, int(np.argmax(self.lengths_from(first)))


def tube_along(masks: RegionMasks, name: str, where: Slices, line_ras: Floats) -> Work[Tube]:
    """Follow a structure along a rough central line `(n, 3)` and measure its sections every 2 mm.

    `where` is the native block of the structure. The line is moved to the middle of its sections and smoothed, three
    times, so that it ends perpendicular to the sections whatever voxels it started from.
    """
    start = np.array([s.start for s in where])
    block = np.pad(masks.structure(name, where).astype(np.uint8), 1)
    points = _evenly(line_ras)
    tube = Tube(points, points, np.full(len(points), np.nan))
    for n in range(_ROUNDS):
        yield Progress(n / _ROUNDS, name.replace("_", " "))
        points = _evenly(_smooth(points))
        directions = _directions(points)
        cuts = [_section(block, start, masks.grid, p, d) for p, d in zip(points, directions, strict=True)]
        middles = np.array([p if c is None else c[0] for p, c in zip(points, cuts, strict=True)])
        tube = Tube(middles, directions, np.array([np.nan if c is None else c[1] for c in cuts]))
        points = middles
    return _without_ends(tube)


def _section(
    block: npt.NDArray[np.uint8], start_kji: npt.NDArray[np.intp], grid: Grid, point: Floats, direction: Floats
) -> tuple[Floats, float] | None:
    """Return centre and diameter of the section through a point; None outside the mask or cut by the scan's edge."""
    u = np.cross(direction, np.eye(3)[np.argmin(np.abs(direction))])
    u /= np.linalg.norm(u)
    v = np.cross(direction, u)
    # Wide enough for an aneurysm of 8 cm; the piece around the point is what counts.
    steps = np.arange(-40.0, 40.1, _PIXEL_MM)
    plane = point + steps[:, None, None] * u + steps[None, :, None] * v
    index = np.moveaxis(grid.to_ijk(plane)[..., ::-1], -1, 0)
    local = index - (start_kji - 1)[:, None, None]
    held = ndimage.map_coordinates(block, local, order=1, cval=0.0, output=np.float32)
    pieces, _ = ndimage.label(held >= 0.5)
    here = int(pieces[len(steps) // 2, len(steps) // 2])
    if here == 0:
        return None
    piece = pieces == here
    rim = ndimage.binary_dilation(piece, iterations=2)
    size = np.array(grid.shape_kji)[:, None]
    at = index[:, rim]
    if ((at < -0.5) | (at > size - 0.5)).any():
        return None
    # Partial pixels at the rim count by what of them the mask fills.
    share = np.where(ndimage.binary_dilation(piece), held, 0.0).astype(np.float64)
    area = float(share.sum()) * _PIXEL_MM**2
    centre = (plane * share[..., None]).sum(axis=(0, 1)) / share.sum()
    return centre, float(np.sqrt(4.0 * area / np.pi))


def _evenly(points: Floats) -> Floats:
    """Return points 2 mm apart along a polyline."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.arange(0.0, arc[-1] + 1e-6, STATION_MM)
    return np.column_stack([np.interp(wanted, arc, points[:, a]) for a in range(3)])


def _smooth(points: Floats) -> Floats:
    """Smooth a line, its ends going on as they came so that they are not drawn inwards."""
    n = min(len(points) - 1, round(3 * _SMOOTH_MM / STATION_MM))
    if n < 1:
        return points
    head = 2 * points[0] - points[n:0:-1]
    tail = 2 * points[-1] - points[-2 : -n - 2 : -1]
    longer = ndimage.gaussian_filter1d(np.concatenate([head, points, tail]), _SMOOTH_MM / STATION_MM, axis=0)
    return np.asarray(longer[n : n + len(points)])


def _directions(points: Floats) -> Floats:
    if len(points) < 2:
        return np.tile([0.0, 0.0, 1.0], (len(points), 1))
    steps = np.gradient(points, axis=0)
    return np.asarray(steps / np.linalg.norm(steps, axis=1, keepdims=True))


def _without_ends(tube: Tube) -> Tube:
    """Blank what lies within a radius of either end: a section there may cut the end instead of the wall."""
    diameters = tube.diameters_mm.copy()
    if np.isfinite(diameters).any():
        radius = float(np.nanmedian(diameters)) / 2
        for end in (tube.points[0], tube.points[-1]):
            diameters[np.linalg.norm(tube.points - end, axis=1) < radius] = np.nan
    return Tube(tube.points, tube.directions, diameters)
