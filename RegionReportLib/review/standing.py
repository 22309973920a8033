"""How far a review is: what is judged, what is open, what still forbids signing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..anatomy.regions import Coverage
from ..report.document import Report
from ..report.sentence import Flag, FlagKind, Sentence, Verdict
from ..report.signing import Reason, may_sign

# How much of a region the scan holds, in the words of a panel, told by shape too.
COVERAGE_WORDS = {
    Coverage.COMPLETE: "● complete",
    Coverage.PARTIAL: "◐ partly in the scan",
    Coverage.ABSENT: "○ not in the scan",
}
# Flags that name no second place: there is nothing to show but the sentence's own.
_ONE_SIDED = (FlagKind.UNIT, FlagKind.COMPARISON, FlagKind.OUTSIDE)


def has_two_sides(flag: Flag) -> bool:
    """Tell whether a flag names a second place that can be shown beside the sentence's own."""
    return flag.kind not in _ONE_SIDED


@dataclass(frozen=True, slots=True)
class Standing:
    """Sentences judged of all, open blocking flags, kept sentences whose place was not viewed, reasons not to sign."""

    judged: int
    total: int
    open_flags: int
    unviewed: int
    reasons: tuple[Reason, ...]

    @property
    def words(self) -> str:
        """The standing in one line: '12 of 21 judged · 3 places to view · 1 flag open'."""
        parts = [f"{self.judged} of {self.total} judged"]
        if self.unviewed:
            parts.append(f"{self.unviewed} {'place' if self.unviewed == 1 else 'places'} to view")
        if self.open_flags:
            parts.append(f"{self.open_flags} {'flag' if self.open_flags == 1 else 'flags'} open")
        return " · ".join(parts)

    @property
    def obstacles(self) -> str:
        """The first eight kinds of what forbids signing, one a line with how often: '3 × not judged yet'."""
        counted = Counter(reason.message for reason in self.reasons)
        return "\n".join(f"{n} × {message}" if n > 1 else message for message, n in tuple(counted.items())[:8])


def standing_of(report: Report, name: str = "") -> Standing:
    """Return how far the review of a report is; without a signer's name its absence is not counted as a reason."""
    kept = [s for s in report.sentences if s.verdict is not Verdict.REJECTED]
    flags = [flag for s in kept for flag in s.flags] + list(report.flags)
    return Standing(
        judged=sum(s.verdict is not Verdict.PENDING for s in report.sentences),
        total=len(report.sentences),
        open_flags=sum(f.blocking and f.answer is None for f in flags),
        unviewed=sum(_to_view(s) for s in kept),
        reasons=may_sign(report, name or "?"),
    )


def _to_view(sentence: Sentence) -> bool:
    return bool(sentence.anchors) and not sentence.viewed
