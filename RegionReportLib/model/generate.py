"""Writes the texts of regions with the region-token network: all at once, streamed sentence by sentence.

What the regions share is read once; a region can be written again alone from the same reading. Each sentence comes
with how sure the model was of its words, how well it agrees with the image, and its boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ..progress import Progress, Work
from .box_head import FoundBox
from .generate_choice import Choice, Drawn, Sampling, greedy
from .generate_decode import Batch, Next, Prefix
from .generate_sentences import Decode, Ending, Limits, Line, Lines, Marks

FindBoxes: TypeAlias = Callable[[Tensor], tuple[tuple[FoundBox, ...], ...]]
"""Returns the boxes for each of the states `(K, E)` in which a mark of a box was written."""
Support: TypeAlias = Callable[[str, str], float]
"""Returns how well a sentence agrees with the image of a region, 0..1, from region id and text."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to write: the likeliest words, or by chance with `sampling`; and how much at most."""

    sampling: Sampling | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """A sentence about a region; `mean_log_probability` is natural and over its ids.

    `support` 0..1 is its agreement with the image, None where the model cannot say. `boxes` are those of its marks,
    surest first.
    """

    region_id: str
    number: int
    text: str
    mean_log_probability: float
    tokens: int
    support: float | None = None
    boxes: tuple[FoundBox, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionText:
    """All that was written about a region and why it came to its end.

    `named` 0..1 is the chance that the model would have given the region its name itself, None if names are not given.
    """

    region_id: str
    sentences: tuple[WrittenSentence, ...]
    ending: Ending
    named: float | None = None


@dataclass(frozen=True, slots=True)
class SentenceWritten(Progress):
    """Progress that brings a finished sentence."""

    sentence: WrittenSentence


@dataclass(frozen=True, slots=True, eq=False)
class OpenStudy:
    """A scan that the network has read: the shared `prefix`, the prompt `(Q, E)` of each region, and who judges.

    `names` are ids that follow a prompt and are given, not written. `find_boxes` and `support` are None where the
    network has no such part.
    """

    language: Any
    prefix: Prefix
    prompts: Mapping[str, Tensor]
    decode: Decode
    marks: Marks
    names: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    find_boxes: FindBoxes | None = None
    support: Support | None = None


def write_regions(
    study: OpenStudy, region_ids: Sequence[str] | None = None, settings: Settings | None = None
) -> Work[tuple[RegionText, ...]]:
    """Return the texts of regions, by default of all that have a prompt, in the order asked for.

    Yields `SentenceWritten` for each sentence as soon as it is whole, and `Progress` at each word. The same study and
    settings give the same texts, for one region alone or among others.
    """
    names = tuple(study.prompts) if region_ids is None else tuple(region_ids)
    if not names:
        return ()
    settings = settings or Settings()
    writing = _Writing(study, names, settings)
    yield Progress(0.0, "reading the regions")
    batch = Batch(study.language, study.prefix, [study.prompts[name] for name in names])
    following, writing.named = batch.read_prompts([study.names.get(name, ()) for name in names])
    for step in range(settings.limits.region):
        fraction = step / settings.limits.region
        yield Progress(fraction, f"writing, {len(names) - len(batch.rows)} of {len(names)} regions done")
        ids, lines = writing.step(batch.rows, following)
        for row, line in lines:
            yield SentenceWritten(fraction, "writing", writing.finish(row, line))
        going = [place for place, row in enumerate(batch.rows) if writing.lines[row].ending is None]
        if not going:
            break
        batch.keep(going)
        following = batch.read(ids[going])
    return tuple(writing.text(row) for row in range(len(names)))


class _Writing:
    """What has been written so far in each row."""

    def __init__(self, study: OpenStudy, names: tuple[str, ...], settings: Settings) -> None:
        self.study, self.names = study, names
        self.lines = [Lines(study.decode, study.marks, settings.limits) for _ in names]
        self.sentences: list[list[WrittenSentence]] = [[] for _ in names]
        self.choice: Choice = Drawn(settings.sampling) if settings.sampling else greedy
        self.box_states: list[dict[int, Tensor]] = [{} for _ in names]
        self.named: list[float | None] = [None] * len(names)

    @torch.inference_mode()
    def step(self, rows: Sequence[int], following: Next) -> tuple[Tensor, list[tuple[int, Line]]]:
        """Choose the next id of each row; return them and the sentences that they end."""
        ids = self.choice(following.logits, [self.names[row] for row in rows])
        chances = following.logits.float().log_softmax(dim=-1).gather(1, ids[:, None])[:, 0].tolist()
        ended = []
        for place, (row, token, chance) in enumerate(zip(rows, ids.tolist(), chances, strict=True)):
            lines = self.lines[row]
            if token == self.study.marks.box:
                self.box_states[row][lines.steps] = following.states[place]
            line = lines.take(token, chance)
            if line is not None:
                ended.append((row, line))
        return ids, ended

    def finish(self, row: int, line: Line) -> WrittenSentence:
        """Judge a sentence and keep it."""
        name, judge = self.names[row], self.study.support
        sentence = WrittenSentence(
            name,
            len(self.sentences[row]) + 1,
            line.text,
            line.mean_log_probability,
            line.tokens,
            judge(name, line.text) if judge else None,
            self._boxes(row, line),
        )
        self.sentences[row].append(sentence)
        return sentence

    def _boxes(self, row: int, line: Line) -> tuple[FoundBox, ...]:
        if self.study.find_boxes is None or not line.box_steps:
            return ()
        found = self.study.find_boxes(torch.stack([self.box_states[row].pop(step) for step in line.box_steps]))
        return tuple(sorted((box for boxes in found for box in boxes), key=lambda box: -box.existence))

    def text(self, row: int) -> RegionText:
        ending = self.lines[row].ending or Ending.TOO_LONG
        return RegionText(self.names[row], tuple(self.sentences[row]), ending, self.named[row])
