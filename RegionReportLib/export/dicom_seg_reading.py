"""A DICOM Segmentation read as region masks: ours by its ids, any other by its codes and then by its names.

Frames are put where their positions say, whatever their order; segments that the anatomy table does not know are
left out with a warning in the log.
"""

from __future__ import annotations

import logging
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.utils import unpack_bits

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..errors import InputRefused
from ..imaging.checks import check_memory
from ..imaging.grid import Grid
from ..imaging.lps import swap_lps_ras
from ..imaging.masks import BoolArray, RegionMasks
from ..imaging.refusal import brief, refused
from . import dicom_codes as c
from .dicom_file import read_dataset
from .dicom_seg import SEG_STORAGE
from .dicom_series import MANUFACTURER

_log = logging.getLogger(__name__)
_OFF_VOXELS = 0.05
_STRUCTURE_OF_REGION = {"bones": "bone"}


def read_seg(path: Path, grid: Grid) -> RegionMasks:
    """Read a SEG onto the grid of its scan; where segments overlap the later one counts.

    Coverage is not stated in a SEG: a region it holds counts as partly covered, with a note that says so.
    InputRefused if it is no SEG, knows no segment of ours, or does not lie on the voxels of `grid`.
    """
    seg = read_dataset(path)
    if str(seg.get("SOPClassUID", "")) != SEG_STORAGE:
        raise refused(path, "is no DICOM Segmentation")
    check_memory(path, grid, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's, about values that are checked here anyway
            structures, labels = _read(seg, grid)
            method = str(seg.SegmentSequence[0].get("SegmentAlgorithmName") or f"file {path.name}")
    except InputRefused as cause:
        raise refused(path, str(cause)) from cause
    except Exception as cause:  # pydicom reads values late and raises whatever it meets
        raise refused(path, f"is damaged or of a kind that cannot be read: {cause!s:.200}") from cause
    coverage = dict.fromkeys(anatomy.REGION_IDS, anatomy.Coverage.ABSENT)
    notes = {}
    for name in structures:
        region_id = anatomy.structure(name).region_id
        coverage[region_id] = anatomy.Coverage.PARTIAL
        notes[region_id] = "a DICOM Segmentation does not state how much of the region the scan holds"
    return RegionMasks(labels, grid, structures, method, coverage, notes)


def _read(seg: Dataset, grid: Grid) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
    found = _structures(seg)
    if not found:
        raise InputRefused("holds no segment whose code or name is known")
    structures = tuple(dict.fromkeys(found.values()))
    return structures, _labels(seg, grid, {number: structures.index(name) + 1 for number, name in found.items()})


def _structures(seg: Dataset) -> dict[int, str]:
    """Return by segment number the structure that a segment stands for."""
    ours = str(seg.get("Manufacturer", "")) == MANUFACTURER
    found = {}
    for segment in seg.SegmentSequence:
        name = _structure_of(segment, ours)
        if name is None:
            _log.warning("segment %s is not known and left out", brief(str(segment.get("SegmentLabel", ""))))
            continue
        found[int(segment.SegmentNumber)] = name
    return found


def _structure_of(segment: Dataset, ours: bool) -> str | None:
    if ours and segment.get("TrackingID"):
        named = _named(str(segment.TrackingID))
        if named is not None:
            return named
    kind = segment.SegmentedPropertyTypeCodeSequence
    modifiers = kind[0].get("SegmentedPropertyTypeModifierCodeSequence")
    side = next((s for s, known in c.SIDES.items() if modifiers and c.same(known, c.code_of(modifiers))), None)
    code = c.code_of(kind)
    coded = _by_code().get((code.scheme, code.value, side), ())
    named = _named(str(segment.get("SegmentLabel", "")))
    # Several structures may share a code (all ribs, heart and heart with great vessels): then the name decides.
    return coded[0] if len(coded) == 1 else named


def _named(name: str) -> str | None:
    known = anatomy.structure_of_label(_STRUCTURE_OF_REGION.get(name, name))
    return known.id if known else None


@cache
def _by_code() -> dict[tuple[str, str, Side | None], tuple[str, ...]]:
    """The structures of each code and side; one that stands for its whole region gives way to a finer one."""
    found: dict[tuple[str, str, Side | None], list[str]] = {}
    for region in anatomy.regions():
        for part in sorted(region.structures, key=lambda s: s.id == s.region_id):
            names = found.setdefault((part.code.scheme, part.code.value, part.side), [])
            if part.id != part.region_id or not names:
                names.append(part.id)
    return {key: tuple(names) for key, names in found.items()}


def _labels(seg: Dataset, grid: Grid, values: dict[int, int]) -> npt.NDArray[np.uint8]:
    rows, columns, frames = int(seg.Rows), int(seg.Columns), int(seg.NumberOfFrames)
    groups = seg.PerFrameFunctionalGroupsSequence
    if frames != len(groups):
        raise InputRefused(f"claims {frames} frames and describes {len(groups)}")
    labels = np.zeros(grid.shape_kji, dtype=np.uint8)
    shared = seg.SharedFunctionalGroupsSequence[0]
    for n, frame in enumerate(groups):
        number = int(_macro(frame, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber)
        if number not in values:
            continue
        k, j, i = _start(frame, shared, grid, (rows, columns))
        block = labels[k, j : j + rows, i : i + columns]
        block[_frame(seg, n, rows, columns)] = values[number]
    return labels


def _frame(seg: Dataset, n: int, rows: int, columns: int) -> BoolArray:
    """Return one frame; frames of single bits follow each other without a gap, also within a byte (PS3.5 §8.1.1)."""
    size = rows * columns
    if int(seg.BitsAllocated) == 1:
        first = n * size // 8
        bits = unpack_bits(seg.PixelData[first : (n * size + size + 7) // 8])
        pixels = bits[n * size - first * 8 :][:size]
        return np.asarray(pixels.reshape(rows, columns) != 0)
    whole = seg.pixel_array.reshape(-1, rows, columns)
    return np.asarray(whole[n] >= max(1, int(seg.get("MaximumFractionalValue", 1)) / 2))


def _start(frame: Dataset, shared: Dataset, grid: Grid, size: tuple[int, int]) -> tuple[int, int, int]:
    """Return the voxel `(k, j, i)` of the first pixel of a frame, once its corners are seen to lie on voxels."""
    rows, columns = size
    position = np.array([float(v) for v in _macro(frame, shared, "PlanePositionSequence").ImagePositionPatient])
    axes = np.array(
        [float(v) for v in _macro(frame, shared, "PlaneOrientationSequence").ImageOrientationPatient]
    ).reshape(2, 3)
    row_mm, column_mm = (float(v) for v in _macro(frame, shared, "PixelMeasuresSequence").PixelSpacing)
    corners = np.array(
        [position, position + axes[0] * column_mm * (columns - 1), position + axes[1] * row_mm * (rows - 1)]
    )
    ijk = grid.to_ijk(corners @ swap_lps_ras(np.eye(4))[:3, :3].T)
    start = np.rint(ijk[0])
    wanted = start + np.array([(0, 0, 0), (columns - 1, 0, 0), (0, rows - 1, 0)])
    if np.abs(ijk - wanted).max() > max(_OFF_VOXELS, 1e-3 * max(size)):
        raise InputRefused("does not lie on the voxels of the scan; resample it onto the scan first")
    i, j, k = (int(v) for v in start)
    depth, height, width = grid.shape_kji
    if min(i, j, k) < 0 or k >= depth or j + rows > height or i + columns > width:
        raise InputRefused("reaches beyond the scan")
    return k, j, i


def _macro(frame: Dataset, shared: Dataset, name: str) -> Dataset:
    return (frame.get(name) or shared.get(name))[0]
