"""Looking for tampering and damage in a draft folder, without changing anything.

Found for sure: any changed byte of `draft.json`, `report.json` or `audit.jsonl`; entries of the trail that were
changed, removed, inserted, moved or cut; a report that its trail does not tell; a signature that does not fit.
Not found: whole entries missing at the end of an unsigned trail if `report.json` was set back too or the missing acts
changed nothing between them; and everything made anew consistently, since no secret key is involved. A head digest
(`Draft.head`) kept elsewhere shows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InputRefused
from .audit import Entry
from .document import Report, Status
from .journal import JOURNAL_NAME
from .opening import ReportFile, compare_report_file, read_entries, read_initial, read_report_file
from .replay import states
from .report_file import DRAFT_NAME, REPORT_NAME, report_bytes, report_from_bytes
from .signing import TrailHead, verify_signature


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written: in which `file`, and what.

    `serious` is False for what an interrupted program leaves behind and the next opening puts right.
    """

    file: str
    message: str
    serious: bool = True


def verify(folder: Path, head: TrailHead | None = None) -> tuple[Finding, ...]:
    """Return everything that does not fit in a draft folder; empty if it is intact.

    `head` is a head of the trail that was kept elsewhere, if there is one.
    """
    findings: list[Finding] = []
    try:
        content = read_report_file(folder)
        findings += _report_file_alone(content)
    except InputRefused as cause:
        return (Finding(REPORT_NAME, str(cause)),)
    try:
        trail = read_entries(folder)
    except InputRefused as cause:
        return (*findings, Finding(JOURNAL_NAME, str(cause)))
    entries = trail.entries
    if trail.tail:
        findings.append(Finding(JOURNAL_NAME, trail.note, serious=False))
    if head is not None and all(entry.head != head for entry in entries):
        findings.append(
            Finding(JOURNAL_NAME, f"the trail does not hold the known entry {head.length}: it was rewritten")
        )
    try:
        initial = read_initial(folder, entries[0])
    except InputRefused as cause:
        return (*findings, Finding(DRAFT_NAME, str(cause)))
    try:
        reports = [initial, *(timeline.report for timeline in states(initial, entries))]
    except InputRefused as cause:
        return (*findings, Finding(JOURNAL_NAME, str(cause)))
    return (*findings, *_against_trail(content, reports, entries))


def _report_file_alone(content: bytes | None) -> list[Finding]:
    """Return what is wrong with report.json by itself: no report, or not what was signed."""
    if content is None:
        return [Finding(REPORT_NAME, "is missing")]
    try:
        report = report_from_bytes(content)
    except InputRefused as cause:
        return [Finding(REPORT_NAME, str(cause))]
    if report.status is Status.SIGNED and not verify_signature(report):
        return [Finding(REPORT_NAME, "the content is not what was signed")]
    return []


def _against_trail(content: bytes | None, reports: list[Report], entries: tuple[Entry, ...]) -> list[Finding]:
    """Return how report.json differs from what its trail tells; what is wrong with it alone is told already."""
    try:
        state = compare_report_file(content, reports)
    except InputRefused:
        return []
    if content is None or state in (ReportFile.CURRENT, ReportFile.DAMAGED):
        return []
    if state is ReportFile.BEHIND:
        return [Finding(REPORT_NAME, "is an earlier state of the report, as a crash leaves it", serious=False)]
    if state is ReportFile.REWORDED:
        return [Finding(REPORT_NAME, "holds the report in another form than it was written in")]
    found = report_from_bytes(content)
    findings = [Finding(REPORT_NAME, f"differs from what its trail tells at {_difference(found, reports[-1])}")]
    if found.signature is not None and found.signature.trail_length + 1 != len(entries):
        wanted = found.signature.trail_length + 1
        findings.append(Finding(JOURNAL_NAME, f"the signed report had {wanted} entries, there are {len(entries)}"))
    return findings


def _difference(found: Report, told: Report) -> str:
    for one, other in zip(report_bytes(found).splitlines(), report_bytes(told).splitlines(), strict=False):
        if one != other:
            return f"{one.decode().strip()!r:.90}; the trail tells {other.decode().strip()!r:.90}"
    return "its end"
