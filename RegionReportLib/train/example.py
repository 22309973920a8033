"""One study as it is shown in one step: which report, regions in which slots, which claims are true and false.

All chance comes from a generator that the caller derives from seed, stage and place in the batch, so a step can be
repeated exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..model.box_frame import BoxFrame
from ..model.inputs import shuffled
from ..model.network import Claim, Told, TrainingStudy
from ..model.tokenizer import BOX
from ..model.visual_tokens import HIDEABLE
from ..report.sentence import Polarity
from .case import Case, CaseSentence

CLAIMS = 16
"""True and false sentences about a study, half of each."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A finding of a region that a report affirms: its `kind`, and the `sides` that any report of the case names."""

    region_id: str
    kind: str
    sides: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A study to learn from. `lesions` holds the unit boxes `(L, 6)` of each mark of a box, in the order in which the
    marks are written: regions by slot, sentences in order. `true` `(n,)` tells which of its claims hold. `shown` are
    all findings that its report affirms, `covers` where they lie (see `Case`)."""

    study: TrainingStudy
    lesions: tuple[Tensor, ...]
    true: Tensor
    shown: tuple[Shown, ...] = ()
    covers: Mapping[str, Tensor] | None = None


@dataclass(frozen=True, slots=True)
class Showing:
    """How studies are shown: whether regions change slots, how often a false sentence with a box is put in, and how
    often parts of what is seen are hidden, and how many of the sentences that affirm nothing are kept."""

    shuffle: bool = True
    false_boxes: float = 0.0
    hidden: float = 0.0
    normals: float = 1.0


def make_example(
    case: Case, others: Sequence[CaseSentence], showing: Showing, rng: np.random.Generator, wording: int | None = None
) -> Example:
    """Return a case as an example; `others` are sentences of other cases, of which those that are false here serve.

    `wording` None draws one of its reports.
    """
    report = case.wordings[int(rng.integers(len(case.wordings))) if wording is None else wording]
    slots = torch.Generator().manual_seed(int(rng.integers(2**62)))
    study = shuffled(case.inputs, slots) if showing.shuffle else case.inputs
    said: dict[str, list[CaseSentence]] = {region_id: [] for region_id in study.slots}
    # What is there comes first: whoever writes must have said it before an easy denial can end the text.
    for sentence in sorted(report, key=lambda one: not _affirms(one)):
        told = said[sentence.region_id]
        if _affirms(sentence) or not told or showing.normals >= 1.0 or rng.random() < showing.normals:
            told.append(sentence)
    if rng.random() < showing.false_boxes:
        _put_in_a_false_one(case, others, said, rng)
        said = {r: sorted(sentences, key=lambda one: not _affirms(one)) for r, sentences in said.items()}
    claims, true = _claims(case, report, others, rng)
    texts = {region_id: region_text(sentences) for region_id, sentences in said.items() if sentences}
    frame = BoxFrame(study.frame)
    own = set(report)
    lesions = [
        unit_boxes(sentence, frame) if sentence in own else torch.zeros(0, 6)
        for region_id in study.slots
        for sentence in said[region_id]
        if sentence.boxes
    ]
    without = _hidden(rng) if rng.random() < showing.hidden else frozenset()
    apart = {r: tuple(_told(s) for s in sentences if _affirms(s)) for r, sentences in said.items()}
    taught = TrainingStudy(study, texts, claims, without, apart)
    return Example(taught, tuple(lesions), true, _shown(case, report), case.covers)


def _hidden(rng: np.random.Generator) -> frozenset[str]:
    """Return about half of what can be hidden."""
    return frozenset(name for name in HIDEABLE if rng.random() < 0.5)


def region_text(sentences: Sequence[CaseSentence]) -> str:
    """Return the text that is to be written: a sentence a line, the mark of a box behind those that have a place."""
    return "\n".join(sentence.text + (BOX if sentence.boxes else "") for sentence in sentences)


def _affirms(sentence: CaseSentence) -> bool:
    return any(topic.polarity is not Polarity.ABSENT for topic in sentence.topics)


def _told(sentence: CaseSentence) -> Told:
    """Return a sentence as it is written, with what it affirms and the sides that it names."""
    there = [topic for topic in sentence.topics if topic.polarity is not Polarity.ABSENT]
    names = {(topic.kind, side) for topic in there for side in ("", *(side.value for side in topic.sides))}
    return Told(region_text([sentence]), frozenset(names))


def _shown(case: Case, report: Sequence[CaseSentence]) -> tuple[Shown, ...]:
    sides = case.findings
    return tuple(
        Shown(said.region_id, topic.kind, frozenset(side.value for side in sides[topic.kind]))
        for said in report
        for topic in said.topics
        if topic.polarity is not Polarity.ABSENT
    )


def unit_boxes(sentence: CaseSentence, frame: BoxFrame) -> Tensor:
    """Return the places of a sentence `(L, 6)` in the unit cube; those outside it are left out."""
    units = [unit for box in sentence.boxes if (unit := frame.to_unit(box)) is not None]
    return torch.tensor(np.array(units).reshape(-1, 6), dtype=torch.float32)


def _claims(
    case: Case, report: Sequence[CaseSentence], others: Sequence[CaseSentence], rng: np.random.Generator
) -> tuple[tuple[Claim, ...], Tensor]:
    """Return as many false claims as true ones; none where the source does not know what sentences claim."""
    known = [sentence for sentence in report if sentence.topics]
    false = [one for one in _drawn(others, 4 * CLAIMS, rng) if case.refutes(one)][: CLAIMS // 2]
    true = _drawn(known, min(CLAIMS // 2, len(false)), rng)
    told = [*true, *false[: len(true)]]
    holds = torch.tensor([1.0] * len(true) + [0.0] * (len(told) - len(true)))
    return tuple(Claim(sentence.region_id, sentence.text) for sentence in told), holds


def _put_in_a_false_one(
    case: Case, others: Sequence[CaseSentence], said: dict[str, list[CaseSentence]], rng: np.random.Generator
) -> None:
    for one in _drawn([other for other in others if other.boxes], CLAIMS, rng):
        if case.refutes(one):
            sentences = said[one.region_id]
            sentences.insert(int(rng.integers(len(sentences) + 1)), one)
            return


def _drawn(sentences: Sequence[CaseSentence], count: int, rng: np.random.Generator) -> list[CaseSentence]:
    order = rng.permutation(len(sentences))[:count]
    return [sentences[int(n)] for n in order]
