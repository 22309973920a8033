"""The loss of writing: how unlikely the model finds the words that it should have written."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100
"""The label of a position that is given, not written: prompts and padding."""


def writing_loss(logits: Tensor, labels: Tensor, raised: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy and the summed weight of the labelled tokens.

    `logits` `(B, N, V)` at position n speak of `labels` `(B, N)` at n + 1; labels of IGNORED do not count. `raised`
    `(V,)` holds a weight for each word, 1 where it is not given; the marker of a box is rare and weighs more. The two
    sums are kept apart, so that processes which share a batch can add them before they divide.
    """
    told = logits[:, :-1].reshape(-1, logits.shape[-1]).float()
    wanted = labels[:, 1:].reshape(-1)
    counted = wanted != IGNORED
    each = functional.cross_entropy(told, wanted, ignore_index=IGNORED, reduction="none")
    weight = counted.to(each.dtype)
    if raised is not None:
        weight = weight * raised.to(each)[wanted.clamp(min=0)]
    return (each * weight).sum(), weight.sum()


def states_that_write(hidden: Tensor, labels: Tensor, word: int) -> Tensor:
    """Return the states `(K, E)` of `hidden` `(B, N, E)` from which `word` was to be written, row by row."""
    writes = torch.zeros_like(labels, dtype=torch.bool)
    writes[:, :-1] = labels[:, 1:] == word
    return hidden[writes]
