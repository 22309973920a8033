"""The visual side of Reg2RG: volumes and masks become tokens that stand between words of a prompt.

Each row that a prompt may name has one id: the language model's words, four marks, the tokens of the whole scan,
then those of the regions by slot. Rows are fetched by index; no table of all rows is ever built.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from torch import Tensor, nn

from .perceiver import Perceiver
from .reg2rg_config import Reg2RGConfig
from .vision_transformer import VisionTransformer


class VisualEmbedding(nn.Module):
    """Encoders, projections and the rows of the marks; `weight` is the language model's own table of words."""

    def __init__(self, config: Reg2RGConfig, words: nn.Parameter) -> None:
        super().__init__()
        self.config = config
        dim = config.language.dim
        self.weight = words
        self.image_token_weight = nn.Parameter(torch.randn(2, dim))
        self.region_token_weight = nn.Parameter(torch.randn(2, dim))
        self.vision_encoder = VisionTransformer(config.vision)
        self.mask_encoder = VisionTransformer(config.mask)
        self.perceiver = Perceiver(config.perceiver)
        self.fc = nn.Linear(config.vision.dim, dim)
        self.mask_fc = nn.Linear(config.mask.dim, dim)

    @property
    def visual_dtype(self) -> torch.dtype:
        """The number type that the encoders compute in."""
        return self.fc.weight.dtype

    def texture(self, volumes: Tensor) -> Tensor:
        """Map volumes `(n, 1 or 3, H, W, D)` in -1..1 to tokens `(n, 32, E)`."""
        tokens = self.vision_encoder(volumes.to(self.visual_dtype))  # (n, 1024, 768)
        out: Tensor = self.fc(self.perceiver(tokens))
        return out

    def geometry(self, masks: Tensor) -> Tensor:
        """Map masks `(n, H, W, D)` in 0..1, in the frame of the whole scan, to one token each `(n, 1, E)`."""
        tokens = self.mask_encoder(masks[:, None].to(self.visual_dtype))  # (n, 256, 255)
        out: Tensor = self.mask_fc(tokens.mean(dim=1, keepdim=True))
        return out

    def regions(self, volumes: Tensor, masks: Tensor) -> Tensor:
        """Map regions, cropped volumes `(n, 1 or 3, H, W, D)` and masks `(n, H, W, D)`, to tokens `(n, 33, E)`."""
        return torch.cat((self.texture(volumes), self.geometry(masks)), dim=1)

    def forward(self, token_ids: Tensor, images: Tensor, regions: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return the embeddings `(B, N, E)` of ids `(B, N)`.

        `images` are the scan tokens `(B, 32, E)`; `regions[b][j]` `(33, E)` is what slot j of sample b shows. A slot
        that only other samples of the batch have is zero, as in the original. ValueError for an id beyond all slots.
        """
        config = self.config
        if len(images) != len(token_ids) or len(regions) != len(token_ids):
            raise ValueError(f"got {len(token_ids)} rows of ids, {len(images)} scans and {len(regions)} slot lists")
        slots = max(map(len, regions))
        words = config.language.vocabulary
        last = config.first_region_id + config.region_tokens * slots - 1
        if int(token_ids.min()) < 0 or int(token_ids.max()) > last:
            raise ValueError(f"ids must lie in 0..{last}, got {int(token_ids.min())}..{int(token_ids.max())}")
        out = F.embedding(token_ids.clamp(max=words - 1), self.weight)  # (B, N, E)
        for n, (image, shown) in enumerate(zip(images, regions, strict=True)):
            self._fill(out[n], token_ids[n], [image, *shown])
        return out

    def _fill(self, row: Tensor, ids: Tensor, shown: list[Tensor]) -> None:
        """Put into the embeddings `row` (N, E), in place, what `ids` beyond the vocabulary stand for.

        Block after block of ids: the marks, the scan, each region. No table of all of them is made.
        """
        first = self.config.language.vocabulary
        for block in (self.image_token_weight, self.region_token_weight, *shown):
            here = torch.nonzero((ids >= first) & (ids < first + len(block)))[:, 0]
            row[here] = block[ids[here] - first].to(row.dtype)
            first += len(block)
        row[ids >= first] = 0
