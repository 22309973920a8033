"""FHIR at the command line: a report folder as a transaction Bundle, checked before it is written."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from ..errors import NeedMissing
from ..export.dicom_export import SEG_NAME
from ..export.fhir import bundle_json, report_bundle
from ..export.fhir_check import profile_problems, structure_problems
from ..export.fhir_segments import seg_reference
from ..report.document import Report

NAME = "report.fhir.json"


def write_fhir(report: Report, arguments: argparse.Namespace, folder: Path) -> None:
    """Write the bundle; its phrases point at segments if a DICOM SEG lies beside the report or is written with it."""
    beside = (folder / SEG_NAME, arguments.folder / SEG_NAME)
    seg = next((seg_reference(path) for path in beside if path.is_file()), None)
    bundle = report_bundle(report, seg=seg, wado_rs=arguments.wado_rs or "", organization=arguments.organization or "")
    problems = profile_problems(bundle)
    with suppress(NeedMissing):  # a second opinion: the bundle does not need the package
        problems += structure_problems(bundle)
    if problems:
        raise AssertionError(f"the bundle is not what it should be: {'; '.join(problems[:3])}")
    (folder / NAME).write_bytes(bundle_json(bundle))
