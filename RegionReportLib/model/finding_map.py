"""Which findings lie on each patch, and a token that tells a language model what was found on either side.

Ours: a language model learns slowly to read what is spread over many tokens. Training asks every patch which of its
four cells lie on a finding (`train/finding_losses.py`); what the patches answer is summed up for each half of the
patient as how sure the surest cell is, and how many cells there are.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

CELLS = 2
"""Cells along each side of a patch."""
RARE_LOGIT = -3.0
"""The logit of every finding before anything is learned: most are rare."""


class FindingMap(nn.Module):
    """Answers for `kinds` findings; tokens are as wide as the language model."""

    def __init__(self, kinds: int, patch_width: int, width: int) -> None:
        super().__init__()
        last = nn.Linear(patch_width, CELLS**2 * kinds)
        nn.init.constant_(last.bias, RARE_LOGIT)
        self.of_patch = nn.Sequential(nn.LayerNorm(patch_width), last)
        self.to_token = nn.Linear(4 * kinds, width)

    def forward(self, patches: Tensor) -> Tensor:
        """Map patches `(D, C, h, w)` to the logits `(D, 2h, 2w, kinds)` that cells lie on findings."""
        out: Tensor = self.of_patch(rearrange(patches, "d c h w -> d h w c"))
        return rearrange(out, "d h w (kind y x) -> d (h y) (w x) kind", y=CELLS, x=CELLS)

    def token(self, patches: Tensor) -> Tensor:
        """Return the token `(width,)` of a scan's patches, whose columns run from right to left."""
        said: Tensor = self.to_token(summary(self(patches).float()).to(patches.dtype))
        return said


def summary(logits: Tensor) -> Tensor:
    """Return `(4·kinds,)` for cells `(D, H, W, kinds)`: of the right half how sure the surest cell is, 0..1, and how
    many there are, as the logarithm of their share in per cent and one; then of the left half."""
    middle = logits.shape[2] // 2
    parts = []
    for half in (logits[:, :, :middle], logits[:, :, middle:]):
        sure = half.sigmoid()
        parts += [sure.amax(dim=(0, 1, 2)), torch.log1p(100 * sure.mean(dim=(0, 1, 2)))]
    return torch.cat(parts)
