"""Region representative (R²) token pooling: the whole scan in few tokens, one slice of each region in detail.

MedRegion-CT v1 (arXiv 2506.23102v1 §3.2): D global tokens, the mean of each slice; and for each region the slice with
most of its mask, pooled by the number s of such slices; 32 slices of 18×18 tokens give 32 + 324 = 356. The paper
leaves open what follows, so it is settled here: a region without any mask voxel shows zeros, of two slices with as
much mask the lower one is taken, and a slice that is best for two regions is shown for both.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import rearrange, reduce
from torch import Tensor


def global_tokens(patches: Tensor) -> Tensor:
    """Map `(D, C, h, w)` to one token per slice `(D, C)`."""
    return reduce(patches, "d c h w -> d c", "mean")


def slices_by_mask(masks: Tensor) -> Tensor:
    """Return for masks `(R, D, H, W)` the slice `(R,)` with most of each region, -1 for a region that is empty."""
    held = reduce(masks.float(), "r d h w -> r d", "sum")
    best = held.argmax(dim=1)  # the first of equals
    return torch.where(held.any(dim=1), best, -1)


def slices_even(count: int, depth: int, device: torch.device | str = "cpu") -> Tensor:
    """Return `count` slices in the middles of as many equal parts of `depth`; the baseline of LITA."""
    return ((torch.arange(count, device=device) + 0.5) * depth / count).long()


def slice_tokens(patches: Tensor, chosen: Tensor, shrink: tuple[int, int]) -> Tensor:
    """Map slices `chosen` `(R,)` of `(D, C, h, w)` to `(R, t, C)`, each the mean of blocks of `shrink` tokens.

    Row by row; zeros where a slice is -1.
    """
    shown = patches[chosen.clamp(min=0)]  # (R, C, h, w)
    small = F.avg_pool2d(shown, shrink)
    seen = (chosen >= 0).to(small.dtype)[:, None, None]
    return rearrange(small, "r c h w -> r (h w) c") * seen
