"""The resampler of Flamingo, RadFM and Reg2RG: learned latents that read any number of image tokens.

The names of its parts are those of the published state dict. Without frame and time codes, which Reg2RG does not use.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import rearrange
from torch import Tensor, nn

from .reg2rg_config import PerceiverConfig


class LatentAttention(nn.Module):
    """The latents look at the image tokens and at themselves."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_dim
        self.heads = config.heads
        self.norm_media = nn.LayerNorm(config.dim)
        self.norm_latents = nn.LayerNorm(config.dim)
        self.to_q = nn.Linear(config.dim, inner, bias=False)
        self.to_kv = nn.Linear(config.dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, config.dim, bias=False)

    def forward(self, media: Tensor, latents: Tensor) -> Tensor:
        """Map image tokens `(n, t, dim)` and latents `(n, l, dim)` to what is added to the latents."""
        media, latents = self.norm_media(media), self.norm_latents(latents)
        q = rearrange(self.to_q(latents), "n l (h c) -> n h l c", h=self.heads)
        both = torch.cat((media, latents), dim=1)  # (n, t + l, dim)
        k, v = rearrange(self.to_kv(both), "n t (two h c) -> two n h t c", two=2, h=self.heads)
        seen = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.to_out(rearrange(seen, "n h l c -> n l (h c)"))
        return out


class PerceiverLayer(nn.ModuleList):
    """Attention to the image tokens and a feed-forward part, each added to the latents."""

    def __init__(self, config: PerceiverConfig) -> None:
        wide = config.dim * config.ff_factor
        feed_forward = nn.Sequential(
            nn.LayerNorm(config.dim),
            nn.Linear(config.dim, wide, bias=False),
            nn.GELU(),
            nn.Linear(wide, config.dim, bias=False),
        )
        super().__init__((LatentAttention(config), feed_forward))

    def forward(self, media: Tensor, latents: Tensor) -> Tensor:
        """Return the latents `(n, l, dim)` after this layer."""
        attention, feed_forward = self
        latents = latents + attention(media, latents)
        out: Tensor = latents + feed_forward(latents)
        return out


class Perceiver(nn.Module):
    """Image tokens `(n, t, dim)` to `(n, latents, dim)`."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(config.latents, config.dim))
        self.layers = nn.ModuleList(PerceiverLayer(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.dim)

    def forward(self, media: Tensor) -> Tensor:
        """Return the latents after having read the image tokens."""
        latents = self.latents.expand(len(media), -1, -1)
        for layer in self.layers:
            latents = layer(media, latents)
        out: Tensor = self.norm(latents)
        return out
