"""Two tokens of each region's mask: what the image shows inside it, and where it lies.

MedRegion-CT v1 §3.3 after MAIRA-Seg (arXiv 2411.11362) and Osprey (arXiv 2312.10032): masks pool several levels of the
image encoder, each with its own linear layer, summed; and the mask itself, made small, goes through a perceptron. Soft
masks weigh the mean, as in MedRegion-CT v2. An empty mask gives the same two tokens everywhere: the network learns
what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import einsum, rearrange
from torch import Tensor, nn

from .config import MaskConfig

METRES_PER_MM = 1e-3


def mask_mean(level: Tensor, masks: Tensor) -> Tensor:
    """Return the mean of a level `(D, C, h, w)` inside masks `(R, D, H, W)` 0..1: `(R, C)`, 0 for an empty mask."""
    weight = F.adaptive_avg_pool2d(masks, (level.shape[2], level.shape[3]))  # (R, D, h, w)
    total = einsum(weight, level, "r d h w, d c h w -> r c")
    return total / weight.flatten(1).sum(dim=1, keepdim=True).clamp(min=1e-6)


class MaskToken(nn.Module):
    """What the levels `(D, C_l, h_l, w_l)` show inside masks, as tokens `(R, width)`."""

    def __init__(self, level_widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.by_level = nn.ModuleList(nn.Linear(n, width) for n in level_widths)
        self.last = nn.Linear(width, width)

    def forward(self, levels: Sequence[Tensor], masks: Tensor) -> Tensor:
        """Return the tokens of masks `(R, D, H, W)` in 0..1."""
        parts = [linear(mask_mean(level, masks)) for linear, level in zip(self.by_level, levels, strict=True)]
        out: Tensor = self.last(torch.stack(parts).sum(dim=0))
        return out


class SpatialToken(nn.Module):
    """Where masks lie, as tokens `(R, width)`; the size of the working grid tells how large they are."""

    def __init__(self, config: MaskConfig, width: int) -> None:
        super().__init__()
        self.size = config.spatial_size
        self.mlp = nn.Sequential(
            nn.Linear(config.spatial_inputs, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, width),
        )

    def forward(self, masks: Tensor, edges_mm: Tensor) -> Tensor:
        """Return the tokens of masks `(R, D, H, W)` in 0..1 on a grid with edges `(3,)` in millimetres."""
        small = rearrange(F.adaptive_avg_pool3d(masks, self.size), "r d h w -> r (d h w)")
        size = (edges_mm * METRES_PER_MM).to(small).expand(len(small), 3)
        out: Tensor = self.mlp(torch.cat((small, size), dim=1))
        return out
