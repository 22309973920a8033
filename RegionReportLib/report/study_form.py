"""The study of a report, the scan and where it came from, as JSON values and back."""

from __future__ import annotations

from typing import Any

from ..imaging.grid import Grid
from ..imaging.volume import DicomSource
from .document import Study


def study_to_dict(study: Study) -> dict[str, Any]:
    """Return a study with its grid and its DICOM identifiers, null without DICOM."""
    dicom = study.dicom
    return {
        "path": study.path,
        "digest": study.digest,
        "grid": study.grid.to_dict(),
        "prior": study.prior,
        "dicom": None
        if dicom is None
        else {
            "study_instance_uid": dicom.study_instance_uid,
            "series_instance_uid": dicom.series_instance_uid,
            "frame_of_reference_uid": dicom.frame_of_reference_uid,
            "instance_uids": list(dicom.instance_uids),
            "patient_id": dicom.patient_id,
            "patient_name": dicom.patient_name,
            "patient_birth_date": dicom.patient_birth_date,
            "patient_sex": dicom.patient_sex,
            "study_date": dicom.study_date,
            "study_description": dicom.study_description,
            "series_description": dicom.series_description,
            "accession_number": dicom.accession_number,
        },
    }


def study_from_dict(value: dict[str, Any]) -> Study:
    """Read a study; ValueError, TypeError or KeyError if it is none."""
    known = value["dicom"]
    dicom = None if known is None else DicomSource(**{**known, "instance_uids": tuple(known["instance_uids"])})
    return Study(value["path"], value["digest"], Grid.from_dict(value["grid"]), dicom, value["prior"])
