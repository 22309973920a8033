"""The encoders and the embedding: shapes, position tables, one channel for three, rows by id."""

from __future__ import annotations

import pytest
import torch

from RegionReportLib.model.perceiver import Perceiver
from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_config import PUBLISHED, EncoderConfig, PerceiverConfig, Reg2RGConfig
from RegionReportLib.model.vision_transformer import VisionTransformer, position_rows


def test_a_small_image_takes_evenly_spread_rows_of_the_tables() -> None:
    assert PUBLISHED.vision.tables == (16, 16, 128)
    assert PUBLISHED.mask.tables == (8, 8, 4)
    assert position_rows(8, 16) == [1, 3, 5, 7, 9, 11, 13, 15]
    assert position_rows(16, 128) == [7, 15, 23, 31, 39, 47, 55, 63, 71, 79, 87, 95, 103, 111, 119, 127]
    assert position_rows(8, 8) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert position_rows(4, 4) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="1 to 8 positions fit the table, got 9"):
        position_rows(9, 8)


def test_counts_of_the_published_network() -> None:
    assert (PUBLISHED.vision.patch_dim, PUBLISHED.mask.patch_dim) == (12288, 16384)
    assert (PUBLISHED.vision.tokens(PUBLISHED.size), PUBLISHED.mask.tokens(PUBLISHED.size)) == (1024, 256)
    assert (PUBLISHED.image_tokens, PUBLISHED.region_tokens, PUBLISHED.added_tokens) == (32, 33, 366)
    assert PUBLISHED.language.lora_scale == 4.0


def test_the_shapes_of_the_published_encoders() -> None:
    with torch.device("meta"):
        vision, mask = VisionTransformer(PUBLISHED.vision), VisionTransformer(PUBLISHED.mask)
        volumes, masks = torch.empty(2, 3, 256, 256, 64), torch.empty(2, 1, 256, 256, 64)
        tokens = vision(volumes)
        assert tokens.shape == (2, 1024, 768)
        assert mask(masks).shape == (2, 256, 255)
        assert Perceiver(PerceiverConfig())(tokens).shape == (2, 32, 768)


def test_tokens_run_height_slowest_and_depth_fastest_and_channels_fastest_within_a_patch() -> None:
    config = EncoderConfig((4, 4, 4), (2, 2, 2), channels=2, dim=3, depth=1, mlp_dim=4, heads=1, head_dim=2)
    encoder = VisionTransformer(config)
    seen: list[torch.Tensor] = []
    encoder.to_patch_embedding[1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    volume = torch.arange(2 * 4 * 4 * 4.0).view(1, 2, 4, 4, 4)
    encoder.patch_tokens(volume)
    patches = torch.cat(seen, dim=1)[0]  # (8, 16), a row of patches at a time
    assert patches[1, 0] == volume[0, 0, 0, 0, 2]  # the second token lies one patch deeper
    assert patches[2, 0] == volume[0, 0, 0, 2, 0]
    assert patches[4, 0] == volume[0, 0, 2, 0, 0]
    assert patches[0, :4].tolist() == [volume[0, c, 0, 0, d].item() for d in (0, 1) for c in (0, 1)]


def test_one_channel_stands_for_equal_channels(tiny: Reg2RG, tiny_config: Reg2RGConfig) -> None:
    encoder = tiny.embedding_layer.vision_encoder
    for module in encoder.modules():  # fresh norms would hide a mistake in folding them
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.normal_(module.weight)
            torch.nn.init.normal_(module.bias)
    one = torch.randn(2, 1, *tiny_config.size)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(one), encoder(one.expand(-1, 3, -1, -1, -1)), rtol=1e-4, atol=1e-5)


def test_a_volume_that_is_not_whole_patches_is_refused(tiny: Reg2RG) -> None:
    with pytest.raises(ValueError, match=r"in whole patches of \(8, 8, 2\), got \(1, 1, 16, 12, 8\)"):
        tiny.embedding_layer.vision_encoder(torch.zeros(1, 1, 16, 12, 8))


def test_each_id_gets_its_own_row(tiny: Reg2RG, tiny_config: Reg2RGConfig) -> None:
    layer, dim = tiny.embedding_layer, tiny_config.language.dim
    images = torch.randn(2, 4, dim)
    a, b, c = torch.randn(3, 5, dim)
    first, image, region = tiny_config.image_open_id, tiny_config.first_image_id, tiny_config.first_region_id
    assert (first, image, region) == (200, 204, 208)
    ids = torch.tensor([[1, 199, 200, 203, 204, 207, 208, 212, 213, 217], [0, 2, 201, 202, 205, 206, 208, 212, 213, 0]])
    with torch.inference_mode():
        out = layer(ids, images, [[a, b], [c]])
    marks, region_marks = layer.image_token_weight, layer.region_token_weight
    first_row = [layer.weight[1], layer.weight[199], marks[0], region_marks[1]]
    first_row += [images[0, 0], images[0, 3], a[0], a[4], b[0], b[4]]
    second_row = [layer.weight[0], layer.weight[2], marks[1], region_marks[0]]
    second_row += [images[1, 1], images[1, 2], c[0], c[4], torch.zeros(dim), layer.weight[0]]  # it has no slot 1
    assert torch.equal(out, torch.stack([torch.stack(first_row), torch.stack(second_row)]))


def test_a_prompt_can_be_learned_from(tiny: Reg2RG, tiny_config: Reg2RGConfig) -> None:
    layer = tiny.embedding_layer
    regions = layer.regions(torch.randn(1, 1, *tiny_config.size), torch.rand(1, *tiny_config.size))
    images = layer.texture(torch.randn(1, 1, *tiny_config.size))
    tiny(torch.tensor([[1, 200, 204, 201, 202, 208, 212, 203]]), images, [[regions[0]]]).sum().backward()
    learning = {name for name, p in tiny.named_parameters() if p.requires_grad and p.grad is not None}
    assert {
        "embedding_layer.fc.weight",
        "embedding_layer.mask_fc.bias",
        "embedding_layer.image_token_weight",
    } <= learning
    assert any("lora_A" in name for name in learning)
    assert not any("vision_encoder" in name or "embed_tokens" in name for name in learning)


def test_an_id_beyond_the_slots_is_refused(tiny: Reg2RG) -> None:
    with pytest.raises(ValueError, match=r"ids must lie in 0\.\.212, got 1\.\.213"):
        tiny.embedding_layer(torch.tensor([[1, 213]]), torch.zeros(1, 4, 16), [[torch.zeros(5, 16)]])
