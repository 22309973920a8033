"""Attention of rows of which several have the same beginning: its keys and values are read once for all of them.

On a processor the time of a word goes into reading weights, keys and values from memory; six copies of a scan's prefix
would be read at each word. Installed only while a batch is written, and only for families whose attention is the plain
one.
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
    """Return what queries `(R, H, q, D)` find in their beginnings and in their own keys `(R, G, n, D)`.

    H is a multiple of G. The result is `(R, q, H, D)`, as the library wants it; keys without a shared beginning go the
    library's own way.
    """
    shared = shared_before(key)
    if shared is None:
        out: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **more)
        return out
    _, heads, places, width = query.shape
    group, length = key.shape[1], shared.length
    scaling = more.get("scaling") or width**-0.5
    own = rearrange(query * scaling, "r (g h) q d -> r g (h q) d", g=group)
    scores = own.new_full((*own.shape[:3], length + key.shape[2]), -torch.inf)  # (R, G, h·q, P + n)
    scores[..., length:] = own @ key.transpose(2, 3)
    for begun in shared.beginnings:
        its = slice(begun.start, begun.stop)
        scores[its, ..., length - begun.keys.shape[1] : length] = _jointly(own[its], begun.keys.transpose(1, 2))
    if attention_mask is not None:
        mask = attention_mask.repeat(1, 1, heads // group, 1)  # (R, 1, h·q, P + n)
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    weight = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    found = weight[..., length:] @ value
    for begun in shared.beginnings:
        its = slice(begun.start, begun.stop)
        found[its] += _jointly(weight[its, ..., length - begun.keys.shape[1] : length], begun.values)
    return rearrange(found, "r g (h q) d -> r q (g h) d", q=places).contiguous(), None


def _jointly(rows: Tensor, shared: Tensor) -> Tensor:
    """Return `(R, G, n, b)`, the products of `(R, G, n, a)` with the `(G, a, b)` that all rows share, read once."""
    joint = rearrange(rows, "r g n a -> g (r n) a")
    return rearrange(joint @ shared, "g (r n) b -> r g n b", r=len(rows))
