"""The states a report went through, and what undo and redo reach.

Undo takes back the last deliberate act together with the viewings after it: looking at a place is no step of its own.
A new deliberate act ends what could be redone; a viewing does not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import Conflict
from .document import Report
from .edits import MarkViewed


@dataclass(frozen=True, slots=True)
class Step:
    """The act number `seq` of a trail, from one state to the next."""

    seq: int
    kind: str
    before: Report
    after: Report


@dataclass(frozen=True, slots=True)
class Timeline:
    """The current `report` with the steps that can be taken back and those that can be done again."""

    report: Report
    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()

    def acted(self, seq: int, kind: str, after: Report) -> Timeline:
        """Return the timeline after a new act."""
        step = Step(seq, kind, self.report, after)
        return Timeline(after, (*self.done, step), self.undone if kind == MarkViewed.kind else ())

    def to_undo(self) -> Step:
        """Return the act that undo takes back, from the state it leads to now; Conflict if there is none."""
        if not self.done:
            raise Conflict("there is nothing to undo")
        step = self.done[self._last()]
        return replace(step, after=self.report)

    def to_redo(self) -> Step:
        """Return the act that redo does again; Conflict if there is none."""
        if not self.undone:
            raise Conflict("there is nothing to redo")
        return self.undone[-1]

    def undo(self, after: Report) -> Timeline:
        """Return the timeline after `to_undo` was taken back, which led to the state `after`."""
        return Timeline(after, self.done[: self._last()], (*self.undone, self.to_undo()))

    def redo(self, after: Report) -> Timeline:
        """Return the timeline after `to_redo` was done again, which led to the state `after`."""
        step = replace(self.to_redo(), before=self.report, after=after)
        return Timeline(after, (*self.done, step), self.undone[:-1])

    def now(self, report: Report) -> Timeline:
        """Return the timeline with the current report replaced by something that is no step, such as new flags."""
        return replace(self, report=report)

    def _last(self) -> int:
        """Return the index of the last deliberate act, or 0 if there are viewings only."""
        deliberate = (n for n in range(len(self.done) - 1, -1, -1) if self.done[n].kind != MarkViewed.kind)
        return next(deliberate, 0)
