"""Six regions of a study in one row for training: the common prefix once, then each region blind to the others.

A region sees the prefix and itself, and its places count on from the end of the prefix, exactly as when six rows are
decoded from copies of one cache; so a row costs one prefix and not six.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from torch import Tensor

IGNORED = -100
"""The label of a place that is given and not written."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One region: `embeds` `(q + t, d)` of prompt and target, and the target's `ids` (t), which end it."""

    embeds: Tensor
    ids: Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Rows of equal length, prefixes pushed against the place `start` where all regions begin.

    `embeds` `(B, n, d)`; `sees` `(B, 1, n, n)`, True where a place may look; `positions` and `labels` `(B, n)`.
    """

    embeds: Tensor
    sees: Tensor
    positions: Tensor
    labels: Tensor
    start: int


def pack(prefixes: Sequence[Tensor], regions: Sequence[Sequence[Block]]) -> Packed:
    """Return the rows of studies with prefixes `(1, P, d)` and their regions."""
    start = max(prefix.shape[1] for prefix in prefixes)
    length = start + max(sum(len(b.embeds) for b in blocks) for blocks in regions)
    rows = [_row(prefix[0], blocks, start, length) for prefix, blocks in zip(prefixes, regions, strict=True)]
    embeds, owners, positions, labels = (torch.stack(column) for column in zip(*rows, strict=True))
    n = torch.arange(length, device=embeds.device)
    before = n[:, None] >= n[None, :]
    common = (owners == 0)[:, None, :]
    sees = before & (common | (owners[:, :, None] == owners[:, None, :]))
    return Packed(embeds, sees[:, None], positions, labels, start)


def _row(prefix: Tensor, blocks: Sequence[Block], start: int, length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return embeddings, owners (0 the prefix, 1.. the regions, -1 padding), positions and labels of a study."""
    sizes = [len(block.embeds) for block in blocks]
    before, after = start - len(prefix), length - start - sum(sizes)
    embeds = F.pad(torch.cat((prefix, *(block.embeds for block in blocks))), (0, 0, before, after))
    owners = [-1] * before + [0] * len(prefix)
    positions = [0] * before + list(range(len(prefix)))
    labels = [IGNORED] * start
    for n, (block, size) in enumerate(zip(blocks, sizes, strict=True), start=1):
        owners += [n] * size
        positions += range(len(prefix), len(prefix) + size)
        labels += [IGNORED] * (size - len(block.ids)) + list(block.ids)
    owners, positions, labels = owners + [-1] * after, positions + [0] * after, labels + [IGNORED] * after
    of, at, said = (torch.tensor(v, dtype=torch.long, device=prefix.device) for v in (owners, positions, labels))
    return embeds, of, at, said
