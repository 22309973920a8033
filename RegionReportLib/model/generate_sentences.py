"""Cuts the stream of one region's words into sentences, and says when to stop; no tensors, no network.

The model writes one sentence a line, marks of boxes before the line's end. A sentence counts when its line is ended:
half a sentence is never shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

Decode: TypeAlias = Callable[[list[int]], str]
"""Turns ids into text, special words left out."""


class Ending(str, Enum):
    """Why the text of a region came to its end; all but the first two are the program's doing."""

    FINISHED = "finished"
    NOTHING = "nothing to report"
    REPEATED = "a sentence came twice"
    TOO_LONG = "the limit of words was reached"


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids with a meaning: the end of a text, a box, and the answer that there is nothing to report (None: has none).

    `line` are those of the end of a line.
    """

    end: tuple[int, ...]
    box: int | None = None
    nothing: int | None = None
    line: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The most words of a region and of one sentence; a sentence without an end is a model that has lost its way."""

    region: int = 320
    sentence: int = 96


@dataclass(frozen=True, slots=True)
class Line:
    """A finished sentence: its words, the mean natural logarithm of their chances, and its ids with that of the end of
    its line, if it wrote one.

    `box_steps` are the numbers, from 0, of the steps at which it wrote a mark of a box.
    """

    text: str
    mean_log_probability: float
    ids: tuple[int, ...]
    box_steps: tuple[int, ...]


@dataclass(slots=True)
class Lines:
    """The sentences of one region as they come; `ending` is None while it goes on.

    `said` are the sentences that are said already, in small letters; new ones are added. With `once` the first new
    sentence ends the text.
    """

    decode: Decode
    marks: Marks
    limits: Limits
    said: set[str] = field(default_factory=set)
    once: bool = False
    ending: Ending | None = None
    steps: int = 0
    _ids: list[int] = field(default_factory=list)
    _log_probabilities: list[float] = field(default_factory=list)
    _box_steps: list[int] = field(default_factory=list)

    def take(self, token: int, log_probability: float) -> Line | None:
        """Take the next id; return the sentence that it ends, if it ends one."""
        if self.ending is not None:
            raise ValueError(f"the text has ended: {self.ending.value}")
        step, self.steps = self.steps, self.steps + 1
        if token == self.marks.nothing:
            # Said after sentences it would contradict them: those stay, and it only ends the text.
            self.ending = Ending.FINISHED if self.said else Ending.NOTHING
            return None
        if token in self.marks.end:
            line = self._close()
            if self.ending is None:
                self.ending = Ending.FINISHED if self.said else Ending.NOTHING
            return line
        self._ids.append(token)
        self._log_probabilities.append(log_probability)
        if token == self.marks.box:
            self._box_steps.append(step)
        line = self._close() if "\n" in self.decode([token]) else None
        if self.once and line is not None:
            self.ending = Ending.FINISHED
        if self.ending is None and (len(self._ids) >= self.limits.sentence or self.steps >= self.limits.region):
            self.ending = Ending.TOO_LONG
        return line

    def _close(self) -> Line | None:
        """End the sentence; one that is empty is nothing, one that came before ends the text."""
        ids, chances, boxes = self._ids, self._log_probabilities, tuple(self._box_steps)
        self._ids, self._log_probabilities, self._box_steps = [], [], []
        text = " ".join(self.decode(ids).split())
        if not any(c.isalnum() for c in text):
            return None
        if text.lower() in self.said:
            self.ending = Ending.REPEATED
            return None
        self.said.add(text.lower())
        return Line(text, sum(chances) / len(chances), tuple(ids), boxes)
