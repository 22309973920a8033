"""The rows of the ablation: what each leaves out of what the language model is shown.

One network writes them all. It was trained with parts hidden by chance, so what a row lacks it has learned to do
without; a network that was always shown everything would only be surprised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import InputRefused

ALL, NORMAL, MEASURED = "all", "normal", "measured"
"""Ids of the full model and of the two rows that no network writes."""
BASELINES: dict[str, str] = {NORMAL: "normal template", MEASURED: "measured writer"}


@dataclass(frozen=True, slots=True)
class Row:
    """A way of showing a study: its `id`, its `title` in the table, and what is hidden (`VisualTokens.hidden`)."""

    id: str
    title: str
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the network whose worth is told: the row with all other parts (`left_out`), and in the build-up the
    rows just before it comes and with it."""

    title: str
    left_out: str
    before: str | None = None
    after: str | None = None


_EVEN = frozenset({"even_slices"})
_SLICES = frozenset({"region_slices"})
_MASK = frozenset({"mask_token", "spatial_token"})
_LOCAL = frozenset({"texture", "geometry"})
_LINES = frozenset({"attributes"})
_STRUCTURE = frozenset({"structure_tokens"})
_FINDING = frozenset({"finding_token"})

BUILT_UP: tuple[Row, ...] = (
    Row("even", "whole scan + even slices", _EVEN | _MASK | _LOCAL | _LINES | _STRUCTURE | _FINDING),
    Row("r2", "R² slices instead", _MASK | _LOCAL | _LINES | _STRUCTURE | _FINDING),
    Row("mask", "+ mask tokens", _LOCAL | _LINES | _STRUCTURE | _FINDING),
    Row("local", "+ local features", _LINES | _STRUCTURE | _FINDING),
    Row("attributes", "+ attributes", _STRUCTURE | _FINDING),
    Row("structure", "+ structure tokens", _FINDING),
    Row(ALL, "+ finding token = all parts"),
)
LEFT_OUT: tuple[Row, ...] = (
    Row("no-r2", "all, with even slices", _EVEN),
    Row("no-slices", "all without slices", _SLICES),
    Row("no-mask", "all without mask tokens", _MASK),
    Row("no-local", "all without local features", _LOCAL),
    Row("no-attributes", "all without attributes", _LINES),
    Row("no-structure", "all without structure tokens", _STRUCTURE),
    Row("no-plan", "all without the plan", frozenset({"plan"})),
    Row("no-global", "all without the whole scan", frozenset({"global_tokens"})),
)
ROWS: tuple[Row, ...] = BUILT_UP + LEFT_OUT

PARTS: tuple[Part, ...] = (
    Part("R² instead of even slices", "no-r2", "even", "r2"),
    Part("one slice of each region", "no-slices"),
    Part("mask tokens", "no-mask", "r2", "mask"),
    Part("local features", "no-local", "mask", "local"),
    Part("attributes", "no-attributes", "local", "attributes"),
    Part("structure tokens", "no-structure", "attributes", "structure"),
    Part("finding token", "structure", "structure", ALL),
    Part("plan", "no-plan"),
    Part("whole scan", "no-global"),
)


def rows_named(ids: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows of these ids, the full model always among them, in the order of the table; empty means all.

    InputRefused names the known ids.
    """
    unknown = set(ids) - {row.id for row in ROWS}
    if unknown:
        raise InputRefused(f"no row {', '.join(sorted(unknown))}; rows are {', '.join(row.id for row in ROWS)}")
    return tuple(row for row in ROWS if not ids or row.id in ids or row.id == ALL)
