"""A small CT series as DICOM files, oblique and anisotropic, with masks and a report about it; made by hand here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Flag, FlagKind, Origin, Polarity, Sentence, Verdict

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SHAPE = (14, 19, 23)
STRUCTURES = ("lung_right", "lung_left", "airways", "mediastinum", "heart", "aorta", "bone", "upper_abdomen")


@dataclass(frozen=True)
class Case:
    """A series on disk and what was made of it."""

    folder: Path
    volume: Volume
    masks: RegionMasks
    report: Report
    headers: tuple[Dataset, ...]


def oblique_lps() -> npt.NDArray[np.float64]:
    """Columns: steps along i, j, k in LPS millimetres; slices go down, so the grid is left-handed."""
    a, b = 0.4, -0.25
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tip @ np.diag((6.1, 7.3, 11.5))
    affine[:3, 3] = (-110.25, -95.5, 1207.125)
    return affine


def write_series(folder: Path, hu: npt.NDArray[np.int16], affine_lps: npt.NDArray[np.float64]) -> None:
    """Store one file per slice, file names and instance numbers shuffled."""
    folder.mkdir(parents=True, exist_ok=True)
    spacing = np.linalg.norm(affine_lps[:3, :3], axis=0)
    axes = affine_lps[:3, :3] / spacing
    shuffled = np.random.default_rng(5).permutation(len(hu))
    for k in range(len(hu)):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT_IMAGE, f"1.2.826.0.1.55.3.{k + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image = FileDataset(str(folder), {}, file_meta=meta, preamble=b"\0" * 128)
        image.SpecificCharacterSet = "ISO_IR 100"
        image.SOPClassUID, image.SOPInstanceUID = CT_IMAGE, meta.MediaStorageSOPInstanceUID
        image.Modality, image.ImageType, image.Manufacturer = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "None"
        image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.826.0.1.55.1", "1.2.826.0.1.55.2"
        image.FrameOfReferenceUID = "1.2.826.0.1.55.4"
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260102", "101500", "77", "A-1"
        image.StudyDescription, image.SeriesDescription = "Thorax", "Thorax 11.5"
        image.PatientID, image.PatientName, image.PatientSex = "P-17", "Müller^Jörg", "M"
        image.PatientBirthDate, image.ReferringPhysicianName = "19500203", "Doe^Jane"
        image.SeriesNumber, image.InstanceNumber = 3, int(shuffled[k]) + 1
        image.ImagePositionPatient = [float(round(x, 6)) for x in (affine_lps @ (0, 0, k, 1))[:3]]
        image.ImageOrientationPatient = [float(round(x, 8)) for x in (*axes[:, 0], *axes[:, 1])]
        image.PixelSpacing = [float(spacing[1]), float(spacing[0])]
        image.SliceThickness, image.PositionReferenceIndicator = "5", ""
        image.Rows, image.Columns, image.SamplesPerPixel = *hu.shape[1:], 1
        image.PhotometricInterpretation, image.PatientPosition = "MONOCHROME2", "HFS"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
        image.RescaleSlope, image.RescaleIntercept = 1, 0
        image.PixelData = hu[k].tobytes()
        pydicom.dcmwrite(folder / f"{shuffled[k]:04d}.dcm", image, enforce_file_format=True)


def masks_on(volume: Volume) -> RegionMasks:
    """Blobs without any symmetry, so that every flip, shift and swap of axes shows; two slices stay empty."""
    labels = np.random.default_rng(8).integers(0, len(STRUCTURES) + 1, SHAPE).astype(np.uint8)
    labels[0] = labels[-1] = 0
    labels[:7][labels[:7] == 8] = 0
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL}
    return RegionMasks(labels, volume.grid, STRUCTURES, "classical 1", coverage, {"upper_abdomen": "cut at the bottom"})


def report_on(volume: Volume, path: Path) -> Report:
    """Six sentences of all authors and verdicts, ready to be signed: places seen, the one flag answered."""
    right = Place("lungs", Box((5, -60, 0), (90.1, 60, 200)), (40, 0.3, 90), "lung_right", Side.RIGHT, Zone.LOWER)
    lungs = Place("lungs", Box((-90, -60, 0), (90, 60, 200)), (40, 0, 90))
    left = replace(lungs, side=Side.LEFT)
    heart = Place("heart_great_vessels", Box((-50, 0, 20), (30, 70, 130)), (-10, 30, 60))
    aorta = replace(heart, structure="aorta")
    measured, model, reader = Origin(Author.MEASURED), Origin(Author.MODEL, "demo@abc"), Origin(Author.READER)
    yes, no, accepted = Polarity.PRESENT, Polarity.ABSENT, Verdict.ACCEPTED
    flag = Flag(FlagKind.SIDE, "left in the text, right in the image", True, (), ("m1",), "seen")
    by = AnchorSource

    def said(number: int, text: str, place: Place, *rest: Any, **more: Any) -> Sentence:
        anchor = Anchor(place, by.MEASUREMENT, 0.75, "narrowed by “basal”")
        return Sentence(f"s{number}", text, (place.region_id,), (anchor,), *rest, viewed=True, **more)

    sentences = (
        said(1, "Right pleural fluid 310 mL.", right, yes, measured, ("m1", "m2"), (0, 19), accepted),
        said(2, "Aorta of normal width.", aorta, yes, model, verdict=Verdict.EDITED),
        said(3, "No nodule on the left – größer als 4 mm.", left, no, model, (), (3, 9), accepted, flags=(flag,)),
        Sentence(
            "s4",
            "Compared with nothing.",
            (),
            (),
            Polarity.UNCERTAIN,
            Origin(Author.IMPORTED),
            verdict=accepted,
            placeless=True,
        ),
        said(5, "Wrong and rejected.", heart, yes, model, verdict=Verdict.REJECTED, verdict_before=accepted),
        said(6, "Both lungs and the heart: no change.", lungs, no, reader, verdict=Verdict.ADDED),
    )
    sentences = (
        *sentences[:5],
        replace(
            sentences[5],
            regions=("lungs", "heart_great_vessels"),
            anchors=(Anchor(lungs, by.READER), Anchor(heart, by.WORDING, 0.1)),
        ),
    )
    measurements = (
        Measurement("m1", "fluid_volume", "lungs", 310, "mL", "counted", side=Side.RIGHT, place=right),
        Measurement("m2", "mean_density", "lungs", None, "HU", "mean", "too few voxels", zone=Zone.UPPER),
        Measurement("m3", "cardiothoracic_ratio", "heart_great_vessels", 1 / 3, "1", "widths", uncertainty=0.01),
    )
    return Report(
        id="report-1",
        study=Study(str(path), volume.digest(), volume.grid, volume.provenance.dicom),
        coverage=dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL},
        coverage_notes={"upper_abdomen": "cut at the bottom"},
        places=(lungs, left, right, heart, aorta),
        measurements=measurements,
        sentences=sentences,
        writer="measured",
        segmenter="classical 1",
        created_at="2026-01-02T03:04:05+01:00",
        notes=("Interstitial pattern was not assessed.",),
    )


@pytest.fixture(scope="session")
def dicom_case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The oblique series."""
    from RegionReportLib.export.dicom_series import read_source_headers

    folder = tmp_path_factory.mktemp("series")
    write_series(folder, np.random.default_rng(6).integers(-900, 300, SHAPE).astype(np.int16), oblique_lps())
    volume = finish(read_volume(folder))
    report = report_on(volume, folder)
    return Case(folder, volume, masks_on(volume), report, finish(read_source_headers(report.study)))


@pytest.fixture(scope="session")
def store_series() -> Callable[..., None]:
    """Store Hounsfield units as a DICOM series: folder, values `(k, j, i)`, affine in LPS."""
    return write_series
