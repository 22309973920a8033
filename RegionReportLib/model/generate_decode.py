"""Decodes prompts of which several share a beginning as one batch; knows token ids and tensors, no words, no regions.

A shared prefix is read once. Prefixes and prompts of different length are padded on their left, and positions go on as
if the padding were not there, so each row is written as it would be alone. A row that has ended leaves the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

from .generate_attention import can_share, shared_prefix
from .generate_cache import copies, roomy_cache, sharing


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """What the language model has read of the `length` vectors that all prompts begin with."""

    cache: Cache
    length: int


@torch.inference_mode()
def read_prefix(language: Any, embeds: Tensor) -> Prefix:
    """Return the cache of a prefix `(1, P, E)`."""
    out = language(inputs_embeds=embeds, use_cache=True, past_key_values=roomy_cache(), logits_to_keep=1)
    return Prefix(out.past_key_values, embeds.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Next:
    """What the model makes of what it has read: `logits` `(n, V)` for the next id of each row that goes on, and the
    `states` `(n, E)` of its last layer that they come from."""

    logits: Tensor
    states: Tensor


class Batch:
    """The rows being written; `rows` holds the numbers of the prompts that still go on, in order."""

    def __init__(self, language: Any, prefixes: Sequence[Prefix], prompts: Sequence[Tensor]) -> None:
        """Take prompts `(Q, E)` of any length from 1, and the prefix of each; neighbours with the same one share it."""
        if not prompts or min(len(prompt) for prompt in prompts) < 1:
            raise ValueError(f"each prompt needs a vector, got lengths {[len(prompt) for prompt in prompts]}")
        if len(prefixes) != len(prompts):
            raise ValueError(f"each prompt needs its prefix, got {len(prefixes)} for {len(prompts)}")
        self.rows = list(range(len(prompts)))
        self._language = language
        self._shares = can_share(language)
        runs = [tuple(run) for _, run in groupby(prefixes, key=id)]
        begin = sharing if self._shares else copies
        self._cache = begin([run[0].cache for run in runs], [len(run) for run in runs])
        self._starts = [prefix.length for prefix in prefixes]
        self._prompts = list(prompts)

    @torch.inference_mode()
    def read_prompts(self, given: Sequence[Sequence[int]] | None = None) -> tuple[Next, list[float | None]]:
        """Return what follows the prompts, and how likely what is `given` after each was; to be called once, first.

        Ids that are given are read as if they had been written. Their chance is None where there are none.
        """
        words = [list(ids) for ids in given] if given is not None else [[] for _ in self._prompts]
        table, device = self._language.get_input_embeddings(), self._prompts[0].device
        told = [torch.tensor(ids, dtype=torch.long, device=device) for ids in words]
        prompts = [torch.cat((p, table(ids).to(p.dtype))) for p, ids in zip(self._prompts, told, strict=True)]
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        longest = int(lengths.max())
        starts = torch.tensor(self._starts, device=device)
        self._seen = torch.cat((_right(starts), _right(lengths)), dim=1)  # 0 where padded
        self._ended_at = starts + lengths  # the position of the next id of each row
        embeds = torch.stack([torch.cat((p.new_zeros(longest - len(p), p.shape[1]), p)) for p in prompts])
        back = torch.arange(longest, 0, -1, device=device)
        positions = (self._ended_at[:, None] - back).clamp(min=0)  # clamped only where padded
        most = 1 + max(len(ids) for ids in words)
        out = self._read(embeds, positions, most)
        chances = [
            _chance(logits[most - 1 - len(ids) : most - 1], ids) if len(ids) else None
            for logits, ids in zip(out.logits, told, strict=True)
        ]
        return Next(out.logits[:, -1], out.states), chances

    @torch.inference_mode()
    def read(self, ids: Tensor) -> Next:
        """Return what follows when each row goes on with its id of `ids` `(n,)`."""
        embeds = self._language.get_input_embeddings()(ids)[:, None]
        self._seen = torch.cat((self._seen, self._seen.new_ones(len(ids), 1)), dim=1)
        positions = self._ended_at[:, None]
        self._ended_at = self._ended_at + 1
        out = self._read(embeds, positions, 1)
        return Next(out.logits[:, -1], out.states)

    @torch.inference_mode()
    def keep(self, places: Sequence[int]) -> None:
        """Go on with the rows at these places of `rows` only."""
        if len(places) == len(self.rows):
            return
        chosen = torch.tensor(places, dtype=torch.long, device=self._seen.device)
        self._cache.batch_select_indices(chosen)
        self._seen, self._ended_at = self._seen[chosen], self._ended_at[chosen]
        self.rows = [self.rows[place] for place in places]

    def _read(self, embeds: Tensor, positions: Tensor, most: int) -> Next:
        """Return the logits `(n, most, V)` of the last places and the states of the last one."""
        with shared_prefix(self._language) if self._shares else nullcontext():
            out = self._language(
                inputs_embeds=embeds,
                attention_mask=self._seen,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=most,
                output_hidden_states=True,
            )
        self._cache = out.past_key_values
        return Next(out.logits, out.hidden_states[-1][:, -1])


def _right(lengths: Tensor) -> Tensor:
    """Return `(n, longest)`, in each row as many ones as its length says, on the right."""
    longest = int(lengths.max())
    return (torch.arange(longest, device=lengths.device) >= longest - lengths[:, None]).long()


def _chance(logits: Tensor, ids: Tensor) -> float:
    """Return the chance of ids `(t,)` one after another, from the logits `(t, V)` before each."""
    return float(logits.float().log_softmax(dim=-1).gather(1, ids[:, None]).sum().exp())
