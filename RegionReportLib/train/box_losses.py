"""How far guessed boxes are from true ones: matching of slots to lesions, winner-takes-all among hypotheses.

Slots are matched to lesions as in DETR (arXiv 2005.12872 §3.1). Of the hypotheses of a matched slot the best one bears
the loss and the others a small share of it (relaxed winner-takes-all, Rupprecht et al. arXiv 1612.00197 eq. 9); the
released code of uMedGround gives the large share to hypothesis 0 instead, whichever is best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from ..model.box_head import BoxGuesses

RELAXATION = 0.05
"""The share of the loss that the losing hypotheses bear together."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxLosses:
    """Mean distance of matched boxes, and cross-entropies of existence and of the choice among hypotheses."""

    boxes: Tensor
    existence: Tensor
    choice: Tensor

    @property
    def total(self) -> Tensor:
        """All three, weighted alike."""
        return self.boxes + self.existence + self.choice


def box_losses(guesses: BoxGuesses, lesions: Sequence[Tensor], relaxation: float = RELAXATION) -> BoxLosses:
    """Return the losses of guesses for N states whose true unit boxes are `lesions`, N tensors `(L, 6)`, L from 0.

    A state without lesions teaches its slots to stay empty. Lesions beyond the number of slots teach nothing.
    """
    exists = torch.zeros_like(guesses.existence)
    nothing = guesses.boxes.sum() * 0.0 + guesses.choice.sum() * 0.0  # keeps every weight in the graph
    distances, choices = [nothing], [nothing]
    matched = 0
    for n, true in enumerate(lesions):
        for slot, lesion in match(guesses, n, true):
            exists[n, slot] = 1.0
            each = distance(guesses.boxes[n, slot], true[lesion])  # (M,)
            distances.append(winner_takes_all(each, relaxation))
            choices.append(functional.cross_entropy(guesses.choice[n, slot], each.argmin()))
            matched += 1
    existence = functional.binary_cross_entropy_with_logits(guesses.existence, exists)
    share = max(matched, 1)
    return BoxLosses(torch.stack(distances).sum() / share, existence, torch.stack(choices).sum() / share)


def match(guesses: BoxGuesses, n: int, true: Tensor) -> list[tuple[int, int]]:
    """Return pairs of slot and lesion of state `n` at the least total cost: distance less belief in existence."""
    if not len(true):
        return []
    with torch.no_grad():
        nearest = distance(guesses.boxes[n][:, :, None], true).amin(dim=1)  # (S, M, L, 6) to (S, L)
        cost = nearest - guesses.existence[n].sigmoid()[:, None]
    slots, lesions = linear_sum_assignment(cost.float().cpu().numpy())
    return list(zip(slots.tolist(), lesions.tolist(), strict=True))


def winner_takes_all(each: Tensor, relaxation: float = RELAXATION) -> Tensor:
    """Return the loss of one slot from the distances `(M,)` of its hypotheses: the best bears almost all of it."""
    if len(each) == 1:
        return each[0]
    best = each.min()
    return (1 - relaxation) * best + relaxation / (len(each) - 1) * (each.sum() - best)


def distance(boxes: Tensor, true: Tensor) -> Tensor:
    """Return, for unit boxes `(..., 6)`, the sum of absolute differences plus one less generalised IoU (1902.09630)."""
    return (boxes - true).abs().sum(dim=-1) + 1.0 - generalised_iou(boxes, true)


def generalised_iou(one: Tensor, other: Tensor) -> Tensor:
    """Return the generalised IoU -1..1 of unit boxes `(..., 6)` given as centre and size."""
    low_a, high_a = one[..., :3] - one[..., 3:] / 2, one[..., :3] + one[..., 3:] / 2
    low_b, high_b = other[..., :3] - other[..., 3:] / 2, other[..., :3] + other[..., 3:] / 2
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod(dim=-1)
    hull = (torch.maximum(high_a, high_b) - torch.minimum(low_a, low_b)).prod(dim=-1)
    union = one[..., 3:].prod(dim=-1) + other[..., 3:].prod(dim=-1) - shared
    return shared / union.clamp(min=1e-9) - (hull - union) / hull.clamp(min=1e-9)
