"""Chooses the next word of each row: the likeliest, or one by chance that is the same for the same seed.

Each row has its own chance, named for its region. So a region that is redrafted alone with the same seed gets the
words that it got among six.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


class Choice(Protocol):
    """Picks the next ids `(n,)` from logits `(n, V)` of the rows with these names."""

    def __call__(self, logits: Tensor, names: Sequence[str]) -> Tensor:
        """Return the ids."""
        ...


def greedy(logits: Tensor, names: Sequence[str]) -> Tensor:
    """Choose the likeliest id of each row."""
    return logits.argmax(dim=-1)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How words are drawn by chance: logits over `temperature`, of the `top_k` likeliest those within `top_p`."""

    seed: int
    temperature: float = 0.7
    top_p: float = 0.9
    top_k: int = 50

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 < self.top_p <= 1 or self.top_k < 1:
            raise ValueError(f"temperature and top_k must be positive and top_p in 0..1, got {self}")


class Drawn:
    """Draws words by chance; each name has a generator of its own, on the CPU, so that devices agree."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._generators: dict[str, torch.Generator] = {}
        self._warp: Any = LogitsProcessorList(
            (
                TemperatureLogitsWarper(sampling.temperature),
                TopKLogitsWarper(sampling.top_k),
                TopPLogitsWarper(sampling.top_p),
            )
        )

    def __call__(self, logits: Tensor, names: Sequence[str]) -> Tensor:
        """Return one id for each row."""
        chances = self._warp(None, logits.float().cpu()).softmax(dim=-1)
        drawn = [
            torch.multinomial(own, 1, generator=self._generator(name)) for own, name in zip(chances, names, strict=True)
        ]
        return torch.cat(drawn).to(logits.device)

    def _generator(self, name: str) -> torch.Generator:
        if name not in self._generators:
            seed = zlib.crc32(name.encode(), self._sampling.seed & 0xFFFFFFFF)
            self._generators[name] = torch.Generator().manual_seed(seed)
        return self._generators[name]
