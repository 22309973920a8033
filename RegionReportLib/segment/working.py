"""The working scan of the classical segmenter and the few shape operations all its organ files use.

Arrays are `(z, y, x)` on an isotropic grid whose axes point to the patient's right, front and head, so that
"in front of" is a larger y and "axial" a slice of the first axis. Lengths are given in mm, never in voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import cc3d
import edt
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from ..cores import threads
from ..imaging.grid import Grid
from ..imaging.masks import Slices

Mask: TypeAlias = npt.NDArray[np.bool_]
Field: TypeAlias = npt.NDArray[np.float32]
_Spacing: TypeAlias = tuple[float, float, float]

SPACING_MM = 2.5
"""Half the smallest thing that shape is asked of here: walls and spaces of 5 mm at the hilum."""

LUMEN_MOST_HU = -500
"""Half way between air and soft tissue: where the wall of a lumen lies whatever the blur."""
AIR_MOST_HU = -400
"""Air-filled from here down: half way between aerated lung and soft tissue (Hu, Hoffman, Reinhardt, IEEE TMI 20:490,
2001 find optimal thresholds around -400 for normal and dense lungs alike)."""


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """The scan on the working grid: `hu` int16 and `held`, False outside the scan's data."""

    hu: npt.NDArray[np.int16]
    held: Mask
    grid: Grid

    @property
    def spacing_mm(self) -> float:
        """Edge of the cubic voxels."""
        return self.grid.spacing_mm[0]

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return self.grid.voxel_ml

    def crop(self, where: Slices) -> Working:
        """Return the part of the scan inside the index box `where`."""
        k, j, i = where
        shape = (k.stop - k.start, j.stop - j.start, i.stop - i.start)
        grid = self.grid.crop((k.start, j.start, i.start), shape)
        return Working(np.ascontiguousarray(self.hu[where]), np.ascontiguousarray(self.held[where]), grid)


def distance_mm(mask: Mask, spacing_mm: float) -> Field:
    """Return each voxel's distance to the nearest one outside `mask`; the border of the scan does not count."""
    return _distance_mm(mask, _cubic(spacing_mm))


def box_around(mask: Mask, margin: int) -> Slices | None:
    """Return the smallest index box that holds `mask` and so many voxels more on each side, where there are any."""
    flat = np.asarray(mask.any(axis=0))
    box = []
    for profile in map(np.asarray, (mask.any(axis=(1, 2)), flat.any(axis=1), flat.any(axis=0))):
        inside = np.flatnonzero(profile)
        if not len(inside):
            return None
        box.append(slice(max(int(inside[0]) - margin, 0), min(int(inside[-1]) + 1 + margin, profile.size)))
    return box[0], box[1], box[2]


def grown(mask: Mask, by_mm: float, spacing_mm: float) -> Mask:
    """Return `mask` enlarged by `by_mm` on all sides."""
    return _grown(mask, by_mm, _cubic(spacing_mm))


def axially_grown(mask: Mask, by_mm: float, spacing_mm: float) -> Mask:
    """Return `mask` enlarged by `by_mm` within axial slices."""
    return _grown(mask, by_mm, _axial(spacing_mm))


def shrunk(mask: Mask, by_mm: float, spacing_mm: float) -> Mask:
    """Return `mask` without what lies within `by_mm` of its outside."""
    out = np.zeros(mask.shape, bool)
    where = box_around(mask, 1)
    if where is not None:
        inner = np.ascontiguousarray(mask[where])
        out[where] = inner if inner.all() else distance_mm(inner, spacing_mm) > by_mm + 1e-3
    return out


def axial_depth_mm(mask: Mask, spacing_mm: float) -> Field:
    """Return each voxel's distance to the outside of `mask` in its axial slice; beyond the scan is outside."""
    out = np.zeros(mask.shape, np.float32)
    where = box_around(mask, 0)
    if where is not None:
        padded = np.pad(mask[where], ((0, 0), (1, 1), (1, 1)))
        out[where] = _distance_mm(padded, _axial(spacing_mm))[:, 1:-1, 1:-1]
    return out


def _cubic(spacing_mm: float) -> _Spacing:
    return spacing_mm, spacing_mm, spacing_mm


def _axial(spacing_mm: float) -> _Spacing:
    """Slices so far apart that the nearest voxel is never in another one."""
    return 1e4, spacing_mm, spacing_mm


def _distance_mm(mask: Mask, spacing_zyx_mm: _Spacing) -> Field:
    # As numbers, not as truth values: for these edt hands each line of voxels to its threads singly, and waits for them
    # longer than it reckons.
    numbers = mask.view(np.uint8)
    distance = edt.edt(numbers, anisotropy=spacing_zyx_mm, black_border=False, parallel=threads())
    return np.asarray(distance, dtype=np.float32)


def _grown(mask: Mask, by_mm: float, spacing_zyx_mm: _Spacing) -> Mask:
    out = np.zeros(mask.shape, bool)
    # What lies farther out is not reached: distances are asked only where they can matter, as in `shrunk`.
    where = box_around(mask, int(by_mm / spacing_zyx_mm[2]) + 1)
    if where is not None:
        out[where] = _distance_mm(~mask[where], spacing_zyx_mm) <= by_mm + 1e-3
    return out


def opened(mask: Mask, radius_mm: float, spacing_mm: float) -> Mask:
    """Return the part of `mask` that a ball of `radius_mm` inside it reaches."""
    return np.asarray(grown(shrunk(mask, radius_mm, spacing_mm), radius_mm, spacing_mm) & mask)


def closed(mask: Mask, radius_mm: float, spacing_mm: float) -> Mask:
    """Return `mask` with the gaps filled that a ball of `radius_mm` outside it does not reach."""
    margin = int(np.ceil(radius_mm / spacing_mm)) + 1
    padded = np.pad(mask, margin)
    inner = (slice(margin, -margin),) * 3
    return np.asarray(shrunk(grown(padded, radius_mm, spacing_mm), radius_mm, spacing_mm)[inner] | mask)


def parts(mask: Mask) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the face-connected parts of `mask` as labels and their voxel counts, `counts[0]` being 0."""
    labels, number = cc3d.connected_components(mask, connectivity=6, return_N=True)
    counts = np.bincount(labels.ravel(), minlength=number + 1)
    counts[0] = 0
    return labels, counts


def largest(mask: Mask) -> Mask:
    """Return the largest face-connected part of `mask`."""
    labels, counts = parts(mask)
    return np.asarray(labels == counts.argmax()) & mask


def touching(mask: Mask, seed: Mask) -> Mask:
    """Return the parts of `mask` that hold a voxel of `seed`."""
    labels, counts = parts(mask)
    keep = np.zeros(len(counts), bool)
    keep[np.unique(labels[seed & mask])] = True
    keep[0] = False
    return np.asarray(keep[labels])


def axial_parts(mask: Mask) -> tuple[npt.NDArray[Any], int]:
    """Return the parts of `mask` that are connected within axial slices, and their number."""
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = ndimage.generate_binary_structure(2, 1)
    labels, number = ndimage.label(mask, structure)
    return labels, int(number)


def axially_filled(mask: Mask) -> Mask:
    """Return `mask` with the holes of each axial slice filled."""
    labels, number = axial_parts(~mask)
    outer = np.zeros(number + 1, bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        outer[np.unique(edge)] = True
    outer[0] = False
    return np.asarray(~outer[labels])


def smoothed(values: npt.NDArray[Any], sigma_mm: float, spacing_mm: float) -> Field:
    """Return `values` after a Gaussian of `sigma_mm`."""
    return np.asarray(ndimage.gaussian_filter(values.astype(np.float32), sigma_mm / spacing_mm, truncate=3.0))


def axial_hull(mask: Mask) -> Mask:
    """Return the convex hull of each axial slice; what is smaller than six voxels there has none."""
    out = np.zeros(mask.shape, bool)
    for k in np.flatnonzero(mask.sum((1, 2)) >= 6):
        try:
            ends = _row_ends(mask[k])
            corners = ends[ConvexHull(ends).vertices]
        except QhullError:
            continue
        picture = Image.new("1", mask.shape[:0:-1])
        ImageDraw.Draw(picture).polygon([(int(x), int(y)) for y, x in corners], fill=1, outline=1)
        out[k] = np.asarray(picture)
    return out


def _row_ends(plane: Mask) -> npt.NDArray[np.int64]:
    """Return the first and last voxel `(n, 2)` of each row; no other can be a corner of the hull."""
    rows = np.flatnonzero(plane.any(axis=1))
    first = plane[rows].argmax(axis=1)
    last = plane.shape[1] - 1 - plane[rows, ::-1].argmax(axis=1)
    return np.stack([np.tile(rows, 2), np.concatenate([first, last])], axis=1)
