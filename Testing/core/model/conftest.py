"""What the tests of Reg2RG share: records of the original, a shrunken network, a tokenizer of the right shape."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_config import (
    EncoderConfig,
    LanguageConfig,
    PerceiverConfig,
    Reg2RGConfig,
)
from RegionReportLib.model.reg2rg_prompt import INSTRUCTION, Words

WORDS = 200

TINY = Reg2RGConfig(
    size=(16, 16, 8),
    max_regions=3,
    vision=EncoderConfig((32, 32, 32), (8, 8, 2), channels=3, dim=12, depth=2, mlp_dim=20, heads=2, head_dim=4),
    mask=EncoderConfig((16, 16, 8), (8, 8, 4), channels=1, dim=9, depth=1, mlp_dim=10, heads=2, head_dim=4),
    perceiver=PerceiverConfig(dim=12, depth=2, heads=2, head_dim=4, latents=4),
    language=LanguageConfig(vocabulary=WORDS, dim=16, mlp_dim=32, layers=2, heads=2, lora_rank=2, lora_alpha=8),
)


@dataclass(frozen=True)
class Original:
    """The records of the original modules."""

    records: dict[str, Any]
    arrays: Any
    formula: ModuleType
    folder: Path

    @property
    def salt(self) -> str:
        return str(self.records["salt"])

    def misses(self, record: dict[str, Any], array: Any, max_abs: float = 1e-4) -> list[str]:
        found: list[str] = self.formula.misses(record, self.arrays, array, max_abs)
        return found


@pytest.fixture(scope="session")
def original(real_data: Path) -> Original:
    """What the original network computes on weights and inputs made by a formula; lies beside the real scans."""
    folder = real_data.parent / "reg2rg" / "fixture"
    if not folder.is_dir():
        pytest.skip(f"the records of the original network were not found at {folder}")
    spec = importlib.util.spec_from_file_location("reg2rg_formula", Path(__file__).with_name("formula.py"))
    assert spec is not None
    assert spec.loader is not None
    formula = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(formula)
    records = json.loads((folder / "fixture.json").read_text(encoding="utf-8"))
    return Original(records, np.load(folder / "fixture.npz"), formula, folder)


@pytest.fixture(scope="session")
def tiny_config() -> Reg2RGConfig:
    return TINY


@pytest.fixture
def tiny() -> Reg2RG:
    """A shrunken network with adapters that do something (fresh ones add zero)."""
    torch.manual_seed(7)
    model = Reg2RG(TINY).eval()
    for name, value in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.3)
    return model


def tokenizer_of(size: int) -> Tokenizer:
    """A word tokenizer with exactly `size` pieces: marks, the words of the prompt, fillers."""
    said = f"The global information is provided as the context: . region {INSTRUCTION} heart lung abdomen normal clear"
    split = pre_tokenizers.Whitespace()
    words = ["<unk>", "<s>", "</s>", *dict.fromkeys(w for w, _ in split.pre_tokenize_str(said)), *"0123456789"]
    words += [f"w{n}" for n in range(size - len(words))]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.add_special_tokens(words[:3])
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return tokenizer


@pytest.fixture
def words() -> Words:
    return Words(tokenizer_of(WORDS), TINY)


@pytest.fixture
def published_tokenizer() -> Tokenizer:
    return tokenizer_of(32000)
