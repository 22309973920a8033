"""A scan as a DICOM series in a zip archive, as an archive's export page sends one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from RegionReportLib.imaging.volume import Volume

ROOT = "1.2.826.0.1.3680043.8.498.77"


def zipped(path: Path, *series: tuple[str, Volume]) -> Path:
    """Write each volume as one CT series, named by its description, into the archive `path`, in folders."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (description, volume) in enumerate(series, 1):
            for k in range(len(volume.hu)):
                archive.writestr(f"PAT1/SER{number}/IM{k:05}", _slice(volume, k, number, description))
        archive.writestr("PAT1/README.TXT", "for the reader")
    return path


def _slice(volume: Volume, k: int, number: int, description: str) -> bytes:
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.affine
    spacing = np.linalg.norm(to_lps[:3, :3], axis=0)
    axes = to_lps[:3, :3] / spacing
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{number}.{k + 1}"
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    image.Modality, image.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.StudyInstanceUID, image.SeriesInstanceUID = f"{ROOT}.100", f"{ROOT}.{number}"
    image.FrameOfReferenceUID = f"{ROOT}.200"
    image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260102", "101500", "7", "A-1"
    image.SeriesDescription, image.SeriesNumber, image.InstanceNumber = description, number, k + 1
    image.PatientID, image.PatientName, image.PatientSex, image.PatientBirthDate = "P-17", "Doe^Jo", "O", "19500203"
    image.ReferringPhysicianName, image.Manufacturer = "Roe^Ri", "None"
    image.ImagePositionPatient = [float(round(x, 5)) for x in (to_lps @ (0, 0, k, 1))[:3]]
    image.ImageOrientationPatient = [float(round(x, 6)) for x in (*axes[:, 0], *axes[:, 1])]
    image.PixelSpacing = [float(spacing[1]), float(spacing[0])]
    image.SliceThickness, image.PositionReferenceIndicator, image.PatientPosition = float(spacing[2]), "", "HFS"
    image.Rows, image.Columns = volume.hu.shape[1:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.RescaleSlope, image.RescaleIntercept = 1, 0
    image.PixelData = volume.hu[k].astype("<i2").tobytes()
    file = io.BytesIO()
    pydicom.dcmwrite(file, image, enforce_file_format=True)
    return file.getvalue()
