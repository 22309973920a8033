"""The text of one region on its way: the rows of a batch that write it, and the sentences that they have ended.

A text is one row, or, where findings are settled before it, a row for the sentence of each of them and one that goes on
from these sentences. Several findings asked for at once are told incompletely: a sentence each is what a row does well.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .box_head import FoundBox
from .generate_sentences import Ending, Limits, Line, Lines
from .generate_study import OpenStudy, RegionText, WrittenSentence


class Text:
    """What has been written so far about one region of the study with this number."""

    def __init__(self, number: int, study: OpenStudy, region_id: str, limits: Limits) -> None:
        self.number, self.study, self.region_id, self.limits = number, study, region_id, limits
        self.sentences: list[WrittenSentence] = []
        self.said: set[str] = set()
        self.ids: list[int] = []
        self.named: float | None = None
        self.ending: Ending | None = None

    def first_rows(self) -> list[Row]:
        """Return the rows of the settled findings; without any, the row of the whole text."""
        name = self.study.names.get(self.region_id, ())
        findings = self.study.findings.get(self.region_id, ())
        rows = [Row(self, f"{self.region_id} {n}", prompt, name, once=True) for n, prompt in enumerate(findings)]
        return rows or [Row(self, self.region_id, self.study.prompts[self.region_id], name)]

    def last_row(self) -> Row | None:
        """Return the row that goes on from the sentences of the findings, None if there were no such rows."""
        if not self.study.findings.get(self.region_id, ()):
            return None
        ids = [*self.study.names.get(self.region_id, ()), *self.ids]
        prompt = self.study.prompts[self.region_id]
        table = self.study.language.get_input_embeddings()
        with torch.inference_mode():
            told = table(torch.tensor(ids, dtype=torch.long, device=prompt.device)).to(prompt.dtype)
        return Row(self, self.region_id, torch.cat((prompt, told)), ())

    def done(self) -> RegionText:
        """Return all that was written."""
        return RegionText(self.region_id, tuple(self.sentences), self.ending or Ending.TOO_LONG, self.named)


class Row:
    """A row of a batch that writes for a text; `name` is what its chances are named for.

    `given` are ids that follow its prompt `(Q, E)`. With `once` it writes one sentence.
    """

    def __init__(self, text: Text, name: str, prompt: Tensor, given: tuple[int, ...], *, once: bool = False) -> None:
        self.text, self.name, self.prompt, self.given = text, name, prompt, given
        study = text.study
        self.lines = Lines(study.decode, study.marks, text.limits, text.said, once)
        self._box_states: dict[int, Tensor] = {}

    def take(self, token: int, log_probability: float, state: Tensor) -> Line | None:
        """Take the next id and the state `(E,)` it was written from; return the sentence that it ends."""
        if token == self.text.study.marks.box:
            self._box_states[self.lines.steps] = state
        line = self.lines.take(token, log_probability)
        if self.lines.ending is not None and not self.lines.once:
            self.text.ending = self.lines.ending
        return line

    def finish(self, line: Line) -> WrittenSentence:
        """Judge a sentence and keep it in the text."""
        text, judge = self.text, self.text.study.support
        sentence = WrittenSentence(
            text.region_id,
            len(text.sentences) + 1,
            line.text,
            line.mean_log_probability,
            len(line.ids),
            judge(text.region_id, line.text) if judge else None,
            self._boxes(line),
        )
        text.sentences.append(sentence)
        ended = "\n" in text.study.decode([line.ids[-1]])
        text.ids += line.ids if ended else (*line.ids, *text.study.marks.line)
        return sentence

    def _boxes(self, line: Line) -> tuple[FoundBox, ...]:
        if self.text.study.find_boxes is None or not line.box_steps:
            return ()
        found = self.text.study.find_boxes(torch.stack([self._box_states.pop(step) for step in line.box_steps]))
        return tuple(sorted((box for boxes in found for box in boxes), key=lambda box: -box.existence))
