"""DICOM at the command line: a report folder as SEG and SR, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import Conflict, InputRefused
from ..export.dicom_export import export_dicom
from ..export.dicom_import import import_sr_seg
from ..export.standing import state_line
from ..export.text import report_text
from ..grounding.contradictions import check
from ..imaging.seg_nrrd import read_segmentation, write_segmentation
from ..report.document import Report
from ..report.json_form import report_to_dict
from ..report.store import create_draft
from .outputs import whole, write_json
from .watch import run

_MASKS = "segmentation.seg.nrrd"


def write_dicom(report: Report, arguments: argparse.Namespace, folder: Path) -> None:
    """Write the SEG and the SR of a report folder; its masks are those beside the report."""
    source = arguments.folder / _MASKS
    if not source.is_file():
        raise InputRefused(f"{arguments.folder} has no {_MASKS}; a DICOM report points at its masks")
    masks = read_segmentation(source, grid=report.study.grid)
    organization = getattr(arguments, "organization", None) or ""
    work = export_dicom(report, masks, folder, series=arguments.series, organization=organization)
    run(work, as_json=False)


def import_dicom(arguments: argparse.Namespace) -> None:
    """Read SR and SEG into a new report folder: a draft to go on with, or a signed report to read."""
    if (arguments.output / "report.json").exists():
        raise Conflict(f"{arguments.output} holds a report already; choose another folder")
    report, masks = import_sr_seg(arguments.sr, arguments.seg)
    with whole(arguments.output) as folder:
        if report.signature is None:
            create_draft(folder, report, actor="import-dicom", check=check)
        else:  # its trail stayed where it was signed
            write_json(folder / "report.json", report_to_dict(report))
        (folder / "report.txt").write_text(report_text(report), encoding="utf-8")
        write_segmentation(masks, folder / _MASKS, segments="structure")
    print(f"{arguments.output}: {len(report.sentences)} sentences. {state_line(report)}")
