"""R² pooling on volumes small enough to count by hand, and the number of tokens that the paper states."""

from __future__ import annotations

import torch

from RegionReportLib.model import r2_tokens
from RegionReportLib.model.config import SliceChoice
from RegionReportLib.model.presets import demo, medregion


def test_a_global_token_is_the_mean_of_its_slice() -> None:
    patches = torch.zeros(2, 1, 2, 2)
    patches[0, 0] = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    patches[1, 0, 1, 1] = 8.0
    assert r2_tokens.global_tokens(patches).tolist() == [[3.0], [2.0]]


def test_the_slice_with_most_of_a_region_is_chosen_and_the_lower_of_two_equals() -> None:
    masks = torch.zeros(3, 4, 3, 3)
    masks[0, 1, 0, :2] = 1  # two voxels on slice 1
    masks[0, 3, :, 0] = 1  # three on slice 3
    masks[1, 1, 2, 2] = 1  # one each on slices 1 and 2
    masks[1, 2, 2, 2] = 1
    assert r2_tokens.slices_by_mask(masks).tolist() == [3, 1, -1]


def test_parts_of_voxels_count_as_parts() -> None:
    masks = torch.zeros(1, 2, 1, 3, dtype=torch.uint8)
    masks[0, 0, 0] = 100  # three voxels at 100/255
    masks[0, 1, 0, 0] = 255  # one whole voxel: less than 300/255
    assert r2_tokens.slices_by_mask(masks).tolist() == [0]


def test_a_chosen_slice_is_pooled_by_blocks_in_reading_order_and_an_empty_region_shows_zeros() -> None:
    patches = torch.zeros(2, 1, 2, 6)
    patches[1, 0] = torch.tensor([[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], [3.0, 4.0, 5.0, 10.0, 20.0, 30.0]])
    patches[0] = 7.0
    tokens = r2_tokens.slice_tokens(patches, torch.tensor([1, 1, -1]), (2, 3))
    assert tokens[:, :, 0].tolist() == [[3.0, 20.0], [3.0, 20.0], [0.0, 0.0]]  # a shared slice is shown twice


def test_even_slices_lie_in_the_middles_of_equal_parts() -> None:
    assert r2_tokens.slices_even(4, 32).tolist() == [4, 12, 20, 28]


def test_thirty_two_slices_of_18_by_18_tokens_become_the_356_of_the_paper() -> None:
    config = medregion()
    assert config.slices.token_grid == (18, 18)
    assert config.slice_shrink == (2, 3)
    patches = torch.zeros(32, 4, 18, 18)
    fast = r2_tokens.global_tokens(patches)
    slow = r2_tokens.slice_tokens(patches, torch.arange(6), config.slice_shrink)
    assert slow.shape == (6, 54, 4)
    assert len(fast) + slow.shape[0] * slow.shape[1] == config.r2_tokens == 356


def test_even_slices_give_as_many_tokens_as_chosen_ones() -> None:
    config = demo()
    assert config.parts.region_slices is SliceChoice.BY_MASK
    assert config.r2_tokens == 32 + 6 * 25
