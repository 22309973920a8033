"""Judges whether what a file holds can be a chest CT: its geometry, its need of memory, its scale of values.

Part of a body, an unusual field, odd extremes and noise are accepted; whatever puts millimetres or Hounsfield units in
doubt is refused, because every later number depends on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from .grid import Grid
from .refusal import refused
from .volume import HuArray

# Micro-CT begins below 0.1 mm; the thickest chest CT slices in use are 10 mm.
_SPACING_MM = (0.1, 12.0)
# The trachea and a lung apex would fit 50 mm; the longest table travel is about 2 m.
_FIELD_MM = (50.0, 2500.0)
_FEWEST_VOXELS = 8
_FARTHEST_ORIGIN_MM = 1e5
# Gantries tilt up to 30°; cos 60° = 0.5 between axes that should stand upright.
_MOST_SKEWED = 0.51
_SAMPLE_VOXELS = 1_000_000
# Lung is −850; a scan that ends above −500 with many voxels at its end has been clipped to a window.
_HIGHEST_CUT = -500.0


def grid_of(path: Path, shape_kji: tuple[int, ...], affine: npt.ArrayLike) -> Grid:
    """Return the grid that a header describes; InputRefused if it is none. `check_place` judges its size."""
    if len(shape_kji) != 3 or min(shape_kji) < 1:
        raise refused(path, f"claims the size {' × '.join(map(str, shape_kji[::-1]))}, expected three positive numbers")
    matrix = np.asarray(affine, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise refused(path, "its position in the patient holds values that are no numbers")
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    if spacing.min() <= 0:
        raise refused(path, f"has a voxel spacing of zero ({_mm(spacing)} mm)")
    try:
        return Grid((shape_kji[0], shape_kji[1], shape_kji[2]), matrix)
    except ValueError as error:
        raise refused(path, "its axes are singular: two of them point the same way") from error


def check_place(path: Path, grid: Grid) -> None:
    """Check that a chest CT may have this spacing, field and place; InputRefused says what is implausible."""
    spacing = np.array(grid.spacing_mm)
    _check_spacing(path, spacing)
    _check_field(path, grid)
    axes = grid.affine[:3, :3] / spacing
    if max(abs(float(axes[:, a] @ axes[:, b])) for a, b in ((0, 1), (0, 2), (1, 2))) > _MOST_SKEWED:
        raise refused(path, "its axes are skewed by more than a tilted gantry can do")


def _check_spacing(path: Path, spacing: npt.NDArray[np.float64]) -> None:
    low, high = _SPACING_MM
    if low <= spacing.min() and spacing.max() <= high:
        return
    for unit, factor in (("centimetres", 10.0), ("metres", 1e3), ("micrometres", 1e-3)):
        if low <= (spacing * factor).min() and (spacing * factor).max() <= high:
            hint = f"looks like {unit}; write it again in millimetres"
            break
    else:
        hint = f"expected {low:g} to {high:g} mm"
    raise refused(path, f"has an implausible voxel spacing of {_mm(spacing)} mm: {hint}")


def _check_field(path: Path, grid: Grid) -> None:
    size = grid.shape_kji[::-1]
    if min(size) < _FEWEST_VOXELS:
        raise refused(path, f"has only {' × '.join(map(str, size))} voxels, expected at least {_FEWEST_VOXELS} slices")
    field = np.array(size) * grid.spacing_mm
    low, high = _FIELD_MM
    if field.min() < low or field.max() > high:
        side = "small" if field.min() < low else "large"
        raise refused(
            path, f"its field of {_mm(field, 0)} mm is too {side} for a chest CT, expected {low:g} to {high:g} mm"
        )
    if np.abs(grid.affine[:3, 3]).max() > _FARTHEST_ORIGIN_MM:
        raise refused(path, "lies more than 100 m from the origin of its coordinates: its position is damaged")


def check_memory(path: Path, grid: Grid, bytes_per_voxel: int) -> None:
    """Check before anything is allocated that the volume fits the free memory; InputRefused if not."""
    needed = grid.size * bytes_per_voxel + 64 * 2**20
    free = psutil.virtual_memory().available
    if needed > free:
        size = " × ".join(str(n) for n in grid.shape_kji[::-1])
        raise refused(
            path, f"claims {size} voxels and needs {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"
        )


def check_number_type(path: Path, dtype: np.dtype[Any]) -> None:
    """Check that what is stored are numbers, one for each voxel; InputRefused names what they are instead."""
    if dtype.kind == "c":
        raise refused(path, "holds complex numbers, not a CT in Hounsfield units")
    if dtype.kind not in "iuf":
        raise refused(path, "holds colours or vectors, not a CT in Hounsfield units")
    if dtype.itemsize > 8:
        raise refused(path, f"holds {dtype.itemsize * 8}-bit numbers, which are not supported")


def check_depth(path: Path, dtype: np.dtype[Any]) -> None:
    """Check that stored numbers of this type can hold Hounsfield units; InputRefused if they are too small."""
    if dtype.kind in "iu" and dtype.itemsize == 1:
        raise refused(path, "holds 8-bit values (a picture, a windowed copy or a label map), not Hounsfield units")


def check_hounsfield(path: Path, hu: HuArray, low: float, high: float) -> float | None:
    """Check that values from `low` to `high` are Hounsfield units; return the value of padding, or None.

    On that scale air is −1000, fat −100, soft tissue 20 to 80, so that any part of a body has values near and below 0.
    """
    span = f"its values run from {low:g} to {high:g}"
    if low == high:
        raise refused(path, f"is constant: every voxel is {low:g}")
    if high - low <= 2.5:
        raise refused(path, f"{span}: normalised, not Hounsfield units; give the original scan")
    if low >= 0 and high <= 255:
        raise refused(path, f"{span}: an 8-bit picture or a label map, not Hounsfield units")
    if high - low <= 300:
        raise refused(
            path, f"{span}: too narrow for Hounsfield units, which run from −1000 (air) to beyond +300 (bone)"
        )
    sample = _sample(hu)
    _check_offset(path, sample, span)
    outside = _padding(sample, low)
    scanned = sample if outside is None else sample[sample != outside]
    if _share(scanned, -1100, -50) < 0.001:
        raise refused(path, f"{span} and none stands for air or fat (−1000, −100 HU): not CT; MR or another modality?")
    if _share(scanned, -150, 150) < 0.01:
        raise refused(path, f"{span} and almost none is soft tissue (near 0 HU): not in Hounsfield units")
    if low > _HIGHEST_CUT and _share(sample, low, low) > 0.05:
        raise refused(path, f"{span} and are cut off at the lower end: a windowed copy; give the original scan")
    return outside


def _check_offset(path: Path, sample: npt.NDArray[Any], span: str) -> None:
    """Refuse stored values whose intercept was never applied: soft tissue in a peak near 1024, no lung below 0."""
    scanned = sample[sample > sample.min()]  # padding may have been left as it was
    peak = _share(scanned, 850, 1174)
    if peak > 0.05 and peak > 2 * _share(scanned, 350, 750) and _share(scanned, -1100, -300) < 0.02:
        raise refused(
            path,
            f"soft tissue lies near +1024 instead of 0 ({span}): stored values without their rescale intercept "
            "(offset by about +1024); convert the scan again from DICOM",
        )


def _padding(sample: npt.NDArray[Any], low: float) -> float | None:
    """Scanners fill the corners outside the round field with one value well below air (−2000, −2048, −3024)."""
    return low if low < -1200 and float((sample == low).mean()) >= 0.001 else None


def _sample(hu: HuArray) -> npt.NDArray[Any]:
    step = max(1, round((hu.size / _SAMPLE_VOXELS) ** (1 / 3)))
    return hu[::step, ::step, ::step].reshape(-1)


def _share(values: npt.NDArray[Any], low: float, high: float) -> float:
    return float(((values >= low) & (values <= high)).mean()) if values.size else 0.0


def _mm(values: npt.NDArray[np.float64], digits: int = 5) -> str:
    return " × ".join(f"{round(float(v), digits):g}" for v in values)
