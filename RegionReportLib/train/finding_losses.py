"""What a region shows and where, asked of the image side directly: which findings a region has, and on which patches.

Few studies teach a network little by their words alone, because each word says little about any place. Where the source
knows what its sentences claim and where that is, the structure queries are asked for the findings of their region (with
sides), and every patch whether it lies on one. The two linear heads that answer are thrown away after the training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..model.structure_queries import Observation
from ..report.sentence import Polarity
from .case import CaseSentence
from .example import Shown

RARE = 3.0
"""How much more a finding that is there weighs than one that is not."""
AT_FIRST = -3.0
"""The logit of every finding before anything is learned: most are rare."""
ENOUGH = 0.3
"""The share of a patch or of a box, whichever is smaller, that must overlap for the patch to lie on the finding."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What is asked: each kind, and each kind on each side, of each region of which it is ever said.

    `names` are `(kind, side)`, side "" for the kind alone; `asked` are the pairs of region and label.
    """

    kinds: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    asked: frozenset[tuple[str, tuple[str, str]]]


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
    """The two heads and their losses, for the regions `region_ids` in the order of the queries."""

    asked: Tensor

    def __init__(self, labels: Labels, region_ids: Sequence[str], query_width: int, patch_width: int) -> None:
        super().__init__()
        self.labels, self.region_ids = labels, tuple(region_ids)
        self.of_region = nn.Linear(query_width, len(labels.names))
        last = nn.Linear(patch_width, len(labels.kinds))
        self.of_patch = nn.Sequential(nn.LayerNorm(patch_width), last)
        for head in (self.of_region, last):
            nn.init.constant_(head.bias, AT_FIRST)
        pairs = [[(region_id, name) in labels.asked for name in labels.names] for region_id in self.region_ids]
        self.register_buffer("asked", torch.tensor(pairs).reshape(len(pairs), len(labels.names)), persistent=False)

    def region_loss(self, observed: Observation, shown: Sequence[Shown]) -> Tensor:
        """Return the cross-entropy of a study's regions against its findings, a mean over all that is asked."""
        logits = self.of_region(observed.tokens[:, 0])  # (R, labels)
        true, known = region_targets(self.labels, self.region_ids, shown)
        weight = (self.asked & known.to(self.asked.device)).to(logits.dtype)
        each = _weighed(logits, true.to(logits))
        return (each * weight).sum() / weight.sum().clamp(min=1)

    def place_loss(self, patches: Tensor, shown: Sequence[Shown]) -> Tensor:
        """Return the cross-entropy of patches `(D, C, h, w)` against where findings lie: summed over kinds, a mean over
        patches. Findings without a place ask nothing of any patch."""
        logits = self.of_patch(patches.permute(0, 2, 3, 1))  # (D, h, w, kinds)
        true, known = patch_targets(self.labels.kinds, shown, logits.shape[:3])
        each = _weighed(logits, true.to(logits)) * known.to(logits)
        return each.sum() / each[..., 0].numel()


def region_targets(labels: Labels, region_ids: Sequence[str], shown: Sequence[Shown]) -> tuple[Tensor, Tensor]:
    """Return what is true `(R, labels)` and whether that is known: sides are not where none is named."""
    true = torch.zeros(len(region_ids), len(labels.names), dtype=torch.bool)
    known = torch.ones_like(true)
    column = {name: n for n, name in enumerate(labels.names)}
    for one in shown:
        row = region_ids.index(one.region_id)
        for side in ("", *one.sides):
            if (one.kind, side) in column:
                true[row, column[one.kind, side]] = True
        if not one.sides:
            known[row, [n for n, (kind, side) in enumerate(labels.names) if kind == one.kind and side]] = False
    return true, known | true


def patch_targets(kinds: Sequence[str], shown: Sequence[Shown], size_dhw: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return on which patches each kind lies `(D, h, w, kinds)`, and which kinds are known `(kinds,)`."""
    true = torch.zeros(*size_dhw, len(kinds), dtype=torch.bool)
    for one in shown:
        for box in one.boxes if one.kind in kinds else ():
            true[..., kinds.index(one.kind)] |= lies_on(box, size_dhw)
    placed, there = {one.kind for one in shown if len(one.boxes)}, {one.kind for one in shown}
    return true, torch.tensor([kind in placed or kind not in there for kind in kinds])


def lies_on(box: Tensor, size_dhw: Sequence[int]) -> Tensor:
    """Return which of `(D, h, w)` patches of the unit cube lie on a unit box `(6,)` (centre and size along i, j, k)."""
    overlap = torch.ones(1, 1, 1)
    smaller = 1.0
    for axis, count in enumerate(size_dhw):
        centre, size = float(box[2 - axis]), float(box[5 - axis])
        edges = torch.arange(count + 1) / count
        low, high = edges[:-1].clamp(min=centre - size / 2), edges[1:].clamp(max=centre + size / 2)
        shape = [1, 1, 1]
        shape[axis] = count
        overlap = overlap * (high - low).clamp(min=0).reshape(shape)
        smaller *= min(size, 1 / count)
    return overlap >= ENOUGH * smaller


def _weighed(logits: Tensor, true: Tensor) -> Tensor:
    weight = torch.full((logits.shape[-1],), RARE, device=logits.device, dtype=logits.dtype)
    return functional.binary_cross_entropy_with_logits(logits, true, pos_weight=weight, reduction="none")
