"""The commands that take a report folder further: show, export, verify, sign, history."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import Conflict, InputRefused
from ..export.html import report_html
from ..export.standing import VERDICT_SIGN, authorship, authorship_line, state_line
from ..export.text import report_text
from ..grounding.contradictions import check
from ..report import verify as report_verify
from ..report.document import Report
from ..report.journal import JOURNAL_NAME
from ..report.json_form import report_from_json, report_to_dict
from ..report.sentence import Sentence
from ..report.signing import may_sign
from ..report.store import open_draft, view_draft
from .outputs import whole, write_json


def show(arguments: argparse.Namespace) -> None:
    """Print each sentence with its state, its place and its flags."""
    report = load(arguments.folder)
    for region, sentences in report.by_region():
        title = region.name if region else "Without a place"
        print(f"\n{title}" + (f"  [{report.coverage[region.id].value}]" if region else ""))
        for sentence in sentences:
            print(f"  {VERDICT_SIGN[sentence.verdict]} {sentence.text}")
            print(f"      {_where(sentence)} · {authorship(sentence)}")
            for flag in sentence.flags:
                print(f"      ⚠ {flag.message}")
    print(f"\n{authorship_line(report)}\n{state_line(report)}")


def export(arguments: argparse.Namespace) -> None:
    """Write a report in the asked formats; the HTML has no pictures, because the scan is not read again."""
    report = load(arguments.folder)
    target = arguments.output or arguments.folder
    with whole(target) as folder:
        # FHIR last: it points at the segments of the DICOM that may be written with it.
        for name in sorted(arguments.format or ("text", "html"), key="fhir".__eq__):
            if name == "text":
                (folder / "report.txt").write_text(report_text(report), encoding="utf-8")
            elif name == "html":
                (folder / "report.html").write_text(report_html(report), encoding="utf-8")
            elif name == "dicom":
                from .dicom import write_dicom  # here, because it loads pydicom, which no other format needs

                write_dicom(report, arguments, folder)
            elif name == "fhir":
                from .fhir import write_fhir  # here, for the same reason

                write_fhir(report, arguments, folder)
            else:
                write_json(folder / "report.json", report_to_dict(report))
    print(target)


def verify(arguments: argparse.Namespace) -> None:
    """Say whether a report and its trail are as they were written; InputRefused names what is not."""
    findings = report_verify.verify(arguments.folder)
    for finding in findings:
        print(f"{finding.file}: {finding.message}")
    serious = [f for f in findings if f.serious]
    if serious:
        raise InputRefused(f"{arguments.folder} is not as it was written: {len(serious)} finding(s), see above")
    print(f"{arguments.folder}: report and trail are intact")


def sign(arguments: argparse.Namespace) -> None:
    """Sign a report; Conflict with all reasons printed if something forbids it."""
    with open_draft(arguments.folder, actor=arguments.name, check=check) as draft:
        reasons = may_sign(draft.report, arguments.name)
        for reason in reasons:
            print(f"{reason.sentence_id or 'report'}: {reason.message}")
        if reasons:
            raise Conflict(f"not signed: {len(reasons)} reason(s), see above")
        draft.sign(arguments.name)
        print(state_line(draft.report))


def history(arguments: argparse.Namespace) -> None:
    """Print the trail: when, who, what, from which words to which."""
    for entry in view_draft(arguments.folder).history():
        act = entry.act
        print(f"{entry.seq:4} {act.at} {act.actor}: {act.kind.replace('_', ' ')}")
        for words in act.words:
            print(f"       {words.sentence_id}: {words.before or '–'}")
            print(f"       {' ' * len(words.sentence_id)}→ {words.after or '–'}")


def load(folder: Path) -> Report:
    """Read the report of a folder as its trail tells it, so also after a crash; InputRefused if it holds none."""
    source = folder / "report.json"
    if not source.is_file():
        raise InputRefused(f"{folder} is no report folder: it has no report.json")
    if (folder / JOURNAL_NAME).is_file():
        return view_draft(folder).report
    return report_from_json(source.read_bytes())


def _where(sentence: Sentence) -> str:
    return "; ".join(f"⌖ {a.place.name} ({a.place.spot})" for a in sentence.anchors) or "⌖ no place"
