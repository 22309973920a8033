"""Lets sentences be heard while they are written; for doors that show a draft as it grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..progress import Progress, Work
from ..report.sentence import Sentence
from .writer import Seen, Writer, share_of


@dataclass(frozen=True, slots=True)
class Wrote(Progress):
    """Progress of a writer that has just finished a sentence; a writer that takes its time yields these."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Overheard:
    """A writer whose sentences are told to `tell` in order, each once: as it yields them, the rest when it is done."""

    writer: Writer
    tell: Callable[[Sentence], None]

    @property
    def name(self) -> str:
        """The name of the writer itself."""
        return self.writer.name

    @property
    def share(self) -> float:
        """The share of the writer itself."""
        return share_of(self.writer)

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return what the writer returns."""
        told: set[str] = set()
        work = self.writer.write(seen)
        try:
            while True:
                progress = next(work)
                if isinstance(progress, Wrote):
                    told.add(progress.sentence.id)
                    self.tell(progress.sentence)
                yield progress
        except StopIteration as end:
            sentences: tuple[Sentence, ...] = end.value
        finally:
            work.close()
        for sentence in sentences:
            if sentence.id not in told:
                self.tell(sentence)
        return sentences
