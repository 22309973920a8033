"""Each vertebra by itself, where the masks name them: density of its trabecular core, and the heights of its body.

Heights are those of the segmenter's mask along the spine's own direction, at the front, in the middle and at the back
of the body. Not for the spine as a whole: see `bones`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..anatomy.regions import region
from ..imaging.box import Box
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import STEP_MM
from .scan import Scan, together
from .subject import Subject

HU_METHOD = (
    "mean HU of a cylinder of 14 × 8 mm in the middle of the vertebral body (at L1 110 HU specific, 160 HU sensitive "
    "for osteoporosis: Pickhardt PJ et al., Ann Intern Med 2013;158:588)"
)
HEIGHT_METHOD = (
    "height of the vertebral body's mask along the spine, mean over 10 mm from side to side and 6 mm from front to "
    "back, around 1/6, 1/2 and 5/6 of its depth from the front"
)
RATIO_METHOD = (
    f"anterior over posterior {HEIGHT_METHOD} (normal 0.89 to 0.92 ± 0.08 from T10 to L2: Matsumoto M et al., Surg "
    "Radiol Anat 2011;33:223; a loss of 25 % is a moderate deformity: Genant HK et al., J Bone Miner Res 1993;8:1137)"
)
NO_VERTEBRAE = "no single vertebrae in the masks"

# Those of the thorax and what a chest CT shows of the lumbar spine, from head to foot.
LEVELS: tuple[str, ...] = tuple(
    s.id for s in region("bones").structures if s.id.startswith(("vertebrae_T", "vertebrae_L"))
)
HEIGHTS = ("anterior_height", "middle_height", "posterior_height")

# Heights of about 20 mm are told from a mask to half a voxel at either end: a ratio needs finer voxels than this.
COARSEST_MM = 2.0
# A vertebral body holds a ball of this radius (T1, the smallest: Panjabi MM et al., Spine 1991;16:888).
_DEEP_MM = 5.0
_RADIUS_MM, _HALF_MM = 7.0, 4.0
_SIDE_MM = 5.0
_REACH_MM = 30.0
_PIXEL_MM = 0.5
_BAND = 6
# Bodies are 12 to 35 mm high and 12 to 40 mm deep; what comes out beyond is not a body.
_HEIGHT_MM = (5.0, 45.0)
_DEPTH_MM = (10.0, 50.0)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The middle of a vertebral body in RAS, and the unit vector up the spine, None if unknown."""

    name: str
    middle: Floats
    up: Floats | None = None


def vertebra_measurements(scan: Scan) -> list[Measurement]:
    """Write down density and heights of each vertebra of the masks, from head to foot; None with a reason."""
    bodies = _bodies(scan)
    if not bodies:
        spine = Subject("bones", structure="vertebrae")
        return [spine.unknown(q, HEIGHT_METHOD, NO_VERTEBRAE) for q in HEIGHTS]
    return [m for body in bodies for m in _of(scan, body)]


def _of(scan: Scan, body: Body) -> Iterator[Measurement]:
    subject = Subject("bones", structure=body.name)
    place = _place(scan, body)
    cut = f"{body.name.split('_')[1]} cut at the edge of the scan" if scan.cut_faces((body.name,)) else ""
    core = _core_hu(scan, body)
    caveat = together("contrast raises it" if scan.blood.enhanced else "")
    if core is None or cut:
        why = cut or "body too small for a core of 14 × 8 mm"
        yield subject.unknown("trabecular_density", HU_METHOD, why, place)
    else:
        yield subject.known("trabecular_density", core, HU_METHOD, place, caveat)
    why = cut or _obstacle(scan, body)
    heights = None if why else _heights_mm(scan, body)
    if heights is None:
        why = why or "endplates not told from the mask"
        for quantity in HEIGHTS:
            yield subject.unknown(quantity, HEIGHT_METHOD, why, place)
        yield subject.unknown("vertebral_height_ratio", RATIO_METHOD, why, place)
        return
    for quantity, value in zip(HEIGHTS, heights, strict=True):
        yield subject.known(quantity, value, HEIGHT_METHOD, place)
    yield subject.known("vertebral_height_ratio", heights[0] / heights[2], RATIO_METHOD, place)


def _obstacle(scan: Scan, body: Body) -> str:
    if scan.slice_spacing_mm > COARSEST_MM + 0.05:
        return f"voxels of {scan.slice_spacing_mm:.1f} mm are too coarse for heights (at most {COARSEST_MM:.0f} mm)"
    return "direction of the spine unknown" if body.up is None else ""


def _bodies(scan: Scan) -> list[Body]:
    """Find the middle of each body, its thickest part, and the spine's direction there from its neighbours."""
    found: list[Body] = []
    for name in LEVELS:
        where = scan.frame.bounds([name])
        if where is None:
            continue
        part = scan.frame.crop(where, margin_mm=STEP_MM)
        depth = np.asarray(ndimage.distance_transform_edt(part.mask([name]), sampling=STEP_MM))
        if depth.max() < _DEEP_MM:
            continue
        deep = np.argwhere(depth >= 0.8 * depth.max())
        found.append(Body(name, part.grid.to_ras(deep.mean(axis=0)[::-1])))
    return [replace(body, up=_up(found, n)) for n, body in enumerate(found)]


def _up(bodies: list[Body], n: int) -> Floats | None:
    """Return the direction from the vertebra below to the one above; None if neither is there."""
    order = [LEVELS.index(b.name) for b in bodies]
    near = [m for m in (n - 1, n, n + 1) if 0 <= m < len(bodies) and abs(order[m] - order[n]) <= 1]
    if len(near) < 2:
        return None
    step = bodies[near[0]].middle - bodies[near[-1]].middle
    return np.asarray(step / np.linalg.norm(step))


def _place(scan: Scan, body: Body) -> Place:
    box: Box = scan.masks.box(scan.bounds[body.name])
    x, y, z = (float(v) for v in body.middle)
    return Place("bones", box, (x, y, z), body.name)


def _front(up: Floats) -> Floats:
    front = np.array([0.0, 1.0, 0.0]) - up[1] * up
    return np.asarray(front / np.linalg.norm(front))


def _core_hu(scan: Scan, body: Body) -> float | None:
    up = np.array([0.0, 0.0, 1.0]) if body.up is None else body.up
    front = _front(up)
    side = np.cross(front, up)
    steps = np.arange(-_RADIUS_MM, _RADIUS_MM + 0.1, 1.0)
    rise = np.arange(-_HALF_MM + 0.5, _HALF_MM, 1.0)
    u, v, w = (a.ravel() for a in np.meshgrid(steps, steps, rise))
    keep = u**2 + v**2 <= _RADIUS_MM**2
    points = body.middle + np.column_stack([u, v, w])[keep] @ np.array([side, front, up])
    index = scan.frame.grid.to_ijk(points)[:, ::-1].T
    hu = ndimage.map_coordinates(scan.frame.hu, index, order=1, mode="nearest")
    label = scan.masks.values([body.name])[0]
    held = ndimage.map_coordinates(scan.frame.labels, index, order=0, cval=0) == label
    return float(hu.mean(dtype=np.float64)) if float(held.mean()) >= 0.95 else None


def _heights_mm(scan: Scan, body: Body) -> tuple[float, float, float] | None:
    """Return the heights in front, in the middle and at the back, None if they are not those of a body."""
    if body.up is None:
        return None
    mask = _sampled(scan, body, body.up)
    zero = mask.shape[1] // 2
    depth = _run(mask[:, zero, mask.shape[2] // 2], zero)
    if depth is None or not _DEPTH_MM[0] <= (depth[1] - depth[0] + 1) * _PIXEL_MM <= _DEPTH_MM[1]:
        return None
    back, front = depth
    found = []
    for share in (5 / 6, 1 / 2, 1 / 6):
        row = round(back + share * (front - back))
        near = range(max(row - _BAND, back), min(row + _BAND, front) + 1)
        columns = [_run(mask[r, :, n], zero) for r in near for n in range(mask.shape[2])]
        runs = [(c[1] - c[0] + 1) * _PIXEL_MM for c in columns if c is not None]
        # A mean over many columns: single ones fall on steps of the voxels.
        found.append(float(np.mean(runs)) if 2 * len(runs) > len(columns) else 0.0)
    if min(found) < _HEIGHT_MM[0] or max(found) > _HEIGHT_MM[1]:
        return None
    return found[0], found[1], found[2]


def _sampled(scan: Scan, body: Body, up: Floats) -> npt.NDArray[np.bool_]:
    """Return the vertebra's mask on a block along front, up and side `(front, up, side)` around its middle."""
    front = _front(up)
    side = np.cross(front, up)
    steps = np.arange(-_REACH_MM, _REACH_MM + 0.01, _PIXEL_MM)
    wide = np.arange(-_SIDE_MM, _SIDE_MM + 0.01, 2 * _PIXEL_MM)
    u, v, w = np.meshgrid(steps, steps, wide, indexing="ij")
    points = body.middle + u[..., None] * front + v[..., None] * up + w[..., None] * side
    where = scan.bounds[body.name]
    block = np.pad(scan.masks.structure(body.name, where).astype(np.uint8), 1)
    start = np.array([s.start for s in where]) - 1
    index = np.moveaxis(scan.volume.grid.to_ijk(points)[..., ::-1] - start, -1, 0)
    held = ndimage.map_coordinates(block, index, order=1, cval=0.0, output=np.float32)
    return np.asarray(held >= 0.5)


def _run(line: npt.NDArray[np.bool_], at: int) -> tuple[int, int] | None:
    """Return first and last of the unbroken run of True around a position, None if it is False there."""
    if not line[at]:
        return None
    gaps = np.flatnonzero(~line)
    before, after = gaps[gaps < at], gaps[gaps > at]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) - 1 if len(after) else len(line) - 1)
