"""An image as its header describes it, and the reading of its voxels as one stream.

NIfTI, NRRD and MetaImage differ only in their headers: behind each lies one block of numbers, i fastest, plain or
deflated. SimpleITK fills a truncated or damaged block with zeros or stale memory without an error and needs a second
array, so the block is read here. Not for DICOM.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

from ..progress import Progress, Work
from .filling import Filling
from .grid import Grid
from .refusal import brief, refused, size_of_regular_file, unreadable

_SLAB_BYTES = 8 * 2**20
# Deflate cannot pack more than about 1032 : 1; a scan with noise packs 2 to 5 : 1, an empty one up to the limit.
_DENSEST_PACKING = 700
_SMALL_BYTES = 64 * 2**20
# Some writers pad the end of a file to a block; more than this contradicts the header.
_LONGEST_TAIL_BYTES = 4096


class Packing(str, Enum):
    """How the block of voxels is packed; DEFLATE is a zlib or gzip stream without further files behind it."""

    RAW = "raw"
    GZIP = "gzip"
    DEFLATE = "deflate"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What a header says: grid, number type, HU = slope × stored + intercept, and where the block of voxels begins.

    The block lies in `data_path`, `start` bytes into the file and then `skip` bytes into the unpacked stream.
    """

    path: Path
    kind: str
    grid: Grid
    dtype: np.dtype[Any]
    data_path: Path
    packing: Packing
    start: int
    skip: int = 0
    slope: float = 1.0
    intercept: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Size of the unpacked block of voxels."""
        return self.grid.size * self.dtype.itemsize


class _Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...

    def readinto(self, buffer: memoryview, /) -> int | None: ...


def check_size(image: StoredImage) -> None:
    """Check that the file can hold what its header claims; InputRefused if not. Reads nothing."""
    held = size_of_regular_file(image.data_path) - image.start
    needed = image.n_bytes + image.skip
    if image.packing is Packing.RAW:
        if held < needed:
            raise refused(image.data_path, f"is truncated: {_mb(held)} of the {_mb(needed)} that its header claims")
        if held > needed + _LONGEST_TAIL_BYTES:
            raise refused(
                image.data_path, f"holds {_mb(held)}, its header claims only {_mb(needed)}: the header is damaged"
            )
    elif held <= 0:
        raise refused(image.data_path, "is truncated: there are no voxels behind its header")
    elif needed > _SMALL_BYTES and needed > held * _DENSEST_PACKING:
        size = " × ".join(str(n) for n in image.grid.shape_kji[::-1])
        raise refused(
            image.data_path, f"claims {size} voxels ({_mb(needed)}) in {_mb(held)}, which no scan packs into so little"
        )


def read_hu(image: StoredImage) -> Work[Filling]:
    """Read the voxels in slabs; InputRefused if the file is truncated, damaged or holds NaN."""
    filling = Filling(image.path, image.grid.shape_kji)
    with closing(read_slabs(image)) as slabs:
        done = 0
        for slab in slabs:
            filling.put(slab, image.slope, image.intercept)
            done += len(slab)
            yield Progress(done / image.grid.shape_kji[0], "reading the scan")
    return filling


def read_slabs(image: StoredImage) -> Generator[npt.NDArray[Any], None, None]:
    """Yield the stored values in slabs `(n, j, i)`, k ascending; checks the end of the stream behind the last."""
    n_k, n_j, n_i = image.grid.shape_kji
    thick = max(1, _SLAB_BYTES // (n_j * n_i * image.dtype.itemsize))
    with _stream(image) as source:
        for k in range(0, n_k, thick):
            slab = np.empty((min(thick, n_k - k), n_j, n_i), dtype=image.dtype)
            _fill(source, slab, image)
            yield slab
        _check_end(source, image)


def head_of(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, unpacked if the file is gzipped; InputRefused if it cannot be."""
    size_of_regular_file(path)
    with _refusing(path), path.open("rb") as file:
        head = file.read(size)
        if not is_gzip(head):
            return head
        file.seek(0)
        with gzip.GzipFile(fileobj=file) as unpacked:
            return unpacked.read(size)
    raise AssertionError("unreachable")


def is_gzip(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is gzipped (RFC 1952)."""
    return head[:2] == b"\x1f\x8b"


@contextmanager
def _stream(image: StoredImage) -> Iterator[_Source]:
    with _refusing(image.data_path), image.data_path.open("rb") as file:
        file.seek(image.start)
        source: _Source = file
        if image.packing is Packing.GZIP:
            source = gzip.GzipFile(fileobj=file)
        elif image.packing is Packing.DEFLATE:
            source = io.BufferedReader(_Inflated(file), 2**20)
        left = image.skip
        while left:
            skipped = len(source.read(min(left, 2**20)))
            if not skipped:
                raise EOFError
            left -= skipped
        yield source


def _fill(source: _Source, slab: npt.NDArray[Any], image: StoredImage) -> None:
    view = slab.reshape(-1).view(np.uint8).data
    while view.nbytes:
        read = source.readinto(view)
        if not read:
            raise refused(image.data_path, f"is truncated: it ends before the {_mb(image.n_bytes)} its header claims")
        view = view[read:]


def _check_end(source: _Source, image: StoredImage) -> None:
    """Read on to the end, where gzip and zlib keep their check sums, but not through an endless tail."""
    if image.packing is Packing.RAW:
        return
    tail = 0
    while chunk := source.read(_LONGEST_TAIL_BYTES + 1):
        tail += len(chunk)
        if tail > _LONGEST_TAIL_BYTES:
            raise refused(image.data_path, "holds more voxels than its header claims: the header is damaged")


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise refused(path, "is truncated: the compressed data end too early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise refused(path, f"the compressed data are damaged ({error})") from error
    except OSError as error:
        raise unreadable(path, error) from error


class _Inflated(io.RawIOBase):
    """The unpacked bytes of a zlib or gzip stream; raises EOFError if it stops before its check sum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(wbits=47)  # 32 + 15: zlib or gzip, as the head says

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(2**18)
            if not packed:
                raise EOFError
            plain = self._inflate.decompress(packed, view.nbytes)
            if plain:
                view[: len(plain)] = plain
                return len(plain)
        return 0


def _mb(n_bytes: int) -> str:
    if n_bytes < 1e6:
        return f"{max(n_bytes, 0) / 1e3:.1f} kB"
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e10 else f"{n_bytes / 1e9:.0f} GB"


def within_folder(header: Path, name: str) -> Path:
    """Return the path of the detached data file that a header names; InputRefused if it lies outside its folder.

    A header from elsewhere must not make us read files that its sender could not see.
    """
    folder = header.parent
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise refused(header, f"names the data file {brief(name)!r}, which cannot be read") from error
    if not inside:
        raise refused(header, f"names the data file {brief(name)!r}, which lies outside the header's own folder")
    return folder / name
