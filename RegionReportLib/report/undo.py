"""Inverse edits: taking an edit back is an edit itself, so the record of a report only ever grows."""

from __future__ import annotations

from .apply import apply
from .document import Report
from .edits import Edit, PutBack


def inverse(before: Report, edit: Edit) -> PutBack:
    """Return the edit that takes `edit` back after it was applied to `before`; Conflict if it cannot be applied."""
    return difference(apply(before, edit), before)


def difference(current: Report, wanted: Report) -> PutBack:
    """Return the edit that turns the sentences and flags of `current` into those of `wanted`."""
    present = {s.id: s for s in current.sentences}
    order = tuple(s.id for s in wanted.sentences)
    return PutBack(
        sentences=tuple(s for s in wanted.sentences if present.get(s.id) != s),
        order=None if order == tuple(present) else order,
        flags=None if current.flags == wanted.flags else wanted.flags,
    )
