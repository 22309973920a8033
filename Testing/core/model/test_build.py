"""Presets at full size without memory for it, the small one for real, and what building refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from RegionReportLib.imaging.box import Box
from RegionReportLib.model.build import build, config_of
from RegionReportLib.model.config import ModelConfig, Parts
from RegionReportLib.model.inputs import StudyInputs, working_grid
from RegionReportLib.model.language_model import base_of
from RegionReportLib.model.network import RegionReporter, TrainingStudy
from RegionReportLib.model.presets import demo, medregion, region_report, structure

SAID = ["Lungs: No pleural effusion. Nodule of 12 mm."]


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.fixture(scope="module")
def full() -> RegionReporter:
    with torch.device("meta"):
        return build("region-report", words=SAID, dtype=torch.bfloat16)


def test_the_full_size_holds_the_published_networks(full: RegionReporter) -> None:
    base = base_of(full.language_model)
    adapters = sum(p.numel() for n, p in full.language_model.named_parameters() if "lora_" in n)
    # Llama-3-8B has 8 030 261 248 weights; r 16 on q, k, v, o of 32 layers: 16 · (8192 + 5120 + 5120 + 8192) each.
    assert adapters == 32 * 16 * (8192 + 5120 + 5120 + 8192)
    rows = 2 * 13 * 4096  # our marks in both tables
    assert count(full.language_model) - adapters - rows == 8_030_261_248
    assert base.dtype == torch.bfloat16
    # DINOv2 ViT-B/14 has 86 580 480 weights; Reg2RG's encoders are 66 208 000 and 6 569 359, its resampler 37 802 496.
    assert count(full.visual.slice_encoder) == 86_580_480
    assert count(full.visual.texture.encoder) == 66_208_000
    assert count(full.visual.geometry.encoder) == 6_569_359
    assert count(full.visual.texture.perceiver) == 37_802_496


def test_what_is_pretrained_at_full_size_does_not_train(full: RegionReporter) -> None:
    frozen = {n.split(".")[0] + "." + n.split(".")[1] for n, p in full.named_parameters() if not p.requires_grad}
    assert frozen == {"visual.slice_encoder", "text_side.network", "language_model.base_model"}
    assert all(p.requires_grad for p in full.visual.texture.parameters())


def test_a_scan_passes_through_the_full_size(full: RegionReporter) -> None:
    config = full.config
    height, width, depth = config.local.size_hwd
    kind: dict[str, Any] = {"dtype": torch.uint8, "device": "meta"}
    study = StudyInputs(
        slices=torch.empty(32, 3, 252, 252, **kind),
        masks=torch.empty(6, 32, 252, 252, **kind),
        crops=torch.empty(6, 3, height, width, depth, **kind),
        attributes=("Lungs: volume 4900.0 mL.",),
        frame=working_grid(Box((-150.0, -150.0, 0.0), (150.0, 150.0, 300.0)), config.slices.size),
    )
    more = len(full.attribute_ids(study.attributes)) + len(full.tokenizer.encode(config.instruction, marks=True))
    with torch.inference_mode():
        seen = full.encode(study)
        assert full.prefix(seen).shape == (1, 356 + 2 + 6 + more, 4096)
        assert full.region_prompt(seen, "lungs").shape == (1, 47, 4096)
        assert full.prefix(seen).dtype == torch.bfloat16
        assert full.features(seen).shape == (768, 32, 18, 18)
        written = full([TrainingStudy(study, {"lungs": "Nodule <box>."})], contrast=False).written
    assert written is not None
    assert written.logits.shape[-1] == 128256


def test_full_size_counts_of_tokens() -> None:
    ours, paper, observing = region_report(), medregion(), structure()
    assert ours.r2_tokens == paper.r2_tokens == 356
    assert (ours.mask_tokens, ours.local_tokens, ours.structure_tokens) == (2, 33, 10)
    assert ours.region_tokens == 2 + 2 + 33 + 10
    assert (paper.mask_tokens, paper.local_tokens, paper.structure_tokens) == (2, 0, 0)
    assert (observing.prefix_tokens, observing.region_tokens) == (0, 2 + 10)


@pytest.mark.parametrize("preset", ["medregion", "structure"])
def test_the_networks_of_the_papers_have_only_their_own_parts(preset: str) -> None:
    with torch.device("meta"):
        model = build(preset, words=SAID)
    names = {name for name, _ in model.visual.named_children()}
    own = {
        "medregion": {"slice_encoder", "connector", "mask_token", "spatial_token"},
        "structure": {"slice_encoder", "structure_queries", "structure_connector"},
    }
    assert names == own[preset]
    assert (model.text_side is None) == (preset == "medregion")
    assert model.box_head is None


def test_the_demo_fits_into_25_megabytes_of_half_precision() -> None:
    model = build("demo", words=SAID)
    assert 2_000_000 < count(model) < 12_000_000
    assert model.config.parts == Parts()
    assert model.box_head is not None


def test_the_same_seed_builds_the_same_network_and_leaves_the_callers_chance_alone(
    toy_reporter: Callable[..., RegionReporter],
) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    one, same, other = toy_reporter(seed=1), toy_reporter(seed=1), toy_reporter(seed=2)
    assert torch.equal(torch.rand(3), expected)
    names = [dict(model.named_parameters()) for model in (one, same, other)]
    assert all(torch.equal(names[0][n], names[1][n]) for n in names[0])
    assert not torch.equal(names[0]["visual.connector.weight"], names[2]["visual.connector.weight"])


def test_what_cannot_be_built_is_refused(toy_config: ModelConfig) -> None:
    with pytest.raises(ValueError, match="known are medregion, structure, region-report, demo"):
        build("medrg", words=SAID)
    with pytest.raises(ValueError, match="words"):
        build(toy_config)
    with pytest.raises(ValueError, match="does not shrink"):
        replace(demo(), slices=replace(demo().slices, size=(32, 72, 72)))
    assert config_of(toy_config) is toy_config
