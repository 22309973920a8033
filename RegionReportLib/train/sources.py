"""The sets of cases that a recipe names, kept on disk; and the words that are taken from them at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from ..model.config import ModelConfig
from ..progress import Progress, Work
from .batches import Share
from .case import Case, CaseSentence, Source
from .case_cache import Cached
from .phantom_source import PhantomSource
from .recipe import Recipe


@dataclass(frozen=True, slots=True)
class Sources:
    """What is learned from, and what is only looked at."""

    train: Source
    validation: Source


def sources_of(recipe: Recipe, config: ModelConfig, cache: Path) -> Sources:
    """Return the sources of a recipe, whose cases are kept in `cache`."""
    data = recipe.data
    if data.source == "radgenome":
        from .radgenome_source import open_radgenome

        train, validation = open_radgenome(Path(data.folder), config)
        return Sources(Cached(train, cache), Cached(validation, cache))
    made = (PhantomSource(config, data, *span) for span in (data.train, data.validation))
    return Sources(*(Cached(source, cache) for source in made))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All `texts` that a tokenizer is made for, and the `sentences` that serve as claims about other cases."""

    texts: tuple[str, ...]
    sentences: tuple[CaseSentence, ...]


def vocabulary(source: Source, count: int) -> Work[Vocabulary]:
    """Return the words of the first `count` cases."""
    texts: dict[str, None] = {}
    sentences: dict[CaseSentence, None] = {}
    numbers = range(min(count, len(source)))
    for done, case in enumerate(read_ahead(source, numbers, 0)):
        yield Progress(done / len(numbers), f"reading the words of case {done + 1} of {len(numbers)}")
        texts.update(dict.fromkeys(case.inputs.attributes))
        for sentence in (s for wording in case.wordings for s in wording):
            texts[sentence.text] = sentences[sentence] = None
    return Vocabulary(tuple(texts), tuple(sentences))


def prepare(source: Source, count: int, share: Share, workers: int) -> Work[None]:
    """Have this process's share of the first `count` cases made and kept."""
    numbers = range(min(count, len(source)))[share.index :: share.count]
    for done, case in enumerate(read_ahead(source, numbers, workers)):
        yield Progress(done / len(numbers), f"made {case.id}, {done + 1} of {len(numbers)}")


def read_ahead(source: Source, numbers: Sequence[int], workers: int) -> Iterator[Case]:
    """Yield cases in the order of `numbers`, made by `workers` processes (0: by this one)."""
    loader: DataLoader[Case] = DataLoader(
        _Cases(source, numbers),
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        multiprocessing_context="spawn" if workers else None,
        generator=torch.Generator(),
    )
    return iter(loader)


class _Cases(Dataset[Case]):
    def __init__(self, source: Source, numbers: Sequence[int]) -> None:
        self.source, self.numbers = source, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, n: int) -> Case:
        return self.source.case(self.numbers[n])


def _as_it_is(case: Any) -> Any:
    return case
