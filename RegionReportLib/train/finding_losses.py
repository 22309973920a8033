"""What a region shows and where, asked of the image side directly: which findings a region has, and on which patches.

Few studies teach a network little by their words alone, because each word says little about any place. Where the source
knows what its sentences claim and where that is, the tokens of each part are asked for the findings of their region
(with sides), and every patch which of its four cells lie on one. The heads of the regions are thrown away after the
training, those of the patches and of the plan are the network's own (`model/finding_map.py`, `model/plan.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..model.config import ModelConfig
from ..model.finding_map import RARE_LOGIT
from ..model.plan import FindingName, Plan
from ..model.visual_tokens import region_columns
from ..report.sentence import Polarity
from .case import CaseSentence
from .example import Shown

RARE = 3.0
"""How much more a finding that is there weighs than one that is not."""
SHOWING = ("mask_token", "texture", "structure_tokens")
"""The parts whose tokens show what lies in a region; the others show where it lies."""
ENOUGH = 0.06
"""From which share on a cell counts as wholly covered: small findings fill no cell."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is asked: each kind, and each kind on each side, of each region of which it is ever said.

    `names` are `(kind, side)`, side "" for the kind alone; `asked` are the pairs of region and label.
    """

    kinds: tuple[str, ...]
    names: tuple[FindingName, ...]
    asked: frozenset[tuple[str, FindingName]]


def labels_of(sentences: Iterable[CaseSentence]) -> Labels:
    """Return the labels that the sentences of a source ever affirm, in alphabetical order."""
    asked = {
        (sentence.region_id, (topic.kind, side))
        for sentence in sentences
        for topic in sentence.topics
        if topic.polarity is not Polarity.ABSENT
        for side in ("", *(side.value for side in topic.sides))
    }
    names = sorted({name for _, name in asked})
    return Labels(tuple(sorted({kind for kind, _ in names})), tuple(names), frozenset(asked))


class FindingHeads(nn.Module):
    """The heads of the regions for a network of `config`: one for each part of their tokens that shows what lies in
    them."""

    asked: Tensor

    def __init__(self, labels: Labels, config: ModelConfig) -> None:
        super().__init__()
        self.labels, self.region_ids = labels, config.regions
        self.columns = {name: where for name, where in region_columns(config).items() if name in SHOWING}
        width = config.language.width
        self.of_regions = nn.ModuleDict(
            {
                name: nn.Sequential(nn.LayerNorm(width), _last(width, len(labels.names)))
                for name, where in self.columns.items()
                if where.start < where.stop
            }
        )
        pairs = [[(region_id, name) in labels.asked for name in labels.names] for region_id in self.region_ids]
        self.register_buffer("asked", torch.tensor(pairs).reshape(len(pairs), len(labels.names)), persistent=False)

    def loss(self, region_tokens: Tensor, shown: Sequence[Shown]) -> Tensor:
        """Return the cross-entropy of a study's region tokens `(R, q, d)` against its findings, a mean over all that is
        asked and over the parts, each of which answers alone by the mean of its tokens."""
        true, known = region_targets(self.labels.names, self.region_ids, shown)
        weight = (self.asked & known.to(self.asked.device)).to(region_tokens.dtype)
        each = [
            _weighed(head(region_tokens[:, self.columns[name]].mean(dim=1)), true.to(region_tokens)) * weight
            for name, head in self.of_regions.items()
        ]
        return torch.stack(each).sum(dim=(1, 2)).mean() / weight.sum().clamp(min=1)


def plan_loss(plan: Plan, states: Tensor, region_ids: Sequence[str], shown: Sequence[Shown]) -> Tensor:
    """Return the cross-entropy of a study's plan, made from the states `(n, d)` at the end of these regions' prompts,
    against its findings: a mean over all that is ever said of them."""
    true, known = region_targets(plan.names, region_ids, shown)
    weight = (plan.said_of(region_ids) & known.to(states.device)).float()
    each = _weighed(plan(states), true.to(states)) * weight
    return each.sum() / weight.sum().clamp(min=1)


def place_loss(logits: Tensor, kinds: Sequence[str], covers: Mapping[str, Tensor]) -> Tensor:
    """Return the cross-entropy of cells `(D, H, W, kinds)` against what findings cover of them: summed over kinds, a
    mean over cells."""
    true = torch.zeros(logits.shape, device=logits.device)
    for n, kind in enumerate(kinds):
        if kind in covers:
            true[..., n] = (covers[kind].to(logits.device).float() / (255 * ENOUGH)).clamp(max=1)
    each = _weighed(logits.float(), true)
    return each.sum() / each[..., 0].numel()


def region_targets(
    names: Sequence[FindingName], region_ids: Sequence[str], shown: Sequence[Shown]
) -> tuple[Tensor, Tensor]:
    """Return what is true `(R, names)` and whether that is known: sides are not where none is named."""
    true = torch.zeros(len(region_ids), len(names), dtype=torch.bool)
    known = torch.ones_like(true)
    column = {name: n for n, name in enumerate(names)}
    for one in shown:
        row = region_ids.index(one.region_id)
        for side in ("", *one.sides):
            if (one.kind, side) in column:
                true[row, column[one.kind, side]] = True
        if not one.sides:
            known[row, [n for n, (kind, side) in enumerate(names) if kind == one.kind and side]] = False
    return true, known | true


def _weighed(logits: Tensor, true: Tensor) -> Tensor:
    weight = torch.full((logits.shape[-1],), RARE, device=logits.device, dtype=logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, true, pos_weight=weight, reduction="none")


def _last(width: int, count: int) -> nn.Linear:
    layer = nn.Linear(width, count)
    nn.init.constant_(layer.bias, RARE_LOGIT)
    return layer
