"""Attention of several rows whose beginning is the same: its keys and values are read once for all rows.

On a processor the time of a word goes into reading weights, keys and values from memory; six copies of the prefix would
be read at each word. Installed only while a batch is written, and only for families whose attention is the plain one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from einops import rearrange
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from .generate_cache import shared_before

NAME = "region_report_shared_prefix"
PLAIN_FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""Families whose attention is a softmax of scaled products and nothing else."""


def can_share(language: Any) -> bool:
    """Tell whether a language model's attention may be replaced."""
    config = language.config
    return config.model_type in PLAIN_FAMILIES and config._attn_implementation == "sdpa"


@contextmanager
def shared_prefix(language: Any) -> Iterator[None]:
    """Let a language model attend to a shared beginning while the block lasts."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    before = language.config._attn_implementation
    language.config._attn_implementation = NAME
    try:
        yield
    finally:
        language.config._attn_implementation = before


def attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **more: Any
) -> tuple[Tensor, None]:
    """Return what queries `(R, H, q, D)` find in a shared beginning and in their own keys `(R, G, n, D)`.

    H is a multiple of G. The result is `(R, q, H, D)`, as the library wants it; keys without a shared beginning go the
    library's own way.
    """
    shared = shared_before(key)
    if shared is None:
        out: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **more)
        return out
    rows, heads, places, width = query.shape
    first_keys, first_values = shared[0][0], shared[1][0]  # (G, P, D)
    group, length = len(first_keys), first_keys.shape[1]
    scaling = more.get("scaling") or width**-0.5
    own = rearrange(query * scaling, "r (g h) q d -> r g (h q) d", g=group)
    joint = rearrange(own, "r g n d -> g (r n) d")  # all rows look at the beginning together
    before = rearrange(joint @ first_keys.transpose(1, 2), "g (r n) p -> r g n p", r=rows)
    scores = torch.cat((before, own @ key.transpose(2, 3)), dim=-1)
    if attention_mask is not None:
        mask = attention_mask.repeat(1, 1, heads // group, 1)  # (R, 1, h·q, P + n)
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    weight = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    joint = rearrange(weight[..., :length], "r g n p -> g (r n) p") @ first_values
    found = rearrange(joint, "g (r n) d -> r g n d", r=rows) + weight[..., length:] @ value
    return rearrange(found, "r g (h q) d -> r q (g h) d", q=places).contiguous(), None
