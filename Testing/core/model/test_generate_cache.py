"""The cache with room holds what it was given, in every row, however it grew."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from RegionReportLib.model.generate_cache import ROOM, Beginning, RoomyLayer, Shared, copies, roomy_cache


def filled(counts: list[int], rows: int = 2) -> tuple[RoomyLayer, Tensor]:
    torch.manual_seed(0)
    layer, parts = RoomyLayer(), []
    for count in counts:
        parts.append(torch.randn(rows, 3, count, 4))
        layer.update(parts[-1], -parts[-1])
    return layer, torch.cat(parts, dim=2)


@pytest.mark.parametrize("counts", [[5], [5, 1, 1], [ROOM - 1, 1, 1, 1, ROOM, 2]])
def test_all_that_was_given_is_there_in_order(counts: list[int]) -> None:
    layer, given = filled(counts)
    assert torch.equal(layer.keys, given) and torch.equal(layer.values, -given)
    assert layer.get_seq_length() == sum(counts)


def test_a_word_more_does_not_move_what_is_there() -> None:
    layer, _ = filled([5])
    before = layer.keys.data_ptr()
    layer.update(torch.zeros(2, 3, 1, 4), torch.zeros(2, 3, 1, 4))
    assert layer.keys.data_ptr() == before


def test_rows_that_are_kept_go_on_alone() -> None:
    layer, given = filled([5, 1])
    layer.batch_select_indices(torch.tensor([1]))
    new = torch.randn(1, 3, 1, 4)
    layer.update(new, -new)
    assert torch.equal(layer.keys, torch.cat((given[1:], new), dim=2))
    assert torch.equal(layer.values, -layer.keys)


def test_copies_have_the_same_start_and_leave_the_original_alone() -> None:
    cache = roomy_cache()
    start = torch.randn(1, 3, 5, 4)
    for number in range(2):
        cache.update(start + number, start - number, number)
    rows = copies([cache], [3])
    new = torch.randn(3, 3, 2, 4)
    keys, values = rows.update(new, -new, 1)
    assert torch.equal(keys, torch.cat(((start + 1).expand(3, -1, -1, -1), new), dim=2))
    assert torch.equal(values[:, :, :5], (start - 1).expand(3, -1, -1, -1))
    assert torch.equal(cache.layers[1].keys, start + 1)


def test_copies_of_several_lengths_are_padded_in_front() -> None:
    caches = []
    for length in (2, 5):
        caches.append(roomy_cache())
        start = torch.randn(1, 3, length, 4)
        caches[-1].update(start, -start, 0)
    keys = copies(caches, [2, 1]).layers[0].keys
    short, long = (cache.layers[0].keys for cache in caches)
    assert keys.shape == (3, 3, 5, 4)
    assert torch.equal(keys[:2, :, 3:], short.expand(2, -1, -1, -1)) and not keys[:2, :, :3].any()
    assert torch.equal(keys[2:], long)


def test_beginnings_follow_their_rows_and_go_with_the_last_one() -> None:
    begun = [Beginning(torch.ones(3, n, 4), torch.ones(3, n, 4), *rows) for n, rows in ((5, (0, 2)), (2, (2, 5)))]
    shared = Shared(5, tuple(begun))
    left = shared.of_rows([1, 2, 4])
    assert [(b.start, b.stop, b.keys.shape[1]) for b in left.beginnings] == [(0, 1, 5), (1, 3, 2)]
    last = left.of_rows([1, 2])
    assert [(b.start, b.stop, b.keys.shape[1]) for b in last.beginnings] == [(0, 2, 2)]
    assert last.length == 5, "places are counted as before, so that masks stay true"


def test_a_cache_of_another_kind_is_refused() -> None:
    from transformers import DynamicCache

    cache = DynamicCache()
    cache.update(torch.zeros(1, 3, 5, 4), torch.zeros(1, 3, 5, 4), 0)
    with pytest.raises(ValueError, match="is not one of `roomy_cache`"):
        copies([cache], [2])
