"""A network saved and loaded is the same; a folder that is not whole or not ours is refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Dinov2Config, Dinov2Model, LlamaConfig, LlamaForCausalLM

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.build import Folders, build
from RegionReportLib.model.checkpoint import from_plain, load, save, to_plain
from RegionReportLib.model.config import Backbone, LoraConfig, ModelConfig, SliceConfig
from RegionReportLib.model.digests import digests_of
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.network import Claim, RegionReporter, TrainingStudy
from RegionReportLib.model.presets import PRESETS
from RegionReportLib.model.tokenizer import ReportTokenizer
from RegionReportLib.progress import finish

Make = Callable[..., RegionReporter]


def said(model: RegionReporter, study: StudyInputs) -> torch.Tensor:
    with torch.inference_mode():
        out = model([TrainingStudy(study, {"lungs": "Nodule <box>."}, (Claim("lungs", "No effusion."),))])
    assert out.written is not None
    assert out.contrasted is not None
    return torch.cat((out.written.logits.flatten(), out.contrasted.support, out.features.flatten()))


def rewritten(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Change the tensors of a checkpoint and set its digest right again."""
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file)
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    content["digests"].update(finish(digests_of(folder, [file])))
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_loaded_network_says_exactly_what_the_saved_one_said(
    toy_reporter: Make, toy_study: StudyInputs, tmp_path: Path
) -> None:
    model = toy_reporter(seed=5)
    save(model, tmp_path / "net")
    again = finish(load(tmp_path / "net"))
    assert again.config == model.config
    assert not again.training
    assert torch.equal(said(again, toy_study), said(model, toy_study))
    assert not torch.equal(said(toy_reporter(seed=6), toy_study), said(model, toy_study))


def test_half_as_many_bytes_lose_little_and_lose_it_once(
    toy_reporter: Make, toy_study: StudyInputs, tmp_path: Path
) -> None:
    model = toy_reporter()
    save(model, tmp_path / "whole")
    first = save(model, tmp_path / "half", torch.float16)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.8 * sizes[0]
    again = finish(load(tmp_path / "half"))
    assert next(again.parameters()).dtype == torch.float32
    assert torch.allclose(said(again, toy_study), said(model, toy_study), atol=0.05)
    assert save(again, tmp_path / "again", torch.float16) == first


def test_a_changed_file_is_noticed(toy_reporter: Make, tmp_path: Path) -> None:
    save(toy_reporter(), tmp_path)
    file = tmp_path / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputRefused, match=r"model\.safetensors is not the file"):
        finish(load(tmp_path))


def test_missing_unknown_and_misshapen_tensors_are_named(toy_reporter: Make, tmp_path: Path) -> None:
    name = "visual.connector.bias"
    changes: list[tuple[Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], str]] = [
        (lambda t: {k: v for k, v in t.items() if k != name}, r"lacks 1 of \d+ tensors, first visual\.connector\.bias"),
        (lambda t: {**t, "stranger": torch.zeros(1)}, r"holds unknown 1 .* first stranger"),
        (lambda t: {**t, name: torch.zeros(3)}, r"visual\.connector\.bias has shape \(3,\).* expected \(8,\)"),
    ]
    for n, (change, message) in enumerate(changes):
        save(toy_reporter(), tmp_path / str(n))
        rewritten(tmp_path / str(n), change)
        with pytest.raises(InputRefused, match=message):
            finish(load(tmp_path / str(n)))


def test_weights_of_a_network_without_a_part_do_not_fit_one_with_it(toy_reporter: Make, tmp_path: Path) -> None:
    model = toy_reporter(parts=replace(toy_reporter().config.parts, geometry=False))
    save(model, tmp_path)
    content = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    content["config"]["parts"]["geometry"] = True
    (tmp_path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputRefused, match=r"lacks .*visual\.geometry"):
        finish(load(tmp_path))


def test_a_folder_without_a_network_or_of_another_kind_is_refused(toy_reporter: Make, tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match="no trained network"):
        finish(load(tmp_path))
    save(toy_reporter(), tmp_path)
    file = tmp_path / "config.json"
    good = file.read_text(encoding="utf-8")
    for bad, message in (
        ("{", "not JSON"),
        ('{"model_type": "llama"}', "expected regionreport"),
        ("[1, 2]", "expected regionreport"),
        (good.replace('"version": 1', '"version": 9'), "version 9"),
        (good.replace('"digests"', '"digest"'), "must hold"),
        (good.replace('"by_mask"', '"by_luck"'), "by_luck"),
        (good.replace('"patch": 4', '"patch": 5'), "patches"),
        (good.replace('"attribute_tokens"', '"atribute_tokens"'), "atribute_tokens"),
    ):
        file.write_text(bad, encoding="utf-8")
        with pytest.raises(InputRefused, match=message):
            finish(load(tmp_path))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(NeedMissing, match=r"tokenizer\.json"):
        finish(load(tmp_path))


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_a_configuration_survives_json(preset: str) -> None:
    config = replace(PRESETS[preset](), lora=LoraConfig(targets=("q_proj",)))
    assert from_plain(ModelConfig, json.loads(json.dumps(to_plain(config)))) == config


def test_what_lies_in_folders_of_its_own_is_not_stored_again(
    toy_config: ModelConfig, toy_study: StudyInputs, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    words = ReportTokenizer.train(["Lungs: Nodule. No effusion."])
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=words.size, **sizes))
    vision = Dinov2Model(Dinov2Config(image_size=24, patch_size=4, mlp_ratio=2, **sizes))
    for name, part in (("llama", llama), ("dino", vision)):
        part.save_pretrained(tmp_path / name)
    words.save(tmp_path / "llama")
    folders = Folders(vision=tmp_path / "dino", language=tmp_path / "llama")
    config = _foreign(toy_config)
    model = build(config, folders=folders, seed=2).eval()
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    save(model, tmp_path / "net")
    stored = load_file(tmp_path / "net" / "model.safetensors")
    assert any("lora_B" in name for name in stored)
    assert not any("base_layer" in name or "slice_encoder" in name for name in stored)
    assert torch.equal(said(finish(load(tmp_path / "net")), toy_study), said(model, toy_study))
    # On another computer the folders lie elsewhere.
    (tmp_path / "llama").rename(tmp_path / "moved")
    with pytest.raises(NeedMissing, match="llama"):
        finish(load(tmp_path / "net"))
    elsewhere = Folders(vision=tmp_path / "dino", language=tmp_path / "moved")
    assert torch.equal(said(finish(load(tmp_path / "net", folders=elsewhere)), toy_study), said(model, toy_study))


def _foreign(config: ModelConfig) -> ModelConfig:
    """The toy network with a frozen vision transformer and adapters, both to be filled from folders."""
    sizes = {"hidden_size": 6, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    backbone = Backbone({"model_type": "dinov2", **sizes}, frozen=True)
    slices = SliceConfig((4, 24, 24), 4, backbone=backbone, levels=(1, 2))
    return replace(config, slices=slices, lora=LoraConfig(rank=2, alpha=4, dropout=0.0))
