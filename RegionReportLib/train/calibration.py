"""Makes the support score mean a chance: scale and offset fitted on patients that taught the network nothing.

Half of the sentences hold and half do not, so the score answers "which is likelier, if either were as likely before".
Order, and with it every ranking, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..evaluate.phantom_scores import expected_calibration_error
from ..model.network import RegionReporter
from ..model.support import Support
from ..progress import Progress, Work
from .case import Case, CaseSentence
from .example import Showing, make_example


@dataclass(frozen=True, slots=True)
class Calibrated:
    """How many sentences the fit rests on, and the expected calibration error on them before and after it."""

    sentences: int
    before: float
    after: float


def calibrate(
    network: RegionReporter, cases: Sequence[Case], others: Sequence[CaseSentence] = (), seed: int = 0
) -> Work[Calibrated]:
    """Calibrate the support score of a network on validation cases; it is left in evaluation mode.

    False sentences are those of `others` (default: of the other cases) that a case refutes. ValueError if the network
    has no support score, or if no case has true and false sentences.
    """
    if network.support_score is None:
        raise ValueError("this network has no support score: `support` is switched off in its configuration")
    others = others or [s for case in cases for wording in case.wordings for s in wording]
    network.eval()
    logits, holds = [], []
    for done, case in enumerate(cases):
        yield Progress(done / len(cases), f"support of {case.id}")
        example = make_example(case, others, Showing(shuffle=False), np.random.default_rng([seed, done]), wording=0)
        with torch.no_grad():
            told = network([example.study], writing=False).contrasted
        logits.append(told.support.float().cpu())
        holds.append(example.true)
    x, true = torch.cat(logits), torch.cat(holds)
    scale, offset = (value.detach().cpu().clone() for value in _scaling(network.support_score))
    network.support_score.calibrate(x, true)
    # The logits are the scale times something, plus the offset; so the new ones follow from the old.
    new_scale, new_offset = (value.detach().cpu() for value in _scaling(network.support_score))
    after = (new_scale - scale).exp() * (x - offset) + new_offset
    return Calibrated(len(x), _error(x, true), _error(after, true))


def _scaling(score: Support) -> tuple[torch.Tensor, torch.Tensor]:
    return score.log_scale, score.offset


def _error(logits: torch.Tensor, true: torch.Tensor) -> float:
    error = expected_calibration_error(logits.double().sigmoid().numpy(), true.numpy())
    assert error is not None  # `Support.calibrate` has refused an empty fit
    return error
