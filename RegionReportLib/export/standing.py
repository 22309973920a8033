"""What every export states about a report: its state, who wrote which share of it, and who signed.

The words live here once, so that no format says less than another.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

from ..report.document import Report, Status
from ..report.sentence import Author, Sentence, Verdict

# A verdict told by shape, so that it reads without colour; the same sign wherever a report is shown.
VERDICT_SIGN = {
    Verdict.PENDING: "○",
    Verdict.ACCEPTED: "✓",
    Verdict.EDITED: "✎",
    Verdict.REJECTED: "✗",
    Verdict.ADDED: "+",
}
_WRITTEN_BY = {
    Author.MEASURED: "written by measurement software",
    Author.MODEL: "written by a language model",
    Author.IMPORTED: "imported text",
    Author.READER: "written by the reader",
}


def kept(report: Report) -> tuple[Sentence, ...]:
    """Return the sentences that belong to the report: all but the rejected ones."""
    return tuple(s for s in report.sentences if s.verdict is not Verdict.REJECTED)


def authorship(sentence: Sentence) -> str:
    """Return who wrote a sentence, in words: 'measured', 'model, edited by the reader' …

    A model that must be called something, such as one for demonstration, is called that.
    """
    edited = ", edited by the reader" if _is_edited(sentence) else ""
    return f"{sentence.origin.label or sentence.origin.author.value}{edited}"


def short_authorship(sentence: Sentence) -> tuple[str, str]:
    """Return the same for a narrow column: who, of a label what stands before its first comma; and 'edited' or ''."""
    who = short_label(sentence.origin.label) or sentence.origin.author.value
    return who, "edited" if _is_edited(sentence) else ""


def short_label(label: str) -> str:
    """Return what stands before the first comma of a model's label, empty without one."""
    return label.partition(",")[0].strip()


def state_line(report: Report) -> str:
    """Return one line with the state of the report: draft with what is still unjudged, or signed by whom and when."""
    if report.status is Status.SIGNED and report.signature is not None:
        amends = f" Addendum to report {report.predecessor}." if report.predecessor else ""
        return f"Signed by {report.signature.name}, {_moment(report.signature.signed_at)}.{amends}"
    sentences = kept(report)
    judged = sum(s.verdict is not Verdict.PENDING for s in sentences)
    return f"DRAFT, not signed: {judged} of {len(sentences)} sentences judged by a reader."


def _moment(at: str) -> str:
    """Return an ISO 8601 time with zone to the minute, as a reader would write it; the exact one is in the report."""
    return f"{datetime.fromisoformat(at).astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC"


def authorship_line(report: Report) -> str:
    """Return one line with the number of sentences by author, and the writer and segmenter used."""
    counts = Counter((s.origin.author, _is_edited(s)) for s in kept(report))
    parts = []
    for author in Author:
        for edited in (False, True):
            if counts[author, edited]:
                suffix = ", edited by the reader" if edited else ""
                parts.append(f"{counts[author, edited]} {_WRITTEN_BY[author]}{suffix}")
    labels = dict.fromkeys(s.origin.label for s in kept(report) if s.origin.label)
    called = f" Language model: {'; '.join(labels)}." if labels else ""
    return (
        f"Sentences: {'; '.join(parts) or 'none'}.{called} Writer: {report.writer}. Segmentation: {report.segmenter}."
    )


def _is_edited(sentence: Sentence) -> bool:
    """Tell whether words of another author were changed by the reader; the reader's own stay the reader's."""
    changed = Verdict.EDITED in (sentence.verdict, sentence.verdict_before)
    return changed and sentence.origin.author is not Author.READER
