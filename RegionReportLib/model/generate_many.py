"""Writes the regions of several studies as one batch: the weights are read once for a word of each of them.

Each study keeps its own beginning, chances and judges, so that its texts are those that it would get alone. Here is
the only loop over words; one study is a batch of its regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from ..progress import Progress, Work, part
from .generate_choice import Choice, Drawn, greedy
from .generate_decode import Batch, Next
from .generate_rows import Row, Text
from .generate_sentences import Line
from .generate_study import OpenStudy, RegionText, SentenceWritten, Settings


def write_studies(
    studies: Sequence[OpenStudy],
    settings: Settings | None = None,
    region_ids: Sequence[Sequence[str]] | None = None,
) -> Work[tuple[tuple[RegionText, ...], ...]]:
    """Return for each study the texts of its regions: those of `region_ids`, by default all that have a prompt.

    Yields `SentenceWritten` for each sentence as soon as it is whole, with the number of its study, and `Progress` at
    each word. A study gets the words that it gets alone, also those drawn by chance: all that can part them is that
    sums over a batch of another size round differently. ValueError if the studies were not read by the same network.
    """
    settings = settings or Settings()
    asked = [tuple(study.prompts) for study in studies] if region_ids is None else region_ids
    of_studies = [
        [Text(number, study, name, settings.limits) for name in names]
        for number, (study, names) in enumerate(zip(studies, asked, strict=True))
    ]
    texts = [text for of_study in of_studies for text in of_study]
    first = [row for text in texts for row in text.first_rows()]
    share = 0.5 if any(row.lines.once for row in first) else 1.0
    yield from part(_write(first, settings), 0.0, share)
    last = [row for text in texts if (row := text.last_row()) is not None]
    yield from part(_write(last, settings), share, 1.0)
    return tuple(tuple(text.done() for text in of_study) for of_study in of_studies)


def _write(rows: list[Row], settings: Settings) -> Work[None]:
    """Write until all rows have ended."""
    if not rows:
        return
    language = rows[0].text.study.language
    if any(row.text.study.language is not language for row in rows):
        raise ValueError("studies that are written together must have been read by the same network")
    chooser = _Chooser(settings)
    yield Progress(0.0, "reading the regions")
    batch = Batch(language, [row.text.study.prefix for row in rows], [row.prompt for row in rows])
    following, named = batch.read_prompts([row.given for row in rows])
    for row, chance in zip(rows, named, strict=True):
        row.text.named = chance if row.text.named is None else row.text.named
    for step in range(settings.limits.region):
        fraction = step / settings.limits.region
        yield Progress(fraction, f"writing, {len(rows) - len(batch.rows)} of {len(rows)} texts done")
        going_on = [rows[n] for n in batch.rows]
        ids, chances = chooser(going_on, following.logits)
        ended = _take(going_on, ids, chances, following)
        for row, line in ended:
            yield SentenceWritten(fraction, "writing", row.finish(line), row.text.number)
        going = [place for place, row in enumerate(going_on) if row.lines.ending is None]
        if not going:
            break
        batch.keep(going)
        following = batch.read(ids[going])


def _take(rows: Sequence[Row], ids: Tensor, chances: Sequence[float], following: Next) -> list[tuple[Row, Line]]:
    """Give each row its id; return the sentences that they end."""
    ended = []
    for place, (row, token, chance) in enumerate(zip(rows, ids.tolist(), chances, strict=True)):
        line = row.take(token, chance, following.states[place])
        if line is not None:
            ended.append((row, line))
    return ended


class _Chooser:
    """Chooses the next ids; each study has chances of its own, named for its regions."""

    def __init__(self, settings: Settings) -> None:
        self._sampling = settings.sampling
        self._drawn: dict[int, Choice] = {}

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row], logits: Tensor) -> tuple[Tensor, list[float]]:
        """Return the ids `(n,)` from logits `(n, V)`, and the natural logarithms of their chances."""
        names = [row.name for row in rows]
        if self._sampling is None:
            ids = greedy(logits, names)
        else:
            parts = [list(part) for _, part in groupby(range(len(rows)), lambda place: rows[place].text.number)]
            ids = torch.cat([self._draw(rows[p[0]].text.number)(logits[p], [names[n] for n in p]) for p in parts])
        return ids, logits.float().log_softmax(dim=-1).gather(1, ids[:, None])[:, 0].tolist()

    def _draw(self, number: int) -> Choice:
        assert self._sampling is not None
        return self._drawn.setdefault(number, Drawn(self._sampling))
