"""The commands that take a report folder further: show, export."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputRefused
from ..export.html import report_html
from ..export.standing import authorship, authorship_line, state_line
from ..export.text import report_text
from ..report.document import Report
from ..report.json_form import report_from_json, report_to_dict
from ..report.sentence import Sentence, Verdict
from .outputs import whole, write_json

_STATE = {
    Verdict.PENDING: "○",
    Verdict.ACCEPTED: "✓",
    Verdict.EDITED: "✎",
    Verdict.REJECTED: "✗",
    Verdict.ADDED: "+",
}


def show(arguments: argparse.Namespace) -> None:
    """Print each sentence with its state, its place and its flags."""
    report = load(arguments.folder)
    for region, sentences in report.by_region():
        title = region.name if region else "Without a place"
        print(f"\n{title}" + (f"  [{report.coverage[region.id].value}]" if region else ""))
        for sentence in sentences:
            print(f"  {_STATE[sentence.verdict]} {sentence.text}")
            print(f"      {_where(sentence)} · {authorship(sentence)}")
            for flag in sentence.flags:
                print(f"      ⚠ {flag.message}")
    print(f"\n{authorship_line(report)}\n{state_line(report)}")


def export(arguments: argparse.Namespace) -> None:
    """Write a report in the asked formats; the HTML has no pictures, because the scan is not read again."""
    report = load(arguments.folder)
    target = arguments.output or arguments.folder
    with whole(target) as folder:
        for name in arguments.format or ("text", "html"):
            if name == "text":
                (folder / "report.txt").write_text(report_text(report), encoding="utf-8")
            elif name == "html":
                (folder / "report.html").write_text(report_html(report), encoding="utf-8")
            else:
                write_json(folder / "report.json", report_to_dict(report))
    print(target)


def load(folder: Path) -> Report:
    """Read the report of a report folder; InputRefused if it holds none."""
    source = folder / "report.json"
    if not source.is_file():
        raise InputRefused(f"{folder} is no report folder: it has no report.json")
    return report_from_json(source.read_bytes())


def _where(sentence: Sentence) -> str:
    return "; ".join(f"⌖ {a.place.name} ({a.place.spot})" for a in sentence.anchors) or "⌖ no place"
