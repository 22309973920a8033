"""Structure queries observe the patches; what they saw is tokens for writing and a yardstick for sentences.

Structure Observation Driven Contrastive Learning (arXiv 2603.04878, and its released code): one learned query per
structure and patches look at each other in turns through shared weights; the query becomes the image side of a
contrast with the text of its structure, and the patches it attended most are kept. Ours in addition: queries know
where their region's mask lies, and patches know their place. The loss and its queue are in `train/contrast`, the
score of a sentence in `support`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import einsum, rearrange
from torch import Tensor, nn

from .backbones import plain_network
from .config import StructureConfig
from .tokenizer import ReportTokenizer, tokenizer_in

FREQUENCIES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """For each region: `tokens` `(R, 1 + top, width)`, its query and the patches it looked at most; `embedding`
    `(R, E)` of length one; `attention` `(R, n)`, where it looked; `inside` `(R, n)`, how much of each patch its mask
    covers. `patches` `(n, E)`, n = D·h·w, are all patches in the space of texts, of length one."""

    tokens: Tensor
    embedding: Tensor
    attention: Tensor
    inside: Tensor
    patches: Tensor


class StructureQueries(nn.Module):
    """Patches `(D, C, h, w)` and masks `(R, D, H, W)` to an `Observation`."""

    def __init__(self, config: StructureConfig, patch_width: int, regions: int) -> None:
        super().__init__()
        self.top = config.top_patches
        self.queries = nn.Parameter(torch.randn(regions, config.width) * config.width**-0.5)
        self.patches = nn.Sequential(nn.LayerNorm(patch_width), nn.Linear(patch_width, config.width))
        self.place = nn.Linear(6 * FREQUENCIES, config.width)
        self.layers = nn.ModuleList(ObservationLayer(config) for _ in range(config.layers))
        self.to_embedding = nn.Linear(config.width, config.embedding, bias=False)
        self.patch_embedding = nn.Linear(config.width, config.embedding, bias=False)

    def forward(self, patches: Tensor, masks: Tensor) -> Observation:
        """Return what the queries saw."""
        size = patches.shape[0], *patches.shape[2:]
        places = self.place(place_waves(size, patches))  # (D·h·w, width)
        seen = self.patches(rearrange(patches, "d c h w -> (d h w) c")) + places
        inside = rearrange(F.adaptive_avg_pool2d(masks, (patches.shape[2], patches.shape[3])), "r d h w -> r (d h w)")
        queries = self.queries
        for layer in self.layers:
            queries, seen, attention = layer(queries, seen, inside)
        best = attention.topk(min(self.top, attention.shape[1]), dim=1).indices  # (R, top)
        tokens = torch.cat((queries[:, None], seen[best]), dim=1)
        embedding, places = (F.normalize(e, dim=-1) for e in (self.to_embedding(queries), self.patch_embedding(seen)))
        return Observation(tokens, embedding, attention, inside, places)


class ObservationLayer(nn.Module):
    """Queries look at each other, queries and patches look at each other by the same weights, queries think."""

    def __init__(self, config: StructureConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.among = nn.MultiheadAttention(config.width, config.heads, batch_first=True)
        self.q, self.k, self.v, self.out = (nn.Linear(config.width, config.width) for _ in range(4))
        self.mask_gain = nn.Parameter(torch.full((config.heads, 1, 1), 2.0))
        wide = 4 * config.width
        self.think = nn.Sequential(nn.Linear(config.width, wide), nn.GELU(), nn.Linear(wide, config.width))
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(4))

    def forward(self, queries: Tensor, patches: Tensor, inside: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries `(R, c)`, patches `(n, c)` and attention `(R, n)`, the most of any head."""
        before = self.norms[0](queries)[None]
        queries = queries + self.among(before, before, before, need_weights=False)[0][0]
        q, p = self.norms[1](queries), self.norms[2](patches)
        bias = self.mask_gain * inside  # (heads, R, n)
        to_patches, attention = self._look(q, p, bias)
        to_queries, _ = self._look(p, q, bias.transpose(1, 2))
        queries = queries + to_patches
        return queries + self.think(self.norms[3](queries)), patches + to_queries, attention.amax(dim=0)

    def _look(self, one: Tensor, other: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = (
            rearrange(linear(x), "n (h c) -> h n c", h=self.heads)
            for linear, x in ((self.q, one), (self.k, other), (self.v, other))
        )
        weight = (einsum(q, k, "h a c, h b c -> h a b") * q.shape[-1] ** -0.5 + bias).softmax(dim=-1)
        seen = rearrange(einsum(weight, v, "h a b, h b c -> h a c"), "h a c -> a (h c)")
        return self.out(seen), weight


def place_waves(size_dhw: tuple[int, ...], like: Tensor) -> Tensor:
    """Return sines and cosines `(D·h·w, 36)` of each patch's place, in fractions of the working grid."""
    rate = math.pi * 2.0 ** torch.arange(FREQUENCIES, device=like.device)
    axes = [(torch.arange(n, device=like.device) + 0.5) / n for n in size_dhw]
    at = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)  # (D, h, w, 3)
    angle = rearrange(at[..., None] * rate, "d h w three f -> (d h w) (three f)")
    return torch.cat((angle.sin(), angle.cos()), dim=-1).to(like.dtype)


class TextSide(nn.Module):
    """Texts to vectors `(n, E)` of length one; a backbone from a folder brings its own tokenizer."""

    def __init__(self, config: StructureConfig, tokenizer: ReportTokenizer, *, weights: bool = False) -> None:
        super().__init__()
        self.most = config.text_tokens
        self.is_frozen = config.text.frozen
        folder = config.text.folder
        own = tokenizer_in(Path(folder)) if folder is not None else None
        self.encode = tokenizer.encode if own is None else lambda text: list(own.encode(text).ids)
        self.network = plain_network(config.text, weights=weights)
        if self.is_frozen:
            self.network.requires_grad_(False)
        self.to_embedding = nn.Linear(config.text.width, config.embedding, bias=False)

    def train(self, mode: bool = True) -> TextSide:
        """Switch to training; a frozen network stays as it is in use."""
        super().train(mode)
        if self.is_frozen:
            self.network.eval()
        return self

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the vectors of texts; what is longer than `text_tokens` is cut, an empty text is one pad."""
        device = self.to_embedding.weight.device
        rows = [torch.tensor(self.encode(text)[: self.most] or [0]) for text in texts]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)  # (n, t)
        told = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device)
        states = self.network(input_ids=ids, attention_mask=told).last_hidden_state  # (n, t, c)
        share = told.to(states.dtype) / told.sum(dim=1, keepdim=True)
        return F.normalize(self.to_embedding(einsum(states, share, "n t c, n t -> n c")), dim=-1)
