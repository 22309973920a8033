"""The loss of writing: how unlikely the model finds the words that it should have written."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100
"""The label of a position that is given, not written: prompts and padding."""


def writing_loss(
    logits: Tensor, labels: Tensor, raised: Tensor | None = None, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy and the summed weight of the labelled tokens.

    `logits` `(B, N, V)` at position n speak of `labels` `(B, N)` at n + 1; labels of IGNORED do not count. `raised`
    `(V,)` holds a weight for each word, 1 where it is not given; the marker of a box is rare and weighs more. `weights`
    `(B, N)` are those of the places of `labels`. The two sums are kept apart, so that processes which share a batch can
    add them before they divide.
    """
    told = logits[:, :-1].reshape(-1, logits.shape[-1]).float()
    wanted = labels[:, 1:].reshape(-1)
    counted = wanted != IGNORED
    each = functional.cross_entropy(told, wanted, ignore_index=IGNORED, reduction="none")
    weight = counted.to(each.dtype)
    if raised is not None:
        weight = weight * raised.to(each)[wanted.clamp(min=0)]
    if weights is not None:
        weight = weight * weights[:, 1:].reshape(-1).to(each)
    return (each * weight).sum(), weight.sum()


def weights_of_runs(labels: Tensor, counts: Sequence[int], weight: float) -> Tensor:
    """Return the weights `(N,)` of the places of `labels` `(N,)`: `weight` for the first places of each run of labels,
    as many as `counts` says of that run, and 1 for all others. ValueError if there are not as many runs as counts.
    """
    runs = runs_of(labels)
    if len(runs) != len(counts):
        raise ValueError(f"{len(runs)} texts are written, but {len(counts)} counts are given")
    weights = torch.ones(labels.shape, device=labels.device)
    for (start, _), count in zip(runs, counts, strict=True):
        weights[start : start + count] = weight
    return weights


def runs_of(labels: Tensor) -> list[tuple[int, int]]:
    """Return where each run of labelled places in `labels` `(N,)` begins and ends, the end not included."""
    told = (labels != IGNORED).int()
    change = torch.diff(told, prepend=told.new_zeros(1), append=told.new_zeros(1))
    starts, stops = ((change == sign).nonzero()[:, 0].tolist() for sign in (1, -1))
    return list(zip(starts, stops, strict=True))


def states_that_write(hidden: Tensor, labels: Tensor, word: int) -> Tensor:
    """Return the states `(K, E)` of `hidden` `(B, N, E)` from which `word` was to be written, row by row."""
    writes = torch.zeros_like(labels, dtype=torch.bool)
    writes[:, :-1] = labels[:, 1:] == word
    return hidden[writes]
