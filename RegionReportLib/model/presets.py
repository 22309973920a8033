"""The networks that have a name: two papers', ours, and a small one of ours that a processor can train.

`medregion`: MedRegion-CT v1 (arXiv 2506.23102v1, supplement §2). `structure`: Structure Observation (arXiv 2603.04878)
with a slice encoder. `region-report`: all parts. `demo`: all parts, small. Widths of the three large ones are those of
RAD-DINO (ViT-B), Llama-3-8B and CXR-BERT; a folder of another network replaces them, see `build`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .box_head import BoxHeadConfig
from .config import (
    Backbone,
    LocalConfig,
    LoraConfig,
    MaskConfig,
    ModelConfig,
    Parts,
    SliceChoice,
    SliceConfig,
    StructureConfig,
)
from .reg2rg_config import PUBLISHED, EncoderConfig, PerceiverConfig

RAD_DINO = Backbone(
    {
        "model_type": "dinov2",
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "image_size": 518,
        "patch_size": 14,
    },
    frozen=True,
)
LLAMA_3_8B = Backbone(
    {
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 8192,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
    }
)
CXR_BERT = Backbone({"model_type": "bert", "vocab_size": 30522, "hidden_size": 768}, frozen=True)
DEMO_TEXT = Backbone(
    {
        "model_type": "bert",
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 256,
        "max_position_embeddings": 256,
        "initializer_range": 0.05,
    }
)
DEMO_LANGUAGE = Backbone(
    {
        "model_type": "llama",
        "hidden_size": 256,
        "intermediate_size": 704,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "max_position_embeddings": 2048,
        "initializer_range": 0.05,  # the library's 0.02 is meant for widths ten times as large
        "tie_word_embeddings": True,
    }
)
INSTRUCTION = (
    "These are a chest CT, one slice of each of its regions, and what was measured. Name the region that is shown next "
    "and report its findings. Put <box> behind a finding with a place. Write <none> if there is nothing to report.\n"
)


def region_report() -> ModelConfig:
    """Return our full-size network with all parts."""
    return ModelConfig(
        name="region-report",
        # 18 × 18 patches of 14 pixels, as the paper's 256 pixels give; theirs leave a rim of four pixels unseen.
        slices=SliceConfig((32, 252, 252), patch=14, backbone=RAD_DINO, levels=(3, 6, 9, 12)),
        mask=MaskConfig(),
        local=LocalConfig(PUBLISHED.size, PUBLISHED.vision, PUBLISHED.perceiver, PUBLISHED.mask),
        structure=StructureConfig(width=768, heads=12, embedding=512, text=CXR_BERT),
        language=LLAMA_3_8B,
        lora=LoraConfig(),
        instruction=INSTRUCTION,
        box=BoxHeadConfig(state_width=4096, feature_width=768, width=240, heads=8),
    )


def medregion() -> ModelConfig:
    """Return the network of MedRegion-CT v1: R² tokens, mask tokens, attributes."""
    off = Parts(texture=False, geometry=False, structure_tokens=False, finding_token=False, plan=False, support=False)
    return replace(region_report(), name="medregion", parts=off, box=None)


def structure() -> ModelConfig:
    """Return the network of Structure Observation: six observations with their nine patches, and the contrast."""
    only = Parts(
        global_tokens=False,
        region_slices=SliceChoice.NONE,
        mask_token=False,
        spatial_token=False,
        texture=False,
        geometry=False,
        attributes=False,
        finding_token=False,
        plan=False,
    )
    return replace(region_report(), name="structure", parts=only, box=None)


def demo() -> ModelConfig:
    """Return the small network; its tables of words take the size of its tokenizer."""
    return ModelConfig(
        name="demo",
        slices=SliceConfig((32, 80, 120), patch=8, sample_mm=2.0, widths=(16, 48, 128)),
        mask=MaskConfig((8, 12, 12), hidden=256),
        local=LocalConfig(
            (64, 64, 32),
            EncoderConfig((64, 64, 32), (8, 8, 8), 3, dim=96, depth=2, mlp_dim=192, heads=4, head_dim=24, dropout=0.0),
            PerceiverConfig(dim=96, depth=2, heads=4, head_dim=24, latents=8, ff_factor=2),
            EncoderConfig((64, 64, 32), (16, 16, 8), 1, dim=48, depth=1, mlp_dim=96, heads=2, head_dim=24, dropout=0.0),
        ),
        structure=StructureConfig(
            width=128,
            heads=4,
            embedding=128,
            top_patches=4,
            text=DEMO_TEXT,
        ),
        language=DEMO_LANGUAGE,
        attribute_tokens=448,
        box=BoxHeadConfig(state_width=256, feature_width=128),
    )


PRESETS: dict[str, Callable[[], ModelConfig]] = {
    "medregion": medregion,
    "structure": structure,
    "region-report": region_report,
    "demo": demo,
}
