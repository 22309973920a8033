"""Reads a CT volume from a file or a DICOM folder: the one entry, whatever the format.

Every cause for which an input cannot be used ends in one `InputRefused` line that names it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..progress import Progress, Work, finish, part
from .checks import check_depth, check_hounsfield, check_memory, check_place
from .dicom_folder import Series, is_dicom, scan_folder, series_in
from .dicom_series import read_series
from .metaimage import read_metaimage_header
from .nifti import read_nifti_header
from .nrrd import read_nrrd_header
from .refusal import refused, shown, size_of_regular_file, unreadable
from .stored import StoredImage, check_size, read_hu
from .volume import Provenance, Volume

_HEADERS: dict[str, Callable[[Path], StoredImage]] = {
    ".nii": read_nifti_header,
    ".nii.gz": read_nifti_header,
    ".nrrd": read_nrrd_header,
    ".nhdr": read_nrrd_header,
    ".mha": read_metaimage_header,
    ".mhd": read_metaimage_header,
}
ENDINGS = tuple(_HEADERS)
"""How the names of scan files end; what has none of these is DICOM or no scan."""


def list_series(path: Path | str) -> tuple[Series, ...]:
    """Return the image series of a DICOM folder, most slices first; localisers and screen captures are left out.

    Raises InputRefused if the folder cannot be read or holds no DICOM images.
    """
    return series_in(finish(scan_folder(Path(path))))


def read_volume(path: Path | str, *, series_uid: str | None = None) -> Work[Volume]:
    """Read a scan from a `.nii[.gz]`, `.nrrd`, `.nhdr`, `.mha`, `.mhd` or DICOM file, or from a DICOM folder.

    `series_uid` chooses among several series of a folder (see `list_series`). A single DICOM file stands for its
    series in its folder. Raises InputRefused for everything that is not a CT in Hounsfield units with a known place.
    """
    path = Path(path)
    if _is_folder(path):
        volume = yield from read_series(path, series_uid)
    else:
        size_of_regular_file(path)
        header = header_reader(path)
        if header is not None:
            volume = yield from _read_file(header(path), path)
        else:
            volume = yield from read_series(path, series_uid)
    return volume


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def header_reader(path: Path) -> Callable[[Path], StoredImage] | None:
    """Return the reader of a file's header by its name, or None for DICOM, which is known by its magic number.

    InputRefused if it is neither.
    """
    name = path.name.lower()
    for ending, reader in _HEADERS.items():
        if name.endswith(ending):
            return reader
    if is_dicom(path):
        return None
    raise refused(path, "is neither DICOM nor one of " + ", ".join(ENDINGS))


def _read_file(image: StoredImage, path: Path) -> Work[Volume]:
    check_depth(path, image.dtype)
    check_place(path, image.grid)
    check_size(image)
    wide = image.dtype.kind == "f" or image.dtype.itemsize > 2 or not image.slope.is_integer()
    check_memory(path, image.grid, 4 if wide else 2)
    yield Progress(0.0, "reading the scan")
    filling = yield from part(read_hu(image), 0.0, 1.0)
    hu = filling.finished()
    outside = check_hounsfield(path, hu, filling.low, filling.high)
    return Volume(hu, image.grid, Provenance(shown(path), image.kind, None, image.notes), outside)
