"""What `models check` says of a folder: whether it can be opened, and whether it is what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from RegionReportLib.errors import InputRefused
from RegionReportLib.model.checking import checked
from RegionReportLib.model.checkpoint import save
from RegionReportLib.model.digests import digests_of, write_record
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_config import PUBLISHED, Reg2RGConfig, read_config
from RegionReportLib.progress import finish


@pytest.fixture
def folder(tmp_path: Path, tiny: Reg2RG, published_tokenizer: Tokenizer) -> Path:
    """A small network that knows the words of the large one."""
    config: dict[str, Any] = asdict(tiny.config)
    config["language"]["vocabulary"] = 32000
    (tmp_path / "reg2rg.json").write_text(json.dumps(config), encoding="utf-8")
    torch.save(Reg2RG(read_config(tmp_path)).half().state_dict(), tmp_path / "pytorch_model.bin")
    published_tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_good_folder_is_described(folder: Path) -> None:
    lines = finish(checked(folder))
    model = Reg2RG(read_config(folder))
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    digest = hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()
    assert lines[0] == "Reg2RG of another size than the published one (reg2rg.json)"
    assert lines[1].startswith("tokenizer.json: 32000 words, and 23 tokens")  # 4 marks, 4 of the scan, 3 regions of 5
    assert lines[2] == f"weights: all {len(model.state_dict())} keys known (0 not needed)"
    assert lines[3] == f"{millions:.1f} million numbers in float16"
    assert lines[-1] == f"pytorch_model.bin: SHA-256 {digest}"


def test_a_file_that_changed_since_it_was_recorded_is_refused(folder: Path) -> None:
    weights = folder / "pytorch_model.bin"
    write_record(folder, finish(digests_of(folder, [weights])))
    assert finish(checked(folder))[-1].endswith(", as recorded")
    state = torch.load(weights, weights_only=True)
    state["embedding_layer.fc.bias"][0] += 1
    torch.save(state, weights)
    with pytest.raises(InputRefused, match=r"pytorch_model\.bin has changed since its digest was recorded"):
        finish(checked(folder))


def test_a_bundle_is_named_and_its_weights_are_those_recorded(tmp_path: Path) -> None:
    for name, content in (
        ("configs/metadata.json", b'{"name": "Body", "version": "0.2"}'),
        ("models/model.pt", b"one"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    weights = tmp_path / "models/model.pt"
    write_record(tmp_path, finish(digests_of(tmp_path, [weights])))
    digest = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # of the word one, by sha256sum
    said = ("MONAI bundle 'Body' 0.2", f"models/model.pt: SHA-256 {digest}, as recorded")
    assert finish(checked(tmp_path)) == said
    weights.write_bytes(b"two")
    with pytest.raises(InputRefused, match=r"models/model\.pt has changed since its digest was recorded"):
        finish(checked(tmp_path))


def test_another_shape_is_found_without_opening_the_model(folder: Path) -> None:
    weights = folder / "pytorch_model.bin"
    state = torch.load(weights, weights_only=True)
    torch.save(state | {"embedding_layer.fc.bias": torch.zeros(3)}, weights)
    with pytest.raises(InputRefused, match=r"fc\.bias has shape \(3,\), expected \(16,\)"):
        finish(checked(folder))


def test_a_network_that_was_trained_here_is_known_by_its_own_digests(
    toy_reporter: Callable[..., RegionReporter], tmp_path: Path
) -> None:
    model = toy_reporter()
    digest = save(model, tmp_path / "net")
    lines = finish(checked(tmp_path / "net"))
    assert lines[0].startswith("region-token network")
    assert lines[-1] == f"model.safetensors: SHA-256 {digest}, as recorded"
    weights = tmp_path / "net" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputRefused, match=r"model\.safetensors has changed"):
        finish(checked(tmp_path / "net"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "does not describe a Reg2RG network"),
        ('{"colour": 1}', "unknown colour; known are"),
        ('{"vision": {"dim": 770}}', "multiple of 3"),
        ('{"vision": {"patch": [7, 7, 7]}}', "whole patches"),
        ("[1]", "does not describe"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "reg2rg.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match=message):
        read_config(tmp_path)


def test_sizes_are_the_published_ones_but_for_what_is_said(tmp_path: Path, tiny_config: Reg2RGConfig) -> None:
    assert read_config(tmp_path) == PUBLISHED
    (tmp_path / "reg2rg.json").write_text('{"language": {"layers": 3}}', encoding="utf-8")
    read = read_config(tmp_path)
    assert read.language.layers == 3
    assert read.language.dim == 4096
    assert read.vision == PUBLISHED.vision
    (tmp_path / "reg2rg.json").write_text(json.dumps(asdict(tiny_config)), encoding="utf-8")
    assert read_config(tmp_path) == tiny_config
