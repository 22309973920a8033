"""What is to be done, as one value that any process understands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model.card import card_of
from ..train.recipe import Data

VERSION = 1
"""Counts changes of what a record holds."""


@dataclass(frozen=True, slots=True)
class Order:
    """The `model` folder, the `count` seeds from `first` on made as `data` says, the ids of rows, and where made
    cases are kept."""

    model: Path
    data: Data
    first: int
    count: int
    rows: tuple[str, ...]
    cache: Path

    def pairs(self, done: Collection[int]) -> tuple[tuple[int, ...], ...]:
        """Return the numbers of the patients whose seeds are not `done`, two that lend each other sentences together.

        The partner of number n is n with its last bit turned; it need not be one that is asked for.
        """
        wanted = [n for n in range(self.count) if self.first + n not in done]
        return tuple(
            tuple(n for n in (one, one + 1) if n in wanted)
            for one in range(0, self.count, 2)
            if one in wanted or one + 1 in wanted
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what the records depend on; more patients of the same kind are the same run."""
        return {
            "version": VERSION,
            "model": card_of(self.model).digest,
            "first": self.first,
            "shape_kji": list(self.data.shape_kji),
            "evenness": self.data.evenness,
            "wordings": self.data.wordings,
            "rows": list(self.rows),
        }
