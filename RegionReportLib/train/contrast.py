"""Structure–text contrast with soft targets, and the queue of texts that keeps the most diverse.

After Structure Observation Driven Contrastive Learning (arXiv 2603.04878; values from its released code): the image
side learns, the text side is given. Two things differ on purpose. Slots of the queue that hold no text yet are left
out, where the original fills them with large random vectors that dominate both sides of the loss. And the similarity
that decides who stays is taken anew at each step, where the original keeps the value of the moment of insertion.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class ContrastSettings:
    """`temperature`; `softness`, the share of the target that follows text–text likeness; `across`, the weight of
    targets in texts of other structures."""

    temperature: float = 0.07
    softness: float = 0.2
    across: float = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Unit vectors `(K, E)` of texts and the structure `(K,)` that each speaks of."""

    vectors: Tensor
    structures: Tensor


def structure_contrast(
    image: Tensor, own: Tensor, texts: Texts, settings: ContrastSettings | None = None, structures: Tensor | None = None
) -> Tensor:
    """Return the mean loss of image vectors `(N, E)` whose own texts are the columns `own` `(N,)` of `texts`.

    All vectors have length one. `structures` `(N,)` defaults to those of the own texts.
    """
    settings = settings or ContrastSettings()
    mine = texts.structures[own] if structures is None else structures
    log_p = (image @ texts.vectors.T / settings.temperature).log_softmax(dim=-1)  # (N, K)
    with torch.no_grad():
        alike = (texts.vectors[own] @ texts.vectors.T / settings.temperature).softmax(dim=-1)
        exact = functional.one_hot(own, len(texts.vectors)).to(alike.dtype)
        target = settings.softness * alike + (1 - settings.softness) * exact
        same = mine[:, None] == texts.structures[None, :]
        target = target * torch.where(same, 1.0, settings.across)
    return -(target * log_p).sum(dim=-1).mean()


class DiversityQueue(nn.Module):
    """Up to `size` texts for each of `structures`; when full, the one most like the others has to go.

    Its content is saved with the training state.
    """

    vectors: Tensor
    filled: Tensor

    def __init__(self, structures: int, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("vectors", torch.zeros(structures, size, width))
        self.register_buffer("filled", torch.zeros(structures, dtype=torch.long))

    @torch.no_grad()
    def push(self, texts: Texts) -> None:
        """Take in texts in their order."""
        for structure in sorted(set(texts.structures.tolist())):
            count = int(self.filled[structure])
            new = texts.vectors[texts.structures == structure].to(self.vectors)
            kept = most_diverse(torch.cat((self.vectors[structure, :count], new)), self.size)
            self.vectors[structure, : len(kept)] = kept
            self.filled[structure] = len(kept)

    def texts(self) -> Texts:
        """Return what the queue holds; slots without a text are not there."""
        rows = torch.arange(self.size, device=self.filled.device)
        held = rows[None, :] < self.filled[:, None]  # (R, size)
        return Texts(self.vectors[held], held.nonzero()[:, 0])

    def with_batch(self, texts: Texts) -> Texts:
        """Return the columns of the loss: the texts of the batch first, then the queue."""
        held = self.texts()
        vectors = torch.cat((texts.vectors, held.vectors.to(texts.vectors)))
        return Texts(vectors, torch.cat((texts.structures, held.structures.to(texts.structures))))


def most_diverse(vectors: Tensor, size: int) -> Tensor:
    """Return `vectors` `(n, E)` without the ones most like the rest, one taken away at a time until `size` are left.

    Of two alike the later one goes, so that a text that is held already changes nothing.
    """
    likeness = vectors @ vectors.T
    likeness.fill_diagonal_(0.0)
    sums = likeness.sum(dim=1)
    kept = torch.ones(len(vectors), dtype=torch.bool, device=vectors.device)
    for _ in range(len(vectors) - size):
        waiting = torch.where(kept, sums, -torch.inf)
        worst = len(waiting) - 1 - int(waiting.flip(0).argmax())
        kept[worst] = False
        sums = sums - likeness[:, worst]
    return vectors[kept]
