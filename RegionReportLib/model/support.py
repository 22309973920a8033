"""How well sentences agree with the image of their region: the support score, and its calibration.

A query averages over thousands of patches, so it is not asked alone: what a sentence speaks of is also looked for among
the single patches of its region. Not here: what queries and patches are (`structure_queries`).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from scipy.optimize import minimize
from torch import Tensor, nn

from .structure_queries import Observation


class Support(nn.Module):
    """How well sentences agree with the image of their region, as logits whose sigmoid is the score 0..1.

    Two things are weighed: the cosine of region and sentence, and whether what the sentence speaks of is seen in any
    patch of the region; a sentence that denies it turns the sign. The global scale and offset are for calibration.
    """

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.offset = nn.Parameter(torch.tensor(0.0))
        self.subject = nn.Linear(embedding, embedding, bias=False)
        self.reading = nn.Linear(embedding, 2)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(10.0)))
        self.mask_gain = nn.Parameter(torch.tensor(2.0))

    def forward(self, text: Tensor, rows: Tensor, seen: Observation) -> Tensor:
        """Return the logits `(n,)` of texts `(n, E)` about the regions `rows` `(n,)` of an observation."""
        whole = (seen.embedding[rows] * text).sum(dim=-1)
        match = F.normalize(self.subject(text), dim=-1) @ seen.patches.T  # (n, patches), -1..1
        weight = (self.log_sharpness.exp() * match + self.mask_gain * seen.inside[rows]).softmax(dim=-1)
        found = (weight * match).sum(dim=-1)
        sign, threshold = self.reading(text).unbind(dim=-1)
        out: Tensor = self.log_scale.exp() * (whole + sign * found - threshold) + self.offset
        return out

    @torch.no_grad()
    def calibrate(self, logits: Tensor, true: Tensor) -> None:
        """Set scale and offset so that scores of held-out sentences mean chances (Platt 1999).

        `logits` `(n,)` are this network's own, `true` `(n,)` is 1 where the sentence holds, else 0. Order and so any
        ranking stay as they are. ValueError unless both kinds of sentences are there.
        """
        if not 0 < float(true.float().mean()) < 1:
            raise ValueError("calibration needs sentences that hold and sentences that do not")
        factor, shift = platt(logits, true)
        self.log_scale.add_(math.log(factor))
        self.offset.mul_(factor).add_(shift)


def platt(logits: Tensor, true: Tensor) -> tuple[float, float]:
    """Return the positive factor and the shift under which the sigmoid of logits is likeliest."""
    x, y = logits.double().cpu().numpy(), true.double().cpu().numpy()

    def unlikeliness(values: npt.NDArray[np.float64]) -> float:
        z = np.exp(values[0]) * x + values[1]
        return float((np.logaddexp(0.0, z) - y * z).mean())

    found = minimize(unlikeliness, np.zeros(2)).x
    return math.exp(found[0]), float(found[1])
