"""A small region-token network that says known words about every region, for tests of writers and doors.

Its language part is made by hand: attention and feed-forward add nothing, and each piece of text points at the next, so
what it writes is known beforehand. What it sees, its boxes and its support come from random weights.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from RegionReportLib.anatomy.regions import regions
from RegionReportLib.model import checkpoint
from RegionReportLib.model.box_head import BoxHeadConfig
from RegionReportLib.model.build import build
from RegionReportLib.model.config import Backbone, LocalConfig, MaskConfig, ModelConfig, SliceConfig, StructureConfig
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.model.reg2rg_config import EncoderConfig, PerceiverConfig
from RegionReportLib.model.tokenizer import BOX, ReportTokenizer

LABEL = "demonstration model, not for patients"
# Each piece may stand in it once, so there is one full stop.
NODULE, CLEAR = "There is a nodule in the left lung.", "No pleural effusion"
WIDTH = 48


def config() -> ModelConfig:
    encoder = EncoderConfig((16, 16, 8), (8, 8, 8), 3, dim=12, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0)
    mask = EncoderConfig((16, 16, 8), (8, 8, 8), 1, dim=12, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0)
    plain = {"hidden_size": WIDTH, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    return ModelConfig(
        name="hand-made",
        slices=SliceConfig((6, 24, 24), patch=4, sample_mm=6.0, widths=(4, 6)),
        mask=MaskConfig((2, 4, 4), hidden=8),
        local=LocalConfig((16, 16, 8), encoder, PerceiverConfig(12, 1, 2, 4, 2, ff_factor=2), mask),
        structure=StructureConfig(8, 2, 8, Backbone({"model_type": "bert", **plain}), top_patches=2),
        language=Backbone({"model_type": "llama", "tie_word_embeddings": False, **plain}),
        attribute_tokens=8,
        box=BoxHeadConfig(state_width=WIDTH, feature_width=6, width=12, heads=2, blocks=1, slots=2),
    )


def teach(network: RegionReporter, chain: list[int]) -> None:
    """Make each id of a chain the likeliest after the one before it."""
    assert len(set(chain)) == len(chain) <= WIDTH, "each piece of the text must stand in it once"
    language: Any = network.language_model
    for name, weight in language.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.data.zero_()
    words, head = language.get_input_embeddings().weight.data, language.get_output_embeddings().weight.data
    head.zero_()
    for n, (now, then) in enumerate(pairwise(chain)):
        words[now], head[then] = torch.eye(WIDTH)[n], torch.eye(WIDTH)[n]


def save_model(folder: Path, label: str = LABEL) -> Path:
    """Write the network into a folder and return it; a nodule with boxes, then a denial, about every region."""
    said = f": {NODULE}{BOX}\n{CLEAR}"
    words = ReportTokenizer.train([r.name for r in regions()] + [NODULE, CLEAR] * 9, 600)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build(config(), words=words)
    teach(network, [*words.encode(said, marks=True), words.end_id])
    assert network.box_head is not None
    torch.nn.init.constant_(network.box_head.existence[-1].bias, 4.0)
    checkpoint.save(network, folder)
    (folder / "card.json").write_text(json.dumps({"label": label}))
    return folder
