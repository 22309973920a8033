"""Reads the header of a MetaImage file (`.mha`, `.mhd`), ITK's own format; the voxels follow in `stored`.

MetaImage states positions in ITK's axes, LPS. The format: https://docs.itk.org/en/latest/learn/metaio.html.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .checks import check_number_type, grid_of
from .header_lines import numbers, text_head, whole_numbers
from .lps import swap_lps_ras
from .refusal import brief, refused, size_of_regular_file
from .stored import Packing, StoredImage, within_folder

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def read_metaimage_header(path: Path) -> StoredImage:
    """Return what the header of `path` says; InputRefused if it is no usable MetaImage of CT values."""
    size_of_regular_file(path)
    fields, end = _parse(path)
    if _whole(path, fields, "NDims") != 3:
        raise refused(path, f"is not one 3D image: it has {brief(fields['NDims'])} dimensions")
    if fields.get("ElementNumberOfChannels", "1") != "1":
        raise refused(path, "holds colours or vectors, not a CT in Hounsfield units")
    size = whole_numbers(path, "DimSize", fields.get("DimSize", ""), 3)
    dtype = _number_type(path, fields)
    check_number_type(path, dtype)
    _check_plain(path, fields)
    grid = grid_of(path, size[::-1], _affine(path, fields))
    packed = _flag(fields, "CompressedData")
    data_path, start = _place(path, fields, end, 0 if packed else grid.size * dtype.itemsize)
    return StoredImage(
        path=path,
        kind="metaimage",
        grid=grid,
        dtype=dtype,
        data_path=data_path,
        packing=Packing.DEFLATE if packed else Packing.RAW,
        start=start,
    )


def _parse(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and the byte behind the header, whose last line is always ElementDataFile."""
    head = text_head(path)
    fields: dict[str, str] = {}
    at = 0
    while (line_end := head.find(b"\n", at)) >= 0 or at < len(head):
        stop = line_end if line_end >= 0 else len(head)
        name, equals, value = head[at:stop].decode("utf-8", "replace").partition("=")
        at = stop + 1
        if not equals:
            raise refused(path, "is not a MetaImage file (its header is damaged or missing)")
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":
            return fields, min(at, len(head))
        if len(fields) > 1000:
            break
    raise refused(path, "is not a MetaImage file, or is truncated: its header has no ElementDataFile")


def _number_type(path: Path, fields: dict[str, str]) -> np.dtype[Any]:
    name = fields.get("ElementType", "")
    if name.endswith("_ARRAY"):
        raise refused(path, "holds colours or vectors, not a CT in Hounsfield units")
    if name not in _TYPES:
        raise refused(path, f"has the MetaImage type {brief(name)!r}, which is not supported")
    big = _flag(fields, "BinaryDataByteOrderMSB") or _flag(fields, "ElementByteOrderMSB")
    dtype: np.dtype[Any] = np.dtype(_TYPES[name]).newbyteorder(">" if big else "<")
    return dtype


def _check_plain(path: Path, fields: dict[str, str]) -> None:
    if not _flag(fields, "BinaryData", default=True):
        raise refused(path, "holds its voxels as text (BinaryData = False); write it again as binary")
    for name, neutral in (("ElementToIntensityFunctionSlope", 1.0), ("ElementToIntensityFunctionOffset", 0.0)):
        if name in fields and numbers(path, name, fields[name], 1)[0] != neutral:
            raise refused(path, f"scales its values by {name}, which is not supported")


def _affine(path: Path, fields: dict[str, str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    def first(*names: str) -> tuple[str, str]:
        for name in names:
            if name in fields:
                return name, fields[name]
        raise refused(path, f"does not say how it lies in the patient (no {names[0]})")

    spacing_name, spacing = first("ElementSpacing", "ElementSize")
    directions_name, directions = first("TransformMatrix", "Rotation", "Orientation")
    origin_name, origin = first("Offset", "Position", "Origin")
    affine = np.eye(4)
    # Three numbers after three: the direction of i, then of j, then of k.
    affine[:3, :3] = np.array(numbers(path, directions_name, directions, 9)).reshape(3, 3).T
    _check_unit(path, affine[:3, :3])
    affine[:3, :3] *= numbers(path, spacing_name, spacing, 3)
    affine[:3, 3] = numbers(path, origin_name, origin, 3)
    return swap_lps_ras(affine)


def _check_unit(path: Path, directions: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    if np.abs(np.linalg.norm(directions, axis=0) - 1).max() > 0.01:
        raise refused(path, "its TransformMatrix is singular or scaled: its directions do not have the length 1")


def _place(path: Path, fields: dict[str, str], end: int, n_bytes: int) -> tuple[Path, int]:
    """Return the data file and the byte where its voxels begin; HeaderSize −1 means that they end the file."""
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        data_path, start = path, end
    elif name.upper().startswith("LIST") or "%" in name:
        raise refused(path, "spreads its voxels over several data files; write it again as one .mha file")
    else:
        data_path, start = within_folder(path, name), 0
    skip = _whole(path, fields, "HeaderSize", "0")
    if skip == -1 and n_bytes:
        return data_path, max(start, size_of_regular_file(data_path) - n_bytes)
    if not 0 <= skip <= 2**30:
        raise refused(path, f"its header is damaged: HeaderSize is {skip}")
    packed = _whole(path, fields, "CompressedDataSize", "0")
    if not n_bytes and packed > size_of_regular_file(data_path) - start - skip:
        raise refused(data_path, f"is truncated: {packed} compressed bytes are claimed, fewer are there")
    return data_path, start + skip


def _whole(path: Path, fields: dict[str, str], name: str, default: str = "") -> int:
    return whole_numbers(path, name, fields.get(name, default), 1)[0]


def _flag(fields: dict[str, str], name: str, *, default: bool = False) -> bool:
    return fields[name].lower() in ("true", "1") if name in fields else default
