"""Reads one CT series from a DICOM folder: chooses it, checks it, decodes its slices into Hounsfield units."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK
from pydicom.uid import UID

from ..errors import InputRefused
from ..progress import Progress, Work, part
from .checks import check_depth, check_hounsfield, check_memory, check_place
from .dicom_folder import DicomImage, Series, read_header, scan_folder, series_in, slices_of_scans
from .dicom_geometry import stacked
from .filling import Filling
from .grid import Grid
from .refusal import brief, refused, shown
from .volume import DicomSource, Provenance, Volume

_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_FEWEST_SLICES = 8
_LISTED = 6
_PYDICOM_DECODES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5")
# JPEG, JPEG-LS and JPEG 2000 through SimpleITK's GDCM.
_GDCM_DECODES = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91))
_ROOM_FOR_HEADER = 16 * 2**20
_SOURCE_FIELDS = {
    "study_instance_uid": "StudyInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "study_date": "StudyDate",
    "study_description": "StudyDescription",
    "series_description": "SeriesDescription",
    "accession_number": "AccessionNumber",
}


def read_series(path: Path, series_uid: str | None) -> Work[Volume]:
    """Read the series `series_uid`, or the only CT series, of a folder, or the series of a single file."""
    folder = path
    if not path.is_dir():
        folder, series_uid = path.parent, _series_of(path)
    found = yield from part(scan_folder(folder), 0.0, 0.3)
    images = _chosen(path, found, series_uid)
    for image in images:
        _check_image(path, image)
    images, notes = _without_copies(images)
    images, grid, tilt = stacked(path, images)
    check_place(path, grid)
    check_memory(path, grid, 2)
    filling = yield from part(_pixels(path, images, grid), 0.3, 1.0)
    hu = filling.finished()
    outside = check_hounsfield(path, hu, filling.low, filling.high)
    provenance = Provenance(shown(path), "dicom", _source(images), notes + tilt + _lossy(images))
    return Volume(hu, grid, provenance, outside)


def _series_of(path: Path) -> str:
    image = read_header(path)
    if image is None:
        raise refused(path, "is a DICOM file without an image (an index or a report); give the folder of the slices")
    return image.series_uid


def _chosen(path: Path, images: Sequence[DicomImage], series_uid: str | None) -> list[DicomImage]:
    groups = slices_of_scans(images)
    series = series_in(images)
    if not series:
        raise refused(path, "holds only localisers or screen captures, no scan")
    if series_uid is not None:
        if series_uid not in groups:
            raise refused(path, f"has no series {series_uid}; it holds {_listed(series)}")
        return groups[series_uid]
    scans = [s for s in series if s.modality == "CT"]
    if not scans:
        raise refused(path, f"holds no CT; it holds {_listed(series)}")
    # A few slices cannot be read as a volume anyway: contrast timing, single pictures.
    scans = [s for s in scans if s.slices >= _FEWEST_SLICES] or scans
    if len(scans) > 1:
        raise refused(path, f"holds {len(scans)} CT series; choose one by its series UID: {_listed(scans)}")
    return groups[scans[0].series_uid]


def _listed(series: Sequence[Series]) -> str:
    lines = [
        f"'{brief(s.description) or 'no description'}' ({s.modality or 'no modality'}, {s.slices} slices of "
        f"{s.columns} × {s.rows}, {s.series_uid})"
        for s in series[:_LISTED]
    ]
    more = len(series) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")


def _check_image(path: Path, image: DicomImage) -> None:
    """Check what must hold for each slice alone; InputRefused names the attribute."""
    name, number = image.path.name, image.number
    if image.text["Modality"] != "CT":
        raise refused(path, f"the series is of modality {image.text['Modality'] or 'unknown'}, expected CT")
    if image.text["SOPClassUID"] != _CT_IMAGE or number["NumberOfFrames"] > 1:
        kind = _name_of(image.text["SOPClassUID"])
        raise refused(path, f"{name} is not a single-slice CT image ({kind}); export the scan as CT Image Storage")
    if image.transfer_syntax not in _PYDICOM_DECODES + _GDCM_DECODES:
        syntax = _name_of(image.transfer_syntax)
        raise refused(
            path, f"{name} has the transfer syntax {syntax}, which cannot be decoded here; export it uncompressed"
        )
    if number["SamplesPerPixel"] != 1:
        raise refused(path, f"{name} holds colours, not a CT in Hounsfield units")
    if number["BitsAllocated"] not in (16, 32):
        check_depth(path, np.dtype(np.uint8))
    if image.text["RescaleType"] not in ("", "HU", "US"):
        raise refused(path, f"its values are in {image.text['RescaleType']}, expected Hounsfield units (HU)")
    rows, columns = image.shape
    if image.path.stat().st_size > rows * columns * 4 + _ROOM_FOR_HEADER:
        raise refused(path, f"{name} is larger than one slice of its size can be: it is damaged")


def _name_of(uid: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about UIDs that are none
        return UID(uid).name or "none"


def _without_copies(images: Sequence[DicomImage]) -> tuple[list[DicomImage], tuple[str, ...]]:
    """Keep one of the files that are the same instance, as left behind by exporting twice into one folder."""
    by_uid = {image.text["SOPInstanceUID"] or str(image.path): image for image in images}
    copies = len(images) - len(by_uid)
    return list(by_uid.values()), (f"{copies} files that repeat a slice were left out.",) if copies else ()


def _pixels(path: Path, images: Sequence[DicomImage], grid: Grid) -> Work[Filling]:
    filling = Filling(path, grid.shape_kji)
    for n, image in enumerate(images):
        stored, slope, intercept = _decoded(path, image)
        if stored.shape != grid.shape_kji[1:]:
            raise refused(
                path, f"{image.path.name} holds {stored.shape} pixels, its header claims {grid.shape_kji[1:]}"
            )
        filling.put(stored[np.newaxis], slope, intercept)
        if n % 8 == 0:
            yield Progress(n / len(images), "reading the slices")
    return filling


def _decoded(path: Path, image: DicomImage) -> tuple[npt.NDArray[Any], float, float]:
    """Return stored pixels with their slope and intercept; GDCM has applied both already."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if image.transfer_syntax in _GDCM_DECODES:
                SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # its complaints would go to stderr
                decoded = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(image.path), imageIO="GDCMImageIO"))
                return np.asarray(decoded).reshape(decoded.shape[-2:]), 1.0, 0.0
            stored = pydicom.dcmread(image.path).pixel_array
    except InputRefused:
        raise
    except Exception as error:  # decoders raise whatever they meet in foreign bytes
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise refused(path, f"the pixels of {image.path.name} are truncated or damaged ({first[-1][:120]})") from error
    slope, intercept = _rescale(path, image)
    return stored, slope, intercept


def _rescale(path: Path, image: DicomImage) -> tuple[float, float]:
    slope, intercept = image.number["RescaleSlope"], image.number["RescaleIntercept"]
    if slope == 0 or not math.isfinite(slope) or not math.isfinite(intercept):
        raise refused(path, f"{image.path.name} has a RescaleSlope of zero or a damaged one")
    return slope, intercept


def _source(images: Sequence[DicomImage]) -> DicomSource:
    fields = {name: images[0].text[keyword] for name, keyword in _SOURCE_FIELDS.items()}
    return DicomSource(instance_uids=tuple(image.text["SOPInstanceUID"] for image in images), **fields)


def _lossy(images: Sequence[DicomImage]) -> tuple[str, ...]:
    lossy = any(image.text["LossyImageCompression"] == "01" for image in images)
    return ("The images were compressed with loss.",) if lossy else ()
