"""Which studies are shown in which step, and how they reach it: made and read ahead by worker processes.

The order is drawn anew for each pass over the data from the recipe's seed alone, so a run that goes on at step n sees
what it would have seen. Each process takes its part of every batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .case import CaseSentence, Source
from .example import Example, Showing, make_example


@dataclass(frozen=True, slots=True)
class Share:
    """The part of each batch that this process works on: number `index` of `count`."""

    index: int = 0
    count: int = 1

    def of(self, batch: range) -> range:
        """Return its places of a batch; ValueError if the batch cannot be divided."""
        if len(batch) % self.count:
            raise ValueError(f"a batch of {len(batch)} studies cannot be divided among {self.count} processes")
        each = len(batch) // self.count
        return batch[self.index * each : (self.index + 1) * each]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The examples of a stage: place n of the endless row of studies, `batch` of them to a step."""

    source: Source
    others: Sequence[CaseSentence]
    showing: Showing
    batch: int
    seed: tuple[int, int]

    def example(self, place: int) -> Example:
        """Return the example at a place."""
        turn, within = divmod(place, len(self.source))
        order = np.random.default_rng([*self.seed, 0, turn]).permutation(len(self.source))
        case = self.source.case(int(order[within]))
        return make_example(case, self.others, self.showing, np.random.default_rng([*self.seed, 1, place]))

    def step(self, step: int, share: Share) -> list[Example]:
        """Return this process's examples of a step."""
        return [self.example(place) for place in share.of(range(step * self.batch, (step + 1) * self.batch))]


class _Steps(Dataset[list[Example]]):
    """The steps from `first` to `last` as the library's loader wants them."""

    def __init__(self, order: Order, first: int, last: int, share: Share) -> None:
        self.order, self.first, self.count, self.share = order, first, last - first, share

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, n: int) -> list[Example]:
        return self.order.step(self.first + n, self.share)


def batches(order: Order, first: int, last: int, share: Share, workers: int) -> Iterator[list[Example]]:
    """Yield the batches of the steps `first` to `last`, read ahead by `workers` processes (0: by this one)."""
    loader: DataLoader[list[Example]] = DataLoader(
        _Steps(order, first, last, share),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        multiprocessing_context="spawn" if workers else None,  # a fork would share the state of running threads
        generator=torch.Generator(),  # else the loader draws from the random numbers of the training itself
    )
    return iter(loader)


def _as_it_is(batch: list[Example]) -> list[Example]:
    return batch
