"""The Reg2RG network: a language model that reads tokens of a scan and of its regions between the words.

Put together from its parts under the names of the published state dict. Not here: weights (`reg2rg_checkpoint`),
preprocessing (`reg2rg_inputs`), words (`reg2rg_prompt`) and writing (`reg2rg_write`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from .reg2rg_config import LanguageConfig, Reg2RGConfig
from .reg2rg_embedding import VisualEmbedding


class Reg2RG(nn.Module):
    """`lang_model` and `embedding_layer`; with `adapters` the language model keeps its low-rank parts apart."""

    def __init__(self, config: Reg2RGConfig, *, adapters: bool = True) -> None:
        super().__init__()
        self.config = config
        language = build_language_model(config.language)
        words: Any = language.get_input_embeddings()
        self.embedding_layer = VisualEmbedding(config, words.weight)
        self.lang_model: nn.Module = _with_adapters(language, config.language) if adapters else language
        if adapters:
            # All adapted networks train only what the published one does: adapters, mask side, resampler, projections.
            self.embedding_layer.vision_encoder.requires_grad_(False)

    def forward(self, token_ids: Tensor, images: Tensor, regions: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the logits `(B, N, vocabulary)` of ids `(B, N)`; see `VisualEmbedding.forward` for the rest."""
        embeds = self.embedding_layer(token_ids, images, regions)
        out: Tensor = self.lang_model(inputs_embeds=embeds, use_cache=False).logits
        return out


def build_language_model(config: LanguageConfig) -> PreTrainedModel:
    """Return a Llama network with fresh weights on the current default device."""
    model: PreTrainedModel = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.dim,
            intermediate_size=config.mlp_dim,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            max_position_embeddings=config.positions,
            rms_norm_eps=config.norm_eps,
        )
    )
    return model


def on_meta(config: Reg2RGConfig, *, adapters: bool = True) -> Reg2RG:
    """Return the network without memory for its weights: shapes and names only."""
    with torch.device("meta"):
        return Reg2RG(config, adapters=adapters)


def _with_adapters(language: PreTrainedModel, config: LanguageConfig) -> nn.Module:
    adapted: nn.Module = get_peft_model(
        language,
        LoraConfig(
            r=config.lora_rank,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=["q_proj", "v_proj"],
            task_type="CAUSAL_LM",
        ),
    )
    return adapted
