"""DICOM at the command line: a report folder as SEG and SR, and back."""

from __future__ import annotations

import argparse

from ..errors import Conflict
from ..export.dicom_import import import_sr_seg
from ..export.dicom_sr_reading import as_exported
from ..export.standing import state_line
from ..export.text import report_text
from ..grounding.contradictions import check
from ..imaging.atomic import whole_files
from ..imaging.mask_files import write_masks
from ..report.json_form import report_to_dict
from ..report.store import create_draft
from .outputs import write_json

_OF_A_SIGNED_ONE = """\
The content is what was exported (SHA-256): words, places, authors, verdicts, measurements, name and time of signing.
The signature itself cannot be verified from DICOM: it also covers rejected sentences, flags and the trail, which stay
where it was signed (`regionreport verify` there). This copy is for reading."""


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
        write_masks(masks, folder)
    print(f"{arguments.output}: {len(report.sentences)} sentences. {state_line(report)}")
    if not as_exported(arguments.sr):  # read_sr has refused a signed one
        print("The content was CHANGED after it was exported (its SHA-256 does not fit).")
    elif report.signature is None:
        print("The content is what was exported (SHA-256).")
    else:
        print(_OF_A_SIGNED_ONE)
