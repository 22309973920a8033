"""A case to learn from, whatever its source: what the network sees, and true reports about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..anatomy.regions import Side
from ..imaging.box import Box
from ..model.inputs import StudyInputs
from ..report.sentence import Polarity


@dataclass(frozen=True, slots=True)
class Topic:
    """What a sentence says of one finding: its `kind`, whether it is there, and the sides it names, if any."""

    kind: str
    polarity: Polarity
    sides: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseSentence:
    """A sentence of a true report; `boxes` in RAS mm are the places of what it tells of.

    `topics` are empty where the source does not know what the sentence claims.
    """

    region_id: str
    text: str
    boxes: tuple[Box, ...] = ()
    topics: tuple[Topic, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A scan with its reports; each of `wordings` is a whole report, true and in order.

    `covers` holds, for each finding that is there, how much of each cell it covers `(D, y, x)`, uint8 whose 0..255
    stand for 0..1, on a grid of cells that divides the patches of the slices; None where the source knows no masks.
    """

    id: str
    inputs: StudyInputs
    wordings: tuple[tuple[CaseSentence, ...], ...]
    covers: Mapping[str, Tensor] | None = None

    def __post_init__(self) -> None:
        if not self.wordings:
            raise ValueError(f"case {self.id} has no report")

    @property
    def findings(self) -> dict[str, set[Side]]:
        """The kinds that any report tells of as there (or perhaps there), with the sides that are ever named."""
        out: dict[str, set[Side]] = {}
        for topic in (t for wording in self.wordings for s in wording for t in s.topics):
            if topic.polarity is not Polarity.ABSENT:
                out.setdefault(topic.kind, set()).update(topic.sides)
        return out

    def refutes(self, sentence: CaseSentence) -> bool:
        """Tell whether a sentence of another case is surely false here; the reports tell of all that is there."""
        findings = self.findings
        return any(_refuted(topic, findings) for topic in sentence.topics)


def _refuted(topic: Topic, findings: dict[str, set[Side]]) -> bool:
    if topic.polarity is Polarity.ABSENT:
        return topic.kind in findings
    sides = findings.get(topic.kind)
    # Where a side is never named nothing can be said about it.
    return sides is None or bool(sides and topic.sides and not sides & set(topic.sides))


class Source(Protocol):
    """A numbered set of cases; the same number gives the same case. It can be sent to another process."""

    @property
    def name(self) -> str:
        """What tells this set from others, and from itself with other settings."""
        ...

    def __len__(self) -> int:
        """Return the number of cases."""
        ...

    def case(self, number: int) -> Case:
        """Return a case; it may take seconds to make."""
        ...
