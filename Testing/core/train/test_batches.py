"""Steps show the same studies whoever works on them and wherever a run is taken up."""

from __future__ import annotations

from collections import Counter

import pytest

from RegionReportLib.train.batches import Order, Share, batches
from RegionReportLib.train.example import Example, Showing

from .conftest import Blobs


@pytest.fixture
def order(blobs: Blobs) -> Order:
    return Order(blobs, (), Showing(), batch=4, seed=(3, 0))


def names(examples: list[Example]) -> list[tuple[str, ...]]:
    """The attributes of a blob name it."""
    return [one.study.study.attributes for one in examples]


def test_every_case_is_shown_once_in_each_turn_in_an_order_of_its_own(order: Order) -> None:
    turns = [[name for step in range(6 * n, 6 * n + 6) for name in names(order.step(step, Share()))] for n in (0, 1)]
    for turn in turns:
        assert len(turn) == 24 and set(Counter(turn).values()) == {1}
    assert turns[0] != turns[1]


def test_processes_share_a_batch_in_its_order(order: Order) -> None:
    whole = names(order.step(2, Share()))
    assert names(order.step(2, Share(0, 2))) + names(order.step(2, Share(1, 2))) == whole
    with pytest.raises(ValueError, match="cannot be divided among 3"):
        order.step(2, Share(0, 3))


def test_a_run_taken_up_sees_what_it_would_have_seen(order: Order) -> None:
    whole = [(names(b), [e.study.study.slots for e in b]) for b in batches(order, 0, 5, Share(), 0)]
    rest = [(names(b), [e.study.study.slots for e in b]) for b in batches(order, 3, 5, Share(), 0)]
    assert rest == whole[3:]
    assert list(batches(order, 5, 5, Share(), 0)) == []
