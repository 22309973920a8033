"""What a writer of sentences gets and gives; the measured writer and the language model are two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

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
