"""What the text of a region will tell of, settled before its first word, and the token that says so.

Ours: the many wordings of a finding share its chance, so the likeliest word is often an easy denial although the
language model's states know better. Here its state at the end of a region's prompt answers yes or no for each finding;
a token with the answers follows, and the text is written after it. In training the token holds the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import torch
from einops import rearrange
from torch import Tensor, nn

from ..anatomy.regions import Side
from .finding_map import RARE_LOGIT

FindingName: TypeAlias = tuple[str, str]
"""A kind of finding and one of its sides; side "" for the kind alone."""
SIDES = ("", *(side.value for side in Side))


class Plan(nn.Module):
    """Settles the findings of `regions` among `kinds`; states and tokens are `width` wide.

    `names` are all that can be settled, the sides of a kind behind it. Not all is said of every region, see `limit`.
    """

    said: Tensor

    def __init__(self, kinds: Sequence[str], regions: Sequence[str], width: int) -> None:
        super().__init__()
        self.regions = tuple(regions)
        self.names: tuple[FindingName, ...] = tuple((kind, side) for kind in kinds for side in SIDES)
        last = nn.Linear(width, len(self.names))
        nn.init.constant_(last.bias, RARE_LOGIT)
        self.of_state = nn.Sequential(nn.LayerNorm(width), last)
        self.to_token = nn.Linear(len(self.names), width)
        self.register_buffer("said", torch.ones(len(self.regions), len(self.names), dtype=torch.bool))

    def limit(self, said: Collection[tuple[str, FindingName]]) -> None:
        """From now on settle only what is ever `said` of a region: pairs of region id and name."""
        pairs = [[(region_id, name) in said for name in self.names] for region_id in self.regions]
        self.said.copy_(torch.tensor(pairs))

    def said_of(self, region_ids: Sequence[str]) -> Tensor:
        """Return what is ever said of these regions, `(n, names)`."""
        return self.said[[self.regions.index(region_id) for region_id in region_ids]]

    def forward(self, states: Tensor) -> Tensor:
        """Map states `(n, width)` to logits `(n, names)`."""
        out: Tensor = self.of_state(states.float())
        return out

    def settled(self, states: Tensor, region_ids: Sequence[str]) -> Tensor:
        """Return what the states `(n, width)` at the end of these regions' prompts settle, `(n, names)` bool.

        A side is settled with its kind only.
        """
        yes = rearrange((self(states) > 0) & self.said_of(region_ids), "n (kind side) -> n kind side", side=len(SIDES))
        out: Tensor = rearrange(yes & yes[..., :1], "n kind side -> n (kind side)")
        return out

    def row(self, names: Collection[FindingName]) -> Tensor:
        """Return a row `(names,)` in which these are settled; those that are unknown here are left out."""
        return torch.tensor([name in names for name in self.names], device=self.said.device)

    def singly(self, settled: Tensor) -> list[Tensor]:
        """Return rows that tell what is settled in a row `(names,)` singly: a row for each side of each kind, or for
        the kind alone if no side is settled."""
        answers = dict(zip(self.names, settled.tolist(), strict=True))
        kinds = dict.fromkeys(kind for kind, side in self.names if not side and answers[kind, side])
        return [
            self.row({(kind, ""), (kind, side)})
            for kind in kinds
            for side in [side for side in SIDES[1:] if answers[kind, side]] or [""]
        ]

    def token(self, settled: Tensor) -> Tensor:
        """Map what is settled `(n, names)` to tokens `(n, width)`."""
        out: Tensor = self.to_token(settled.to(self.to_token.weight.dtype))
        return out
