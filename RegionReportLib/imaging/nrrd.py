"""Reads the header of an NRRD file (`.nrrd`, `.nhdr`); the voxels follow in `stored`.

The format: https://teem.sourceforge.net/nrrd/format.html. Of its encodings raw and gzip are read, the two that 3D
Slicer and ITK write. A header without a patient space is refused: it does not tell left from right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .checks import check_number_type, grid_of
from .header_lines import numbers, text_head, whole_numbers
from .lps import swap_lps_ras
from .refusal import brief, refused, size_of_regular_file
from .stored import Packing, StoredImage, within_folder

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_TYPE_OF_NAME = {name: code for code, names in _TYPES.items() for name in names}
_ENCODINGS = {"raw": Packing.RAW, "gzip": Packing.GZIP, "gz": Packing.GZIP}
_LPS = ("left-posterior-superior", "lps")
_RAS = ("right-anterior-superior", "ras")
_LAS = ("left-anterior-superior", "las")


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """The `fields` of an NRRD header by lower-case name, its `keys` (`key:=value`), and the byte behind the header."""

    fields: dict[str, str]
    keys: dict[str, str]
    end: int


def read_nrrd_header(path: Path) -> StoredImage:
    """Return what the header of `path` says; InputRefused if it is no usable NRRD image of CT values."""
    header = parse_nrrd(path)
    check_number_type(path, number_type(path, header))
    return stored_nrrd(path, header)


def parse_nrrd(path: Path) -> NrrdHeader:
    """Return the lines of an NRRD header; InputRefused if it is none or has no end."""
    size_of_regular_file(path)
    head = text_head(path)
    if not re.match(rb"NRRD000[1-5]\r?\n", head):
        raise refused(path, "is not an NRRD file (wrong magic number)")
    end = re.search(rb"\n\r?\n", head)
    if end is None and path.suffix.lower() != ".nhdr":
        raise refused(path, "is truncated or damaged: its NRRD header has no end")
    text = head[: end.start() if end else None].decode("utf-8", "replace")
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        if line.startswith("#"):
            continue
        match = re.match(r"([^:]+):(=| )(.*)", line)
        if match is None:
            raise refused(path, f"its NRRD header is damaged: {brief(line)!r} is no field")
        name, mark, value = match.groups()
        (keys if mark == "=" else fields)[name if mark == "=" else name.strip().lower()] = value.strip()
    return NrrdHeader(fields, keys, end.end() if end else len(head))


def stored_nrrd(path: Path, header: NrrdHeader) -> StoredImage:
    """Return the grid and the place of the voxels; InputRefused if the header leaves either in doubt."""
    fields = header.fields
    sizes, directions = _axes(path, fields)
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions).T
    if "space origin" not in fields:
        raise refused(path, "does not say where it lies in the patient (no 'space origin')")
    affine[:3, 3] = numbers(path, "space origin", fields["space origin"], 3)
    encoding = fields.get("encoding", "").lower()
    if encoding not in _ENCODINGS:
        raise refused(path, f"has the NRRD encoding {brief(encoding)!r}; write it again as raw or gzip")
    data_path, start, skip = _place(path, header, _ENCODINGS[encoding])
    return StoredImage(
        path=path,
        kind="nrrd",
        grid=grid_of(path, (sizes[2], sizes[1], sizes[0]), _in_ras(path, fields, affine)),
        dtype=number_type(path, header),
        data_path=data_path,
        packing=_ENCODINGS[encoding],
        start=start,
        skip=skip,
    )


def number_type(path: Path, header: NrrdHeader) -> np.dtype[Any]:
    """Return the type of the stored numbers with its byte order."""
    name = header.fields.get("type", "").lower()
    if name not in _TYPE_OF_NAME:
        raise refused(path, f"has the NRRD type {brief(name)!r}, which is not supported")
    dtype = np.dtype(_TYPE_OF_NAME[name])
    if dtype.itemsize == 1:
        return dtype
    order = header.fields.get("endian", "").lower()
    if order not in ("little", "big"):
        raise refused(path, "does not state its byte order (no 'endian' in the NRRD header)")
    ordered: np.dtype[Any] = dtype.newbyteorder("<" if order == "little" else ">")
    return ordered


def _axes(path: Path, fields: dict[str, str]) -> tuple[list[int], list[tuple[float, ...]]]:
    """Return sizes and directions of the three axes of space; axes of length 1 outside space are dropped."""
    n_axes = whole_numbers(path, "dimension", fields.get("dimension", ""), 1)[0]
    if not 1 <= n_axes <= 16:
        raise refused(path, f"its NRRD header is damaged: it claims {n_axes} dimensions")
    sizes = whole_numbers(path, "sizes", fields.get("sizes", ""), n_axes)
    words = re.findall(r"none|\([^)]*\)", fields.get("space directions", ""))
    if n_axes < 3:
        raise refused(path, f"is not one 3D image: its size is {' × '.join(map(str, sizes))}")
    if not words:
        raise refused(path, "does not say how it lies in the patient (no 'space directions')")
    if len(words) != n_axes:
        raise refused(path, f"its NRRD header is damaged: {len(words)} space directions for {n_axes} axes")
    kept = [a for a in range(n_axes) if not (words[a] == "none" and sizes[a] == 1)]
    if len(kept) != 3 or any(words[a] == "none" for a in kept):
        raise refused(path, f"is not one 3D image of single values: its size is {' × '.join(map(str, sizes))}")
    return [sizes[a] for a in kept], [numbers(path, "space directions", words[a], 3) for a in kept]


def _in_ras(path: Path, fields: dict[str, str], affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    units = re.findall(r'"([^"]*)"', fields.get("space units", ""))
    if any(unit.strip().lower() not in ("mm", "") for unit in units):
        raise refused(path, f"gives its position in {brief(units[0])!r}, expected mm")
    space = fields.get("space", "").lower()
    if space in _LPS:
        return swap_lps_ras(affine)
    if space in _RAS:
        return affine
    if space in _LAS:
        return np.asarray(np.diag((-1.0, 1.0, 1.0, 1.0)) @ affine)
    raise refused(
        path,
        f"does not say how it lies in the patient (its NRRD space is {brief(space)!r}, expected for example "
        "'left-posterior-superior')",
    )


def _place(path: Path, header: NrrdHeader, packing: Packing) -> tuple[Path, int, int]:
    """Return the data file, the bytes before the block and the bytes to skip behind unpacking."""
    fields = header.fields
    name = fields.get("data file", fields.get("datafile"))
    if name is None and path.suffix.lower() == ".nhdr":
        raise refused(path, "is a header that names no data file")
    if name is not None and (name.upper().startswith("LIST") or "%" in name):
        raise refused(path, "spreads its voxels over several data files; write it again as one .nrrd file")
    data_path, start = (path, header.end) if name is None else (within_folder(path, name), 0)
    if fields.get("line skip", fields.get("lineskip", "0")) != "0":
        raise refused(path, "uses the NRRD field 'line skip', which is not supported")
    (skip,) = whole_numbers(path, "byte skip", fields.get("byte skip", fields.get("byteskip", "0")), 1)
    if not 0 <= skip <= 2**30:
        raise refused(path, f"its NRRD header is damaged: it skips {skip} bytes before the voxels")
    return (data_path, start + skip, 0) if packing is Packing.RAW else (data_path, start, skip)
