"""What a writer of sentences gets and gives; the measured writer and the language model are two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Work
from ..report.measurement import Measurement
from ..report.place import Place
from ..report.sentence import Sentence


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """All that is known of a scan when its sentences are written."""

    volume: Volume
    masks: RegionMasks
    places: tuple[Place, ...]
    measurements: tuple[Measurement, ...]


class Writer(Protocol):
    """Writes the sentences of a draft; `name` goes into the report."""

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        ...

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the sentences in report order; each knows its place and what it rests on."""
        ...


@runtime_checkable
class Redrafts(Protocol):
    """A writer that can write one region anew, with a model whose name and SHA-256 `model` tells."""

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        ...

    @property
    def model(self) -> str:
        """Which model writes."""
        ...

    @property
    def last_seen(self) -> Seen | None:
        """The scan that was written about last, if it is still at hand."""
        ...

    def redraft(self, seen: Seen, region_id: str, seed: int | None = None) -> Work[tuple[Sentence, ...]]:
        """Return the sentences of one region anew; with a `seed` in other words, drawn by chance."""
        ...


@runtime_checkable
class TakesTime(Protocol):
    """A writer that takes `share` (0..1) of the time of a whole draft; only the progress bar asks."""

    @property
    def share(self) -> float:
        """About how much of a draft's time the writing takes."""
        ...


def share_of(writer: Writer) -> float:
    """Return the share of a draft's time that a writer takes, 0..1; little where it does not say."""
    return writer.share if isinstance(writer, TakesTime) else 0.02
