"""DICOM at the command line: a report folder as SEG and SR, and back."""

from __future__ import annotations

import argparse

from ..errors import Conflict
from ..export.dicom_import import import_sr_seg
from ..export.formats import MASKS_NAME
from ..export.standing import state_line
from ..export.text import report_text
from ..grounding.contradictions import check
from ..imaging.atomic import whole_files
from ..imaging.seg_nrrd import write_segmentation
from ..report.json_form import report_to_dict
from ..report.store import create_draft
from .outputs import write_json


def import_dicom(arguments: argparse.Namespace) -> None:
    """Read SR and SEG into a new report folder: a draft to go on with, or a signed report to read."""
    if (arguments.output / "report.json").exists():
        raise Conflict(f"{arguments.output} holds a report already; choose another folder")
    report, masks = import_sr_seg(arguments.sr, arguments.seg)
    with whole_files(arguments.output) as folder:
        if report.signature is None:
            create_draft(folder, report, actor="import-dicom", check=check)
        else:  # its trail stayed where it was signed
            write_json(folder / "report.json", report_to_dict(report))
        (folder / "report.txt").write_text(report_text(report), encoding="utf-8")
        write_segmentation(masks, folder / MASKS_NAME, segments="structure")
    print(f"{arguments.output}: {len(report.sentences)} sentences. {state_line(report)}")
