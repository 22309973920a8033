"""The report as plain text for a RIS: headings by region, one paragraph each, the state of the report at the end."""

from __future__ import annotations

from ..report.document import Report
from ..report.sentence import Sentence
from .standing import authorship_line, kept, short_authorship, state_line


def report_text(report: Report) -> str:
    """Return the report as text with one paragraph per region; rejected sentences are left out."""
    keep = {s.id for s in kept(report)}
    blocks = []
    for region, sentences in report.by_region():
        words = " ".join(_words(s) for s in sentences if s.id in keep)
        if words:
            blocks.append(f"{region.name.upper() if region else 'WITHOUT A PLACE'}\n{words}")
    footer = [*report.notes, authorship_line(report), state_line(report)]
    return "\n\n".join([*blocks, "\n".join(footer)]) + "\n"


def _words(sentence: Sentence) -> str:
    """Return a sentence on one line; what its model must be called stands behind each, as text may be cut anywhere."""
    words = " ".join(sentence.text.split())
    return f"{words} [{short_authorship(sentence)[0]}]" if sentence.origin.label else words
