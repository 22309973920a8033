"""The language model: any causal one of the transformers library, entered by embeddings, trained whole or by LoRA.

From a local folder or, without one, fresh from its settings. bf16 and 4-bit where asked for; attention always through
the fused kernels of torch. Not here: what stands between the words (`network`) and how text is drawn (`generate`).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from ..errors import NeedMissing
from .backbones import LOCAL, library_config
from .config import LoraConfig, ModelConfig
from .tokenizer import ReportTokenizer

ATTENTION = "sdpa"


def language_model(
    config: ModelConfig, tokenizer: ReportTokenizer, *, weights: bool = False, dtype: torch.dtype = torch.float32
) -> nn.Module:
    """Return the model with a row for each id of `tokenizer`, adapters on top if `config.lora`.

    With `weights` those of its folder are read. NeedMissing if 4 bits are asked for and bitsandbytes is absent.
    """
    model: Any
    if weights and config.language.folder is not None:
        model = _pretrained(config, config.language.folder, dtype)
    else:
        make: Any = AutoModelForCausalLM.from_config
        model = make(library_config(config.language.settings), attn_implementation=ATTENTION, dtype=dtype)
    # Vocabularies are often padded beyond the words: only a table that is too short grows.
    if tokenizer.size > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(tokenizer.size, mean_resizing=weights)
    if config.language.frozen:
        model.requires_grad_(False)
    return model if config.lora is None else _adapted(model, config.lora, tokenizer)


def _pretrained(config: ModelConfig, folder: str, dtype: torch.dtype) -> PreTrainedModel:
    how: dict[str, Any] = {"dtype": dtype, "attn_implementation": ATTENTION, **LOCAL}
    if config.four_bit:
        how["quantization_config"] = _four_bit(dtype)
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, **how)
    return model


def _four_bit(dtype: torch.dtype) -> Any:
    if find_spec("bitsandbytes") is None:
        raise NeedMissing("a language model in 4 bits needs the package bitsandbytes and a CUDA device")
    from transformers import BitsAndBytesConfig

    make: Any = BitsAndBytesConfig
    return make(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)


def _adapted(model: Any, lora: LoraConfig, tokenizer: ReportTokenizer) -> nn.Module:
    """Put adapters on; of the words only our marks are trained, going in and, where that is apart, coming out."""
    from peft import LoraConfig as LibraryConfig
    from peft import get_peft_model

    marks = sorted(tokenizer.mark_ids)
    tables = {name_of(model, model.get_input_embeddings()): marks}
    if model.get_output_embeddings().weight is not model.get_input_embeddings().weight:
        tables[name_of(model, model.get_output_embeddings())] = marks
    adapted: nn.Module = get_peft_model(
        model,
        LibraryConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.targets) or None,
            trainable_token_indices=tables,
            task_type="CAUSAL_LM",
        ),
    )
    return adapted


def name_of(model: nn.Module, wanted: nn.Module) -> str:
    """Return the last part of the name of a module inside `model`."""
    full: str = next(name for name, module in model.named_modules() if module is wanted)
    return full.rpartition(".")[2]


def base_of(model: nn.Module) -> Any:
    """Return the causal language model itself, beneath any adapters."""
    wrapped: Any = model
    return wrapped.get_base_model() if hasattr(wrapped, "peft_config") and hasattr(wrapped, "get_base_model") else model
