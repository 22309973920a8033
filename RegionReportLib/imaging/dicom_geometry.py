"""Sorts the slices of a DICOM series by place and derives their common grid; refuses what is not one even stack.

Source: DICOM PS3.3 C.7.6.2 (Image Plane). Slices are ordered along their normal, never by instance number. A stack
whose slices are shifted by a tilted gantry gets a sheared affine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .checks import grid_of
from .dicom_folder import DicomImage
from .grid import Grid
from .lps import swap_lps_ras
from .refusal import refused

_Array = npt.NDArray[np.float64]

_SAME_POSITION_MM = 0.01
# Positions are written with few decimals, so distances scatter a little even in a perfect stack.
_UNEVEN = 0.1
_SHIFTED_MM = 0.5
_TILTED_DEG = 0.1


def stacked(path: Path, images: Sequence[DicomImage]) -> tuple[list[DicomImage], Grid, tuple[str, ...]]:
    """Return the slices in order of k, their grid, and notes; InputRefused names what keeps them from being a stack."""
    _check_alike(path, images)
    orientation = np.array(_numbers(path, images[0], "ImageOrientationPatient", 6)).reshape(2, 3)
    if np.abs(orientation @ orientation.T - np.eye(2)).max() > 0.01:
        raise refused(path, "its ImageOrientationPatient is singular: rows and columns are not at right angles")
    normal = np.cross(orientation[0], orientation[1])
    positions = np.array([_numbers(path, image, "ImagePositionPatient", 3) for image in images])
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    _check_even(path, positions @ normal)
    row_mm, column_mm = _numbers(path, images[0], "PixelSpacing", 2)
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    line = positions[0] + np.arange(len(positions))[:, None] * step
    if np.abs(positions - line).max() > _SHIFTED_MM:
        raise refused(path, "its slices are shifted against each other: they do not form a straight stack")
    affine = np.eye(4)
    # PixelSpacing: first the distance of rows (along j), then of columns (along i).
    affine[:3, :3] = np.stack([orientation[0] * column_mm, orientation[1] * row_mm, step], axis=1)
    affine[:3, 3] = positions[0]
    grid = grid_of(path, (len(images), *images[0].shape), swap_lps_ras(affine))
    return [images[n] for n in order], grid, _tilt(step, normal)


def _check_alike(path: Path, images: Sequence[DicomImage]) -> None:
    _check_one(path, "sizes", [image.shape for image in images])
    for word, keyword, count in (("pixel spacings", "PixelSpacing", 2), ("orientations", "ImageOrientationPatient", 6)):
        # 1e-3: writers round these to four decimals and more, not always alike within a series.
        _check_one(path, word, [tuple(np.round(_numbers(path, i, keyword, count), 3) + 0.0) for i in images])


def _check_one(path: Path, word: str, values: list[tuple[float, ...]]) -> None:
    seen = Counter(values)
    if len(seen) > 1:
        counts = ", ".join(f"{n} of {' × '.join(f'{v:g}' for v in value)}" for value, n in seen.most_common(3))
        raise refused(path, f"mixes slices of different {word} in one series ({counts})")


def _check_even(path: Path, along: _Array) -> None:
    """Check the sorted positions along the normal for repeated, missing and unevenly spaced slices."""
    if len(along) < 2:
        raise refused(path, "the series has only 1 slice, which is no volume")
    gaps = np.diff(along)
    repeated = int((gaps < _SAME_POSITION_MM).sum())
    if repeated:
        raise refused(
            path,
            f"{repeated} of {len(along)} slices lie at the position of another: several phases or reconstructions in "
            "one series; export one of them alone",
        )
    step = float(np.median(gaps))
    folds = gaps / step
    whole = np.rint(folds)
    if (np.abs(folds - whole) > _UNEVEN).any() or (whole < 1).any():
        raise refused(path, f"the distances of its slices vary from {gaps.min():.2f} to {gaps.max():.2f} mm")
    missing = [
        float(along[n] + step * m) for n in np.flatnonzero(whole > 1) for m in range(1, min(int(whole[n]), 1000))
    ]
    if missing:
        places = ", ".join(f"{p:.1f}" for p in missing[:5]) + (", …" if len(missing) > 5 else "")
        raise refused(
            path,
            f"{int(whole.sum()) - len(gaps)} slices are missing, at {places} mm along the slice normal "
            f"({len(along)} slices {step:.2f} mm apart were found)",
        )


def _tilt(step: _Array, normal: _Array) -> tuple[str, ...]:
    tilt = math.degrees(math.acos(min(1.0, float(step @ normal) / float(np.linalg.norm(step)))))
    return (f"The gantry was tilted by {tilt:.1f}°; the grid is sheared accordingly.",) if tilt > _TILTED_DEG else ()


def _numbers(path: Path, image: DicomImage, keyword: str, count: int) -> tuple[float, ...]:
    words = image.words[keyword]
    if not words:
        raise refused(path, f"has no {keyword} in {image.path.name}: its place in the patient is unknown")
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(math.isfinite(v) for v in numbers):
        raise refused(path, f"has a damaged {keyword} in {image.path.name}")
    return numbers
