"""The two tokens of a mask: what it holds follows the image under it, where it lies follows the mask."""

from __future__ import annotations

import torch

from RegionReportLib.model.config import MaskConfig
from RegionReportLib.model.mask_encoder import MaskToken, SpatialToken, mask_mean

EDGES_MM = torch.tensor([300.0, 300.0, 280.0])


def block(at: int) -> torch.Tensor:
    mask = torch.zeros(1, 2, 8, 8)
    mask[0, :, at : at + 4, :4] = 1
    return mask


def test_pooling_weighs_each_place_by_the_part_that_is_inside() -> None:
    level = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[10.0, 20.0], [30.0, 40.0]]]])  # (1 slice, 2 channels, 2, 2)
    mask = torch.zeros(3, 1, 4, 4)
    mask[0, 0, :2, :2] = 1  # all of the first place
    mask[0, 0, 2, 2] = 1  # a quarter of the last one
    mask[1] = 1
    # (1 × 1 + 4 × ¼) / 1¼, then plain means, then an empty mask.
    expected = torch.tensor([[1.6, 16.0], [2.5, 25.0], [0.0, 0.0]])
    assert torch.allclose(mask_mean(level, mask), expected)


def test_slices_count_by_how_much_of_the_mask_they_hold() -> None:
    level = torch.tensor([1.0, 5.0]).view(2, 1, 1, 1)
    mask = torch.tensor([0.25, 0.75]).view(1, 2, 1, 1)
    assert mask_mean(level, mask).tolist() == [[4.0]]


def test_levels_of_different_size_are_summed_each_by_its_own_layer() -> None:
    torch.manual_seed(0)
    part = MaskToken((2, 3), 5)
    fine, deep = torch.randn(2, 2, 8, 8), torch.randn(2, 3, 4, 4)
    means = [level[:, :, :half, :half].mean(dim=(0, 2, 3)) for level, half in ((fine, 4), (deep, 2))]
    summed = sum(linear.weight @ mean + linear.bias for linear, mean in zip(part.by_level, means, strict=True))
    expected = part.last.weight @ summed + part.last.bias
    assert torch.allclose(part((fine, deep), block(0))[0], expected, atol=1e-6)


def test_both_tokens_move_when_the_mask_moves() -> None:
    torch.manual_seed(0)
    held, place = MaskToken((2,), 5), SpatialToken(MaskConfig((2, 4, 4), hidden=6), 5)
    level = torch.randn(2, 2, 8, 8)
    assert not torch.allclose(held((level,), block(0)), held((level,), block(4)))
    assert not torch.allclose(place(block(0), EDGES_MM), place(block(4), EDGES_MM))


def test_on_an_image_that_is_everywhere_the_same_only_the_spatial_token_tells_the_place() -> None:
    torch.manual_seed(0)
    held, place = MaskToken((2,), 5), SpatialToken(MaskConfig((2, 4, 4), hidden=6), 5)
    level = torch.ones(2, 2, 8, 8)
    assert torch.allclose(held((level,), block(0)), held((level,), block(4)))
    assert not torch.allclose(place(block(0), EDGES_MM), place(block(4), EDGES_MM))


def test_the_spatial_token_knows_how_large_the_grid_is() -> None:
    torch.manual_seed(0)
    place = SpatialToken(MaskConfig((2, 4, 4), hidden=6), 5)
    assert not torch.allclose(place(block(0), EDGES_MM), place(block(0), EDGES_MM / 2))


def test_an_empty_mask_gives_the_same_token_whatever_the_image() -> None:
    torch.manual_seed(0)
    held = MaskToken((2,), 5)
    none = torch.zeros(1, 2, 8, 8)
    one, other = (held((torch.randn(2, 2, 8, 8),), none) for _ in range(2))
    assert torch.equal(one, other)
    assert torch.isfinite(one).all()
