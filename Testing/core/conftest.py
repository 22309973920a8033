"""What several rooms' tests share: a DICOM series as a scanner would store it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"

WriteSeries = Callable[..., list[Path]]


@pytest.fixture
def write_series() -> WriteSeries:
    return _write_series


def _write_series(
    folder: Path,
    hu: npt.NDArray[np.int16],
    *,
    change: Callable[[FileDataset, int], None] | None = None,
    affine_lps: npt.NDArray[np.float64] | None = None,
    **attributes: Any,
) -> list[Path]:
    """Store one file per slice in a shuffled order of names and instance numbers; `change` may spoil each."""
    folder.mkdir(parents=True, exist_ok=True)
    if affine_lps is None:
        affine_lps = np.diag((2.0, 2.2, 2.5, 1.0))
    spacing = np.linalg.norm(affine_lps[:3, :3], axis=0)
    axes = affine_lps[:3, :3] / spacing
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    shuffled = np.random.default_rng(5).permutation(len(hu))
    paths = []
    for k, slab in enumerate(hu):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = CT_IMAGE
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{shuffled[k]:04d}_{series[-6:]}.dcm"
        image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        image.SOPClassUID, image.SOPInstanceUID = CT_IMAGE, meta.MediaStorageSOPInstanceUID
        image.Modality, image.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        image.SeriesInstanceUID, image.StudyInstanceUID, image.FrameOfReferenceUID = series, study, frame
        image.SeriesDescription, image.PatientID, image.PatientName = "Thorax 2.5", "P-17", "Doe^Jane"
        image.InstanceNumber = int(shuffled[k]) + 1
        image.ImagePositionPatient = [float(round(x, 6)) for x in affine_lps[:3] @ (0, 0, k, 1)]
        image.ImageOrientationPatient = [float(round(x, 8)) for x in (*axes[:, 0], *axes[:, 1])]
        image.PixelSpacing = [float(spacing[1]), float(spacing[0])]
        image.Rows, image.Columns, image.SamplesPerPixel = *slab.shape, 1
        image.PhotometricInterpretation = "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
        image.RescaleSlope, image.RescaleIntercept = 1, -1024
        image.PixelData = (slab.astype(np.int32) + 1024).astype("<u2").tobytes()
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        if change is not None:
            change(image, k)
        pydicom.dcmwrite(path, image, enforce_file_format=True)
        paths.append(path)
    return paths
