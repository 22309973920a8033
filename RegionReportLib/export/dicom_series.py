"""The CT series that DICOM exports refer to: its headers in the order of the volume's slices, and stable UIDs.

Only for scans that were read from DICOM: patient and study are copied from there, never invented.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from .. import __version__
from ..errors import InputRefused
from ..imaging.dicom_folder import scan_folder
from ..imaging.grid import Grid
from ..imaging.lps import swap_lps_ras
from ..imaging.refusal import refused
from ..imaging.volume import DicomSource
from ..progress import Progress, Work, part
from ..report.document import Study

MANUFACTURER = "RegionReport"
UTF8 = "ISO_IR 192"
_NAMESPACE = uuid.UUID("8f6c1d5e-3f0b-5a57-9d1c-6a2f4a1b7c90")
_PATIENT_AND_STUDY = (  # type 2 of the Patient and General Study modules: present, empty where the source has none
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
_WHERE_GIVEN = (
    "StudyDescription",
    "InstitutionName",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PositionReferenceIndicator",
    "SliceThickness",
    "TimezoneOffsetFromUTC",
)
_SERIES_AND_SLICE = (
    "Modality",
    "SeriesInstanceUID",
    "SeriesDescription",
    "FrameOfReferenceUID",
    "SOPClassUID",
    "SOPInstanceUID",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
)
_SAME_PLACE_MM = 0.6  # the reader takes stacks whose slices lie within 0.5 mm of a straight line


def stable_uid(*parts: str) -> str:
    """Return the UID that these words always give (PS3.5 B.2, a name-based UUID), so that exporting again is stable."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(31).join(parts)).int}"


def read_source_headers(study: Study, folder: Path | None = None) -> Work[tuple[Dataset, ...]]:
    """Read the headers of the slices that a report is about, in the order of k.

    `folder` is where they lie, by default the path of the study. They are found by their instance UIDs, whatever their
    names and numbers. InputRefused if the scan did not come from DICOM, or slices are missing.
    """
    if study.dicom is None:
        raise InputRefused(
            f"the scan {Path(study.path).name!r} did not come from DICOM: a DICOM SEG or SR needs the patient, the "
            "study and the images to refer to; read the scan from its DICOM series"
        )
    folder = Path(study.path) if folder is None else folder
    folder = folder.parent if folder.is_file() else folder  # a series may have been opened by one of its slices
    if not folder.is_dir():
        raise refused(folder, "is no folder; give the folder of the DICOM series that the report is about")
    found = yield from part(scan_folder(folder), 0.0, 0.5)
    paths = {image.text["SOPInstanceUID"]: image.path for image in found}
    wanted = study.dicom.instance_uids
    missing = [uid for uid in wanted if uid not in paths]
    if missing or not wanted:
        raise refused(
            folder,
            f"lacks {len(missing)} of the {len(wanted)} slices of the series {study.dicom.series_instance_uid} that "
            "the report is about",
        )
    headers = []
    for n, uid in enumerate(wanted):
        if n % 20 == 0:
            yield Progress(0.5 + 0.5 * n / len(wanted), "reading the DICOM headers")
        headers.append(_slim(paths[uid]))
    check_headers(headers, study.dicom, study.grid)
    return tuple(headers)


def check_headers(headers: Sequence[Dataset], source: DicomSource, grid: Grid) -> None:
    """Check that the slices are those of the report and lie where its grid says; InputRefused if not."""
    if tuple(str(h.SOPInstanceUID) for h in headers) != source.instance_uids:
        raise InputRefused("the DICOM series does not hold the slices that the report is about")
    if not source.frame_of_reference_uid:
        raise InputRefused("the DICOM series has no Frame of Reference UID: nothing can be tied to its space")
    shape = (len(headers), int(headers[0].Rows), int(headers[0].Columns))
    if shape != grid.shape_kji:
        raise InputRefused(f"the report is about a grid of {grid.shape_kji} voxels, the DICOM series has {shape}")
    at_ras = grid.to_ras([(0, 0, k) for k in range(len(headers))])
    at_lps = swap_lps_ras(np.eye(4))[:3, :3] @ at_ras.T
    positions = np.array([[float(v) for v in h.ImagePositionPatient] for h in headers])
    off_mm = float(np.abs(positions - at_lps.T).max())
    if off_mm > _SAME_PLACE_MM:
        raise InputRefused(f"the slices of the DICOM series lie up to {off_mm:.1f} mm off the grid of the report")


def new_instance(header: Dataset, sop_class: str, instance_uid: str) -> Dataset:
    """Return a dataset for a new instance in the study of `header`: patient, study, equipment, file meta."""
    made = Dataset()
    made.SpecificCharacterSet = UTF8
    made.SOPClassUID, made.SOPInstanceUID = sop_class, instance_uid
    for keyword in (*_PATIENT_AND_STUDY, "StudyDescription", "PatientAge", "PatientSize", "PatientWeight"):
        if keyword in header:
            setattr(made, keyword, header[keyword].value)
    made.Manufacturer = made.ManufacturerModelName = MANUFACTURER
    made.SoftwareVersions, made.DeviceSerialNumber = __version__, "none"
    return made


def _slim(path: Path) -> Dataset:
    """Return what exports need of one slice, in Unicode, the required attributes present even if empty."""
    full = pydicom.dcmread(path, stop_before_pixels=True)
    full.decode()
    slim = Dataset()
    slim.SpecificCharacterSet = UTF8
    for keyword in _PATIENT_AND_STUDY:
        setattr(slim, keyword, _plain(full.get(keyword)))
    for keyword in _WHERE_GIVEN + _SERIES_AND_SLICE:
        if full.get(keyword) not in (None, ""):
            setattr(slim, keyword, _plain(full.get(keyword)))
    if slim.PatientSex not in ("", "M", "F", "O"):
        slim.PatientSex = "O"  # PS3.3 C.7.1.1 knows no other
    return slim


def _plain(value: Any) -> Any:
    return "" if value is None else value
