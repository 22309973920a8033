"""Reads the header of a NIfTI-1 or NIfTI-2 file, plain or gzipped, by nibabel's rules; the voxels follow in `stored`.

Not for header/image pairs (`.hdr` + `.img`) and ANALYZE, which cannot tell left from right.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from .checks import check_number_type, grid_of
from .refusal import refused
from .stored import Packing, StoredImage, head_of, is_gzip

_NIFTI1, _NIFTI2 = 348, 540
_LONGEST_EXTENSION = 256 * 2**20
_MILLIMETRE, _UNKNOWN_UNIT = 2, 0


def read_nifti_header(path: Path) -> StoredImage:
    """Return what the header of `path` says; InputRefused if it is no usable NIfTI file."""
    header = _header(path, head_of(path, _NIFTI2))
    shape = _shape(path, header)
    dtype = _number_type(path, header)
    affine, notes = _affine(path, header)
    grid = grid_of(path, shape, affine)
    # What is left is millimetres by its size, so another unit in the header can only be a slip.
    if int(header["xyzt_units"]) & 7 not in (_MILLIMETRE, _UNKNOWN_UNIT):
        notes += ("The NIfTI header names another unit than mm, but its spacing can only be mm.",)
    slope, intercept = _scaling(path, header)
    with path.open("rb") as file:
        packed = is_gzip(file.read(2))
    offset = _data_offset(path, header)
    return StoredImage(
        path=path,
        kind="nifti",
        grid=grid,
        dtype=dtype,
        data_path=path,
        packing=Packing.GZIP if packed else Packing.RAW,
        start=0 if packed else offset,
        skip=offset if packed else 0,
        slope=slope,
        intercept=intercept,
        notes=notes,
    )


def _header(path: Path, head: bytes) -> Any:
    for order in "<>":
        for size, kind, magic_at in ((_NIFTI1, nib.Nifti1Header, 344), (_NIFTI2, nib.Nifti2Header, 4)):
            if len(head) < 4 or struct.unpack(f"{order}i", head[:4])[0] != size:
                continue
            if len(head) < size:
                raise refused(path, "is truncated within its NIfTI header")
            magic = head[magic_at : magic_at + 3]
            if magic not in (b"n+1", b"n+2"):
                raise refused(path, "is an ANALYZE or two-file NIfTI header; give a single .nii or .nii.gz file")
            return kind(head[:size], endianness=order, check=False)
    raise refused(path, "is not a NIfTI file (wrong magic number)")


def _shape(path: Path, header: Any) -> tuple[int, int, int]:
    dim = [int(n) for n in header["dim"]]
    n_axes = dim[0]
    if not 1 <= n_axes <= 7:
        raise refused(path, f"its NIfTI header is damaged: it claims {n_axes} dimensions")
    sizes = dim[1 : n_axes + 1]
    if min(sizes) < 1:
        raise refused(path, f"its NIfTI header is damaged: it claims the size {' × '.join(map(str, sizes))}")
    if n_axes < 3 or any(n > 1 for n in sizes[3:]):
        raise refused(path, f"is not one 3D image: its size is {' × '.join(map(str, sizes))}")
    return sizes[2], sizes[1], sizes[0]


def _number_type(path: Path, header: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise refused(path, f"its NIfTI header is damaged: unknown data type {int(header['datatype'])}") from error
    check_number_type(path, dtype)
    if int(header["bitpix"]) not in (0, dtype.itemsize * 8):
        raise refused(path, f"its NIfTI header is damaged: {int(header['bitpix'])} bits per voxel for {dtype.name}")
    return dtype


def _affine(path: Path, header: Any) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Choose as nibabel does: the sform if it is set, else the qform; never the bare voxel size."""
    has_sform, has_qform = int(header["sform_code"]) > 0, int(header["qform_code"]) > 0
    if not has_sform and not has_qform:
        raise refused(
            path,
            "does not say how it lies in the patient (no sform, no qform), so right and left cannot be told; "
            "convert the scan again from DICOM",
        )
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
        other = np.asarray(header.get_qform(), dtype=np.float64) if has_sform and has_qform else affine
    except (ValueError, ArithmeticError, HeaderDataError, np.linalg.LinAlgError) as error:
        raise refused(path, f"its position in the patient is damaged ({error})") from error
    if not np.isfinite(other).all() or np.allclose(affine, other, atol=0.01):
        return affine, ()
    if (np.sum(affine[:3, :3] * other[:3, :3], axis=0) < 0).any():
        raise refused(path, "its sform and qform contradict each other about a direction of the patient")
    return affine, ("The sform and the qform of the NIfTI header differ; the sform was used.",)


def _scaling(path: Path, header: Any) -> tuple[float, float]:
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise refused(path, f"its NIfTI header is damaged ({error})") from error
    return (1.0, 0.0) if slope is None else (float(slope), float(intercept))


def _data_offset(path: Path, header: Any) -> int:
    smallest = 352 if int(header["sizeof_hdr"]) == _NIFTI1 else 544
    offset = float(header["vox_offset"])
    if offset == 0:
        return smallest
    if not smallest <= offset <= _LONGEST_EXTENSION or not offset.is_integer():
        raise refused(path, f"its NIfTI header is damaged: the voxels would begin at byte {offset:g}")
    return int(offset)
