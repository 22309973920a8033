"""A report as the bytes of its file; one report has one form, so files can be compared byte by byte."""

from __future__ import annotations

from ..errors import InputRefused
from .canonical import parse, readable
from .document import Report
from .json_form import report_from_dict, report_to_dict
from .migration import migrate

DRAFT_NAME = "draft.json"
REPORT_NAME = "report.json"


def report_bytes(report: Report) -> bytes:
    """Return the content of a report file; InputRefused if the report holds what JSON cannot."""
    return readable(report_to_dict(report))


def report_from_bytes(content: bytes) -> Report:
    """Read the content of a report file of today's or an older schema; InputRefused names what does not fit."""
    return report_from_dict(migrate(parse(content)))


def lasting_bytes(report: Report) -> bytes:
    """Return the content of a report file after proof that reading it gives the same bytes again."""
    content = report_bytes(report)
    if report_bytes(report_from_bytes(content)) != content:
        raise InputRefused(f"report {report.id} does not survive being written and read")
    return content
