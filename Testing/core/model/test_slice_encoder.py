"""The built-in encoder and those of the transformers library: one form of features, frozen is frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, SiglipVisionConfig

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.backbones import resolved, settings_of
from RegionReportLib.model.config import Backbone, SliceConfig
from RegionReportLib.model.slice_encoder import SliceEncoder, channel_statistics

SIZES: dict[str, Any] = {
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 28,
    "patch_size": 7,
}


def noise(count: int = 3, size: int = 42) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def encoder(kind: str, **backbone: Any) -> SliceEncoder:
    torch.manual_seed(0)
    settings = {"model_type": kind, **SIZES}
    return SliceEncoder(SliceConfig((3, 42, 42), 7, backbone=Backbone(settings, **backbone), levels=(1, 2))).eval()


def test_the_built_in_encoder_halves_the_pixels_at_each_level() -> None:
    torch.manual_seed(0)
    seen = SliceEncoder(SliceConfig((3, 24, 40), 8, widths=(4, 6, 10)))(torch.zeros(3, 3, 24, 40, dtype=torch.uint8))
    assert [tuple(level.shape) for level in seen.levels] == [(3, 4, 12, 20), (3, 6, 6, 10), (3, 10, 3, 5)]
    assert seen.patches.shape == (3, 10, 3, 5)


def test_reading_a_few_slices_at_once_changes_nothing() -> None:
    whole, few = (SliceEncoder(SliceConfig((5, 16, 16), 4, widths=(4, 6), batch=batch)).eval() for batch in (16, 2))
    few.load_state_dict(whole.state_dict())
    slices = noise(5, 16)
    assert torch.allclose(whole(slices).patches, few(slices).patches, atol=1e-6)


@pytest.mark.parametrize("kind", ["dinov2", "dinov2_with_registers", "siglip_vision_model", "vit"])
def test_a_vision_transformer_gives_its_patches_at_another_size_than_it_learned(kind: str) -> None:
    model = encoder(kind)
    slices = noise()
    with torch.inference_mode():
        seen = model(slices)
        assert seen.patches.shape == (3, 8, 6, 6)
        assert [level.shape for level in seen.levels] == [seen.patches.shape] * 2
        # A patch follows the pixels behind it: one change at row 4, column 1 moves that patch most.
        changed = slices.clone()
        changed[0, :, 28:35, 7:14] = 255 - changed[0, :, 28:35, 7:14]
        moved = (model(changed).levels[0] - seen.levels[0]).norm(dim=1)
    assert divmod(int(moved[0].argmax()), 6) == (4, 1)
    assert moved[1:].max() == 0


def test_a_frozen_encoder_does_not_learn_and_stays_in_use_mode() -> None:
    model = encoder("dinov2", frozen=True).train()
    assert not model.network.training
    assert not model(noise()).patches.requires_grad
    assert not any(p.requires_grad for p in model.parameters())


def test_a_folder_brings_its_weights_and_the_statistics_of_its_pixels(tmp_path: Path) -> None:
    torch.manual_seed(4)
    original = Dinov2Model(Dinov2Config(**SIZES)).eval()
    original.save_pretrained(tmp_path)
    said = {"image_mean": [0.53, 0.53, 0.53], "image_std": [0.25, 0.26, 0.27]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(said), encoding="utf-8")
    backbone = resolved(Backbone({"model_type": "dinov2"}, folder=str(tmp_path)))
    assert backbone.width == 8
    model = SliceEncoder(SliceConfig((3, 42, 42), 7, backbone=backbone, levels=(1,)), weights=True).eval()
    slices = noise()
    with torch.inference_mode():
        pixels = (slices / 255 - 0.53) / torch.tensor([0.25, 0.26, 0.27]).view(3, 1, 1)
        expected = original(pixel_values=pixels).last_hidden_state[:, 1:]  # without the class token
        found = model(slices).patches
    assert torch.allclose(found.flatten(2).transpose(1, 2), expected, atol=1e-5)


def test_of_a_network_with_two_sides_the_image_side_is_taken(tmp_path: Path) -> None:
    said = {"model_type": "siglip", "vision_config": {"hidden_size": 8, "patch_size": 7}, "text_config": {}}
    (tmp_path / "config.json").write_text(json.dumps(said), encoding="utf-8")
    assert settings_of(tmp_path) == {"model_type": "siglip_vision_model", "hidden_size": 8, "patch_size": 7}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (None, NeedMissing),
        ("{", InputRefused),
        ('{"hidden_size": 8}', InputRefused),
        ('{"model_type": "dinov2", "auto_map": {"AutoModel": "theirs.Model"}}', InputRefused),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, said: str | None, error: type[Exception]) -> None:
    if said is not None:
        (tmp_path / "config.json").write_text(said, encoding="utf-8")
    with pytest.raises(error):
        settings_of(tmp_path)


def test_an_unknown_kind_of_network_is_refused() -> None:
    with pytest.raises(InputRefused, match="does not know"):
        encoder("no_such_network")


def test_without_statistics_pixels_lie_between_minus_one_and_one() -> None:
    assert channel_statistics(None) == ([0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize(
    "wrong", [{"size": (3, 40, 42), "patch": 7}, {"size": (3, 42, 42), "patch": 7}, {"size": (3, 16, 16), "patch": 8}]
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"patches|levels"):
        SliceConfig(**wrong, widths=(4, 6))


def test_a_backbone_needs_levels() -> None:
    with pytest.raises(ValueError, match="layers"):
        SliceConfig((3, 42, 42), 7, backbone=Backbone({"model_type": "dinov2", **SIZES}))


def test_the_library_still_has_the_networks_that_are_named() -> None:
    assert Dinov2WithRegistersConfig.model_type == "dinov2_with_registers"
    assert SiglipVisionConfig.model_type == "siglip_vision_model"
