"""Finds the DICOM images below a folder and sorts them into series, reading headers only.

What is no slice of a scan is left out: localisers, screen captures, reports, segmentations.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import read_file_meta_info

from ..errors import InputRefused
from ..progress import Progress, Work
from .refusal import refused, unreadable

_MOST_FILES = 50_000
_LONGEST_VALUE = 2**16
_DICOMDIR = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_TEXTS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "StudyDate",
    "StudyDescription",
    "SeriesDescription",
    "AccessionNumber",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "RescaleType",
    "LossyImageCompression",
)
_LISTS = ("ImageType", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_NUMBERS = {  # with what the standard takes where the attribute is absent
    "Rows": 0,
    "Columns": 0,
    "BitsAllocated": 0,
    "SamplesPerPixel": 1,
    "NumberOfFrames": 1,
    "RescaleSlope": 1,
    "RescaleIntercept": 0,
}
_TAGS = ["SpecificCharacterSet", *_TEXTS, *_LISTS, *_NUMBERS]


@dataclass(frozen=True, slots=True)
class Series:
    """One series of images as its headers describe it; `modality` is DICOM's code, for example CT."""

    series_uid: str
    description: str
    modality: str
    slices: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class DicomImage:
    """The header of one DICOM file with pixels, by keyword: attributes that are texts, lists of words, numbers.

    Absent texts are empty, absent lists too; `transfer_syntax` tells how its pixels are packed.
    """

    path: Path
    transfer_syntax: str
    text: dict[str, str]
    words: dict[str, tuple[str, ...]]
    number: dict[str, float]

    @property
    def series_uid(self) -> str:
        """The UID of its series."""
        return self.text["SeriesInstanceUID"]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.number["Rows"]), int(self.number["Columns"])


def is_dicom(path: Path) -> bool:
    """Tell whether a file has the DICOM magic number (PS3.10 §7.1); InputRefused if it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def scan_folder(folder: Path) -> Work[tuple[DicomImage, ...]]:
    """Read the headers of all DICOM images below `folder`; InputRefused if there are none or one is damaged."""
    paths = _files_below(folder)
    images = []
    for n, path in enumerate(paths):
        if n % 20 == 0:
            yield Progress(n / len(paths), "reading the DICOM headers")
        if is_dicom(path):
            image = read_header(path)
            if image is not None:
                images.append(image)
    if not images:
        others = [p.name for p in paths if p.name.lower().endswith((".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"))]
        hint = f"; give the file {others[0]} itself" if others else ""
        raise refused(folder, f"holds no DICOM images{hint}")
    return tuple(images)


def read_header(path: Path) -> DicomImage | None:
    """Return the header of a DICOM file, or None if it is not an image; InputRefused if it is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta = read_file_meta_info(path)
            syntax = str(meta.get("TransferSyntaxUID", ""))
            if str(meta.get("MediaStorageSOPClassUID", "")) == _DICOMDIR:
                return None
            if syntax == _DEFLATED:  # reading even the header would unpack the whole file, however large
                raise refused(path, "has the transfer syntax Deflated Explicit VR Little Endian; export it unpacked")
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, defer_size=_LONGEST_VALUE)
            image = _image(path, syntax, header)  # here, because pydicom converts a value only when it is asked for
    except InputRefused:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # pydicom raises whatever it meets in foreign bytes
        raise refused(path, f"its DICOM header is truncated or damaged ({str(error)[:120]})") from error
    return image if image.number["Rows"] and image.series_uid else None


def _image(path: Path, syntax: str, header: pydicom.Dataset) -> DicomImage:
    return DicomImage(
        path=path,
        transfer_syntax=syntax,
        text={keyword: _text(header.get(keyword)) for keyword in _TEXTS},
        words={keyword: _words(header.get(keyword)) for keyword in _LISTS},
        number={keyword: float(_first(header.get(keyword), absent)) for keyword, absent in _NUMBERS.items()},
    )


def _text(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _words(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    return tuple(str(v) for v in ([value] if isinstance(value, str) else value))


def _first(value: Any, absent: float) -> Any:
    return absent if value is None or value == "" else value


def slices_of_scans(images: Iterable[DicomImage]) -> dict[str, list[DicomImage]]:
    """Return by series UID the images that may be slices of a scan, without localisers and screen captures."""
    groups: dict[str, list[DicomImage]] = {}
    for image in images:
        if "LOCALIZER" in image.words["ImageType"] or image.text["SOPClassUID"].startswith(_SECONDARY_CAPTURE):
            continue
        groups.setdefault(image.series_uid, []).append(image)
    return groups


def series_in(images: Iterable[DicomImage]) -> tuple[Series, ...]:
    """Return the series of scans among the images, most slices first."""
    found = [_series(uid, group) for uid, group in slices_of_scans(images).items()]
    return tuple(sorted(found, key=lambda s: (-s.slices, s.series_uid)))


def _series(uid: str, group: list[DicomImage]) -> Series:
    rows, columns = Counter(image.shape for image in group).most_common(1)[0][0]
    return Series(
        series_uid=uid,
        description=group[0].text["SeriesDescription"],
        modality=group[0].text["Modality"],
        slices=int(sum(image.number["NumberOfFrames"] for image in group)),
        rows=rows,
        columns=columns,
    )


def _files_below(folder: Path) -> list[Path]:
    """Return the regular files below a folder, links to folders not followed, so that no loop is walked."""

    def stop(error: OSError) -> None:
        raise unreadable(Path(error.filename or folder), error) from error

    paths: list[Path] = []
    for place, _, names in os.walk(folder, onerror=stop):
        paths += [path for name in sorted(names) if (path := Path(place, name)).is_file()]
        if len(paths) > _MOST_FILES:
            raise refused(folder, f"holds more than {_MOST_FILES} files; give the folder of one examination")
    if not paths:
        raise refused(folder, "the folder is empty")
    return paths
