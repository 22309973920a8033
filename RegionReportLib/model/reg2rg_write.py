"""Writes region texts with Reg2RG: all regions at once as a batch, or in one pass as published.

The published network names the region before it describes it; the name is read back and checked against the region
that was shown, since the caller knows whose mask it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from ..progress import Progress, Work, part
from .reg2rg import Reg2RG
from .reg2rg_features import Features
from .reg2rg_prompt import END_ID, Words, read_answers

Choose: TypeAlias = Callable[[Tensor], Tensor]
"""Picks the next ids `(B,)` from logits `(B, vocabulary)`."""

TOKENS_FOR_ALL = 500
"""The published limit for the report of all regions in one pass."""
TOKENS_FOR_ONE = 256
"""Enough for the longest text of any region in the published predictions."""


@dataclass(frozen=True, slots=True)
class RegionText:
    """What was written for a region: `text` is None with a `reason` where the model gave none.

    `named` is the region that the model itself took it for; `agrees` tells whether that is the one shown.
    `complete` is False where the limit of tokens cut the text off.
    """

    region: str
    text: str | None
    named: str | None
    complete: bool
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Tell whether the model recognised the region that it was shown."""
        return self.named == self.region


@dataclass(frozen=True, slots=True)
class WroteRegion(Progress):
    """Progress of a writing that has just come to the end of a region."""

    text: RegionText


@dataclass(frozen=True, slots=True)
class Written:
    """The ids written for one prompt; `ended` tells whether the model itself came to an end."""

    ids: tuple[int, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class RowEnded(Progress):
    """Progress of a decoding in which a row has just come to its own end."""

    row: int
    written: Written


def greedy(logits: Tensor) -> Tensor:
    """Choose the most likely id of each row."""
    return logits.argmax(dim=-1)


def sampled(generator: torch.Generator, temperature: float, top_p: float, top_k: int = 30) -> Choose:
    """Return a choice by chance, as published (top_k 30, the rest from the base model's own settings)."""
    warp: Any = LogitsProcessorList(
        (TemperatureLogitsWarper(temperature), TopKLogitsWarper(top_k), TopPLogitsWarper(top_p))
    )

    def choose(logits: Tensor) -> Tensor:
        chances = warp(None, logits.float()).softmax(dim=-1)
        return torch.multinomial(chances, 1, generator=generator)[:, 0]

    return choose


def write_regions(
    model: Reg2RG, words: Words, features: Features, choose: Choose = greedy, limit: int = TOKENS_FOR_ONE
) -> Work[tuple[RegionText, ...]]:
    """Write all regions at once: each row of the batch is a published prompt that shows one region in slot 0.

    All rows have the same length, so nothing is padded and each row gives what it would give alone.
    """
    names = list(features.regions)
    if not names:
        return ()
    ids = words.prompt_ids(1)
    embeds = _embed(model, [ids] * len(names), features, [[name] for name in names])
    work = _heard(decode(model, embeds, choose, limit), lambda row, one: _checked([names[row]], words, one)[0])
    written = yield from work
    return tuple(_checked([name], words, one)[0] for name, one in zip(names, written, strict=True))


def write_in_one_pass(
    model: Reg2RG, words: Words, features: Features, choose: Choose = greedy, limit: int = TOKENS_FOR_ALL
) -> Work[tuple[RegionText, ...]]:
    """Write all regions as published: one prompt, one long answer, split at its headers."""
    names = list(features.regions)
    if not names:
        return ()
    embeds = _embed(model, [words.prompt_ids(len(names))], features, [names])
    (written,) = yield from part(decode(model, embeds, choose, limit), 0.0, 1.0)
    return _checked(names, words, written)


def _heard(work: Work[list[Written]], read: Callable[[int, Written], RegionText]) -> Work[list[Written]]:
    """Do a decoding and tell each region as soon as its row has ended."""
    try:
        while True:
            progress = next(work)
            if isinstance(progress, RowEnded):
                text = read(progress.row, progress.written)
                yield WroteRegion(progress.fraction, progress.stage, text)
            else:
                yield progress
    except StopIteration as end:
        written: list[Written] = end.value
        return written
    finally:
        work.close()


@torch.inference_mode()
def _embed(model: Reg2RG, ids: list[list[int]], features: Features, shown: list[list[str]]) -> Tensor:
    layer = model.embedding_layer
    token_ids = torch.tensor(ids, device=layer.weight.device)
    images = features.image.expand(len(ids), -1, -1)
    return layer(token_ids, images, [[features.regions[name] for name in names] for names in shown])  # type: ignore[no-any-return]


def decode(model: Reg2RG, embeds: Tensor, choose: Choose, limit: int) -> Work[list[Written]]:
    """Continue prompts `(B, N, E)` of equal length by up to `limit` ids each."""
    language: Any = model.lang_model
    ids: list[list[int]] = [[] for _ in embeds]
    going = set(range(len(embeds)))
    cache = None
    for step in range(limit):
        stage = f"writing, {len(embeds) - len(going)} of {len(embeds)} done"
        yield Progress(step / limit, stage)
        with torch.inference_mode():
            out = language(inputs_embeds=embeds, past_key_values=cache, use_cache=True, logits_to_keep=1)
            chosen = choose(out.logits[:, -1])
            cache = out.past_key_values
            embeds = model.embedding_layer.weight[chosen][:, None]  # (B, 1, E)
        for row, token in enumerate(chosen.tolist()):
            if row in going and token == END_ID:
                going.discard(row)
                yield RowEnded(step / limit, stage, row, Written(tuple(ids[row]), True))
            elif row in going:
                ids[row].append(token)
        if not going:
            break
    return [Written(tuple(own), row not in going) for row, own in enumerate(ids)]


def _checked(names: Sequence[str], words: Words, written: Written) -> tuple[RegionText, ...]:
    """Return one text for each slot; a header beyond the slots is nobody's."""
    answers = read_answers(words.text(list(written.ids)))
    out = []
    for slot, name in enumerate(names):
        own = [a for a in answers if a.slot == slot]
        if not own:
            reason = "the model wrote nothing under its header" if written.ended else "cut off before its turn"
            out.append(RegionText(name, None, None, written.ended, reason))
            continue
        complete = written.ended or own[-1] is not answers[-1]
        out.append(RegionText(name, " ".join(a.text for a in own).strip(), own[0].named, complete))
    return tuple(out)
