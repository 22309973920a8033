"""Rows and parts: each row hides what its title says, and a part is the difference of its rows."""

from __future__ import annotations

import itertools

import pytest

from RegionReportLib.ablation.rows import ALL, BUILT_UP, PARTS, ROWS, rows_named
from RegionReportLib.errors import InputRefused
from RegionReportLib.model.visual_tokens import HIDEABLE

HIDDEN = {row.id: row.hidden for row in ROWS}


def test_rows_hide_what_can_be_hidden_and_no_two_the_same() -> None:
    assert {name for hidden in HIDDEN.values() for name in hidden} <= set(HIDEABLE)
    assert len(set(HIDDEN.values())) == len(ROWS) and HIDDEN[ALL] == frozenset()


def test_in_the_build_up_every_row_shows_more_than_the_one_before() -> None:
    shown = [row.hidden for row in BUILT_UP]
    assert all(later < earlier for earlier, later in itertools.pairwise(shown))


def test_the_worth_of_a_part_is_told_by_rows_that_differ_in_it_alone() -> None:
    for part in PARTS:
        own = HIDDEN[part.left_out]
        assert own, part.title
        if part.before is not None and part.after is not None:
            assert HIDDEN[part.before] - HIDDEN[part.after] == own, part.title
    assert {name for part in PARTS for name in HIDDEN[part.left_out]} == set(HIDEABLE)


def test_rows_are_chosen_by_id_in_the_order_of_the_table_and_all_parts_are_always_there() -> None:
    assert rows_named(()) == ROWS
    assert [row.id for row in rows_named(["no-mask", "even"])] == ["even", "all", "no-mask"]
    with pytest.raises(InputRefused, match="no row mask-token; rows are even, r2"):
        rows_named(["mask-token"])
