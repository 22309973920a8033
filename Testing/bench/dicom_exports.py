"""Exports drafts as DICOM in every state and looks at them with the tools of others; prints one line for each.

    python Testing/bench/dicom_exports.py [DICOM folder …]      (default: a phantom on a turned and tipped table)

Needs dciodvfy (Debian dicom3tools) and dsrdump (Debian dcmtk). A scan is drafted, read to the end by nobody in
particular, signed and amended; each state leaves by region and by structure and comes back.
"""

from __future__ import annotations

import collections
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom

from RegionReportLib.draft.choose import WriterChoice, writer
from RegionReportLib.draft.pipeline import Draft, draft
from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_import import import_sr_seg
from RegionReportLib.export.dicom_sr_reading import segment_links
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report
from RegionReportLib.report.sentence import Author, Origin, Sentence, Verdict
from RegionReportLib.report.signing import addendum, sign
from RegionReportLib.segment.choose import segmenter

PRIVATE = "Unrecognized defined term = <99REGIONREPORT>"
# Names of one component stand so in the source and are not ours to change.
OF_THE_SOURCE = "Retired Person Name form"


def main(folders: list[str]) -> None:
    with tempfile.TemporaryDirectory() as work:
        paths = [Path(folder) for folder in folders] or [phantom(Path(work) / "ct")]
        for path in paths:
            volume = finish(read_volume(path))
            by = writer(WriterChoice("measured"))
            made = finish(draft(volume, segmenter("classical"), by, created_at="2026-01-02T03:04:05+01:00"))
            print(path, volume.grid.shape_kji)
            for state, report in states(made.report).items():
                for grouping in ("region", "structure"):
                    out = Path(work) / f"{path.name}-{state}-{grouping}"
                    out.mkdir()
                    print(f"  {state:9} by {grouping:9}", looked_at(made, report, grouping, out))


def states(report: Report) -> dict[str, Report]:
    """The report as drafted, signed, and amended; non-ASCII names and words."""
    judged = report.with_sentences(
        replace(s, verdict=Verdict.ACCEPTED, viewed=True, placeless=not s.anchors, flags=answered(s))
        for s in report.sentences
    )
    signed = sign(judged, "Dr. Żaneta O’Brien 山田", "2026-01-02T09:00:00+01:00")
    more = addendum(signed, "addendum-1", "2026-01-03T10:00:00+01:00")
    said = replace(
        judged.sentences[0], id="a1", text="Ergänzung: größer als 4 mm – 肺.", key_phrase=None, evidence=(), flags=(),
        origin=Origin(Author.READER), verdict=Verdict.ADDED,
    )  # fmt: skip
    return {
        "draft": report,
        "signed": signed,
        "addendum": sign(more.with_sentences([said]), "Doe^Jane", "2026-01-03T11:00:00+01:00"),
    }


def answered(sentence: Sentence) -> tuple:
    return tuple(replace(flag, answer="seen") for flag in sentence.flags)


def looked_at(made: Draft, report: Report, grouping: str, out: Path) -> str:
    started = time.perf_counter()
    seg, sr = finish(export_dicom(report, made.masks, out, grouping=grouping))
    seconds = time.perf_counter() - started
    back, masks = import_sr_seg(sr, seg)
    same = sum(bool(np.array_equal(masks.region(r), made.masks.region(r))) for r in report.coverage)
    links = segment_links(sr)
    placed = [s.id for s in carried(report).sentences if s.anchors]
    shown = sentences_of_dsrdump(sr)
    return (
        f"dciodvfy SR {tally(sr)}, SEG {tally(plain(seg))}; dsrdump {len(shown)} sentences, "
        f"{sum(map(bool, shown.values()))} with segments; links {sum(bool(links[i]) for i in placed)}/{len(placed)}; "
        f"{'equal' if back == carried(report) else 'DIFFERENT'} report, {same}/6 regions equal; {seconds:.1f} s, "
        f"{sr.stat().st_size // 1024} + {seg.stat().st_size // 1024} KiB"
    )


def tally(path: Path) -> str:
    """Errors and warnings of dciodvfy; those of our private scheme and of the source's names apart."""
    told = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False).stderr
    assert "Segmentation" in told or "Comprehensive3DSR" in told, told
    kinds: collections.Counter[str] = collections.Counter()
    for line in told.splitlines():
        if line.startswith(("Error", "Warning")):
            kind = "private" if line.endswith(PRIVATE) else "source" if OF_THE_SOURCE in line else line.split(" ")[0]
            kinds[kind] += 1
    return f"{kinds['Error']} E {kinds['Warning']} W (+{kinds['private']} private, {kinds['source']} source)"


def plain(seg: Path) -> Path:
    """The SEG without compression, which dciodvfy does not read."""
    read = pydicom.dcmread(seg)
    read.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    read.save_as(seg.with_suffix(".plain"))
    return seg.with_suffix(".plain")


def sentences_of_dsrdump(sr: Path) -> dict[str, list[str]]:
    listing = subprocess.run(["dsrdump", "+Pl", str(sr)], capture_output=True, check=True).stdout.decode("utf-8")
    found: dict[str, list[str]] = {}
    words = ""
    for line in listing.splitlines():
        if match := re.search(r'contains TEXT:\(,,"Finding"\)="(.*)">$', line):
            words = f"{len(found)} {match[1]}"
            found[words] = []
        elif match := re.search(r'inferred from IMAGE:\(,,"Illustration of ROI"\)=\(SG image,.*?,([\d,]+)\)>$', line):
            found[words].append(match[1])
    return found


def phantom(folder: Path) -> Path:
    """A phantom as a DICOM series on a turned and tipped, left-handed grid."""
    case = finish(make_case(Recipe(5, scan=Scan(rows=96, step_mm=6.0))))
    spacing = np.array(case.volume.grid.spacing_mm)
    a, b = 0.12, -0.08
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    signs = np.sign(np.diag(case.volume.grid.affine)[:3]) * (-1, -1, 1)
    axes = turn @ tip @ np.diag(signs)
    folder.mkdir(parents=True)
    for k, hu in enumerate(case.volume.hu.astype(np.int16)):
        image = pydicom.Dataset()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        image.SpecificCharacterSet = "ISO_IR 100"
        image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.826.0.1.56.3.{k + 1}"
        image.Modality, image.ImageType, image.Manufacturer = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "None"
        image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.826.0.1.56.1", "1.2.826.0.1.56.2"
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = "1.2.826.0.1.56.4", ""
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "20260102", "101500", "7", "A-1"
        image.PatientID, image.PatientName, image.PatientSex = "P-17", "Müller^Jörg", "M"
        image.PatientBirthDate, image.ReferringPhysicianName = "19500203", "Doe^Jane"
        image.SeriesNumber, image.InstanceNumber, image.SliceThickness = 3, k + 1, float(spacing[2])
        image.ImagePositionPatient = [round(float(x), 6) for x in axes[:, 2] * spacing[2] * k + (12.5, -30.25, 80.125)]
        image.ImageOrientationPatient = [round(float(x), 8) for x in (*axes[:, 0], *axes[:, 1])]
        image.PixelSpacing = [float(spacing[1]), float(spacing[0])]
        image.Rows, image.Columns, image.SamplesPerPixel = *hu.shape, 1
        image.PhotometricInterpretation, image.PatientPosition = "MONOCHROME2", "HFS"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
        image.RescaleSlope, image.RescaleIntercept, image.PixelData = 1, 0, hu.tobytes()
        image.save_as(folder / f"{k:04d}.dcm", enforce_file_format=True)
    return folder


if __name__ == "__main__":
    main(sys.argv[1:])
