"""Local feature decoupling: the texture of a region from its own crop, its geometry from its mask in the whole.

Reg2RG §3.2 (arXiv 2411.15539): the crop is masked and resized, so it shows detail but not where or how large the region
is; the uncropped mask shows just that. 32 + 1 tokens as published; the encoders and the resampler are Reg2RG's own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import rearrange, reduce
from torch import Tensor, nn

from .config import LocalConfig
from .perceiver import Perceiver
from .vision_transformer import VisionTransformer


class Texture(nn.Module):
    """Crops `(R, 3, h, w, d)` in 0..1 to tokens `(R, latents, width)`."""

    def __init__(self, config: LocalConfig, width: int) -> None:
        super().__init__()
        self.encoder = VisionTransformer(config.texture)
        self.perceiver = Perceiver(config.perceiver)
        with torch.no_grad():
            # Small at first, so that what latents read is not lost in what they are: large ones stayed deaf.
            self.perceiver.latents.mul_(0.02)
        self.fc = nn.Linear(config.texture.dim, width)

    def forward(self, crops: Tensor) -> Tensor:
        """Return the tokens of the crops."""
        out: Tensor = self.fc(self.perceiver(self.encoder(crops * 2 - 1)))
        return out


class Geometry(nn.Module):
    """Masks `(R, D, H, W)` in 0..1 to one token each `(R, 1, width)`."""

    def __init__(self, config: LocalConfig, width: int) -> None:
        super().__init__()
        self.size_hwd = config.size_hwd
        self.encoder = VisionTransformer(config.geometry)
        self.fc = nn.Linear(config.geometry.dim, width)

    def forward(self, masks: Tensor) -> Tensor:
        """Return the tokens of the masks."""
        height, width, depth = self.size_hwd
        whole = rearrange(F.adaptive_avg_pool3d(masks, (depth, height, width)), "r d h w -> r 1 h w d")
        out: Tensor = self.fc(reduce(self.encoder(whole), "r t c -> r 1 c", "mean"))
        return out
