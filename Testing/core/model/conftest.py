"""What the tests of networks share: shrunken ones, a made study, and of Reg2RG the records of the original."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from RegionReportLib.imaging.box import Box
from RegionReportLib.model.box_head import BoxHeadConfig
from RegionReportLib.model.build import build
from RegionReportLib.model.config import Backbone, LocalConfig, MaskConfig, ModelConfig, SliceConfig, StructureConfig
from RegionReportLib.model.inputs import StudyInputs, working_grid
from RegionReportLib.model.network import RegionReporter
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


SAID = ("Lungs: No pleural effusion. Nodule of 12 mm in the right upper lobe.", "Osseous structures: Old fracture.") * 3


@pytest.fixture(scope="session")
def toy_config() -> ModelConfig:
    """All parts of the region-token network at toy size: 4 slices of 6 × 6 tokens, 2 + (2 + 1) + (1 + 2) per region."""
    return ModelConfig(
        slices=SliceConfig((4, 24, 24), patch=4, sample_mm=4.0, widths=(4, 6)),
        mask=MaskConfig((2, 3, 3), hidden=8),
        local=LocalConfig(
            (8, 8, 8),
            EncoderConfig((8, 8, 8), (4, 4, 4), 3, dim=6, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0),
            PerceiverConfig(dim=6, depth=1, heads=2, head_dim=4, latents=2),
            EncoderConfig((8, 8, 8), (4, 4, 4), 1, dim=6, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0),
        ),
        structure=StructureConfig(
            width=8, heads=2, embedding=6, top_patches=2, text=_toy("bert", hidden_dropout_prob=0.0)
        ),
        language=_toy("llama", tie_word_embeddings=True),
        box=BoxHeadConfig(state_width=8, feature_width=6, width=12, heads=2),
    )


def _toy(kind: str, **more: Any) -> Backbone:
    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    return Backbone({"model_type": kind, **sizes, **more})


@pytest.fixture(scope="session")
def toy_reporter(toy_config: ModelConfig) -> Callable[..., RegionReporter]:
    """Builds the toy network, with the fields of its configuration changed as named."""

    def make(seed: int = 0, **changed: Any) -> RegionReporter:
        return build(replace(toy_config, **changed), words=SAID, seed=seed).eval()

    return make


@pytest.fixture(scope="session")
def toy_study(toy_config: ModelConfig) -> StudyInputs:
    """A study of the toy network: noise, and six regions of which the last is empty."""
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (4, 3, 24, 24), dtype=np.uint8)
    masks = np.zeros((6, 4, 24, 24), np.uint8)
    for region in range(5):
        masks[region, region % 4, 4 * region : 4 * region + 4] = 255
    crops = rng.integers(0, 256, (6, 3, 8, 8, 8), dtype=np.uint8)
    crops[5] = 0
    return StudyInputs(
        slices=torch.from_numpy(noise),
        masks=torch.from_numpy(masks),
        crops=torch.from_numpy(crops),
        attributes=("Lungs: volume 4900.0 mL.", "Osseous structures: trabecular density 140 HU."),
        frame=working_grid(Box((-150.0, -150.0, 0.0), (150.0, 150.0, 280.0)), toy_config.slices.size),
    )
