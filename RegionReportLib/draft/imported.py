"""The writer that does not write: an existing or dictated report is tied to the places of the scan."""

from __future__ import annotations

from dataclasses import dataclass

from ..grounding.anchors import ground
from ..progress import Progress, Work
from ..report.sentence import Sentence
from .writer import Seen


@dataclass(frozen=True, slots=True)
class ImportedText:
    """Takes the sentences of `text` as they stand and finds their places; nothing is added or left out."""

    text: str
    name: str = "imported"

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the sentences of the text in their order, each with the place that its words or heading name."""
        yield Progress(0.0, "grounding the text")
        return ground(self.text, seen.places)
