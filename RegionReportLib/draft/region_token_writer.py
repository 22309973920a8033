"""The writer that asks the region-token network: six regions at once, each sentence with its boxes and its support.

What the network says stands in the draft as the model's own words, tied first to the boxes that it found. A model that
is only for demonstration says so in the origin of each sentence. torch is loaded when the first draft is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..anatomy.regions import Coverage, Region, region, regions
from ..imaging.box import Box
from ..measure.phrases import attributes_text
from ..progress import Progress, Work, part
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Sentence
from .model_sentences import Said, coverage_sentence, in_report_order, note_sentence, said_sentences, unsaid_sentence
from .streaming import Wrote
from .writer import Seen

if TYPE_CHECKING:
    from ..model.box_head import FoundBox
    from ..model.generate import OpenStudy, RegionText, Settings, WrittenSentence
    from ..model.network import RegionReporter

NAME = "region-tokens"
_RECOGNISED = 0.5
"""From this chance on the model counts as having named the region itself."""
_UNSAID = {
    "nothing to report": "the model had nothing to report",
    "a sentence came twice": "the model began to repeat itself",
    "the limit of words was reached": "the model's text was cut off",
}


class RegionTokenWriter:
    """Writes with the network in `folder`; the first draft opens it, the next ones find it open."""

    def __init__(self, folder: Path, device: str = "auto", precision: str = "auto") -> None:
        self._folder, self._device, self._precision = folder, device, precision
        self._opened: tuple[RegionReporter, Origin] | None = None
        self._read: tuple[Seen, OpenStudy] | None = None

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        return NAME

    @property
    def model(self) -> str:
        """Name and SHA-256 of the model, as its folder tells them; NeedMissing if it holds none."""
        from ..model.card import card_of

        card = card_of(self._folder)
        return f"{card.name} {card.digest}"

    @property
    def last_seen(self) -> Seen | None:
        """The scan that was written about last, if it is still at hand."""
        return None if self._read is None else self._read[0]

    @property
    def share(self) -> float:
        """On a CPU the slices and the words take about as long as masks and measurements."""
        return 0.5

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the model's sentences in report order, and what it did not report; each is told when written."""
        texts = yield from self._written(seen, covered_regions(seen), None)
        return sentences_of(texts, seen, self._origin())

    def redraft(self, seen: Seen, region_id: str, seed: int | None = None) -> Work[tuple[Sentence, ...]]:
        """Return the sentences of one region anew; with a `seed` in other words, drawn by chance.

        The scan is not read again if it is the one that was written about last. Of a region that the scan does not
        hold only that is said.
        """
        if seen.masks.coverage[region_id] is Coverage.ABSENT:
            return tuple(_paragraph(region(region_id), None, seen, Origin(Author.MEASURED)))
        from ..model.generate import Settings
        from ..model.generate_choice import Sampling

        settings = Settings(sampling=Sampling(seed) if seed is not None else None)
        (text,) = yield from self._written(seen, [region_id], settings)
        return tuple(_paragraph(region(region_id), text, seen, self._origin()))

    def _origin(self) -> Origin:
        assert self._opened is not None
        return self._opened[1]

    def _written(
        self, seen: Seen, region_ids: Sequence[str], settings: Settings | None
    ) -> Work[tuple[RegionText, ...]]:
        from ..model.generate import SentenceWritten, write_regions

        if self._opened is None:
            self._opened = yield from part(self._open(), 0.0, 0.2)
        study = yield from part(self._study(seen), 0.2, 0.5)
        work = part(write_regions(study, region_ids, settings), 0.5, 1.0)
        try:
            while True:
                progress = next(work)
                yield progress
                if isinstance(progress, SentenceWritten):
                    for sentence in _sentences(progress.sentence, seen, self._origin(), ""):
                        yield Wrote(progress.fraction, progress.stage, sentence)
        except StopIteration as end:
            texts: tuple[RegionText, ...] = end.value
            return texts
        finally:
            work.close()

    def _open(self) -> Work[tuple[RegionReporter, Origin]]:
        origin = origin_of(self._folder)
        network = yield from open_network(self._folder, self._device, self._precision)
        return network, origin

    def _study(self, seen: Seen) -> Work[OpenStudy]:
        from ..model.generate_open import open_study
        from ..model.inputs import study_inputs

        if self._read is not None and self._read[0] is seen:
            return self._read[1]
        assert self._opened is not None
        network = self._opened[0]
        lines = attributes_text(seen.measurements).splitlines()
        inputs = yield from part(study_inputs(seen.volume, seen.masks, network.config, lines), 0.0, 0.5)
        study = yield from part(open_study(network, inputs), 0.5, 1.0)
        self._read = (seen, study)
        return study


def covered_regions(seen: Seen) -> tuple[str, ...]:
    """Return the ids of the regions that the scan holds, which are those to be written about."""
    return tuple(r.id for r in regions() if seen.masks.coverage[r.id] is not Coverage.ABSENT)


def open_network(folder: Path, device: str, precision: str) -> Work[RegionReporter]:
    """Return the network in `folder` on its device; NeedMissing or InputRefused says what is wrong with it."""
    from ..model import checkpoint
    from ..model.reg2rg_reporter import placing_for

    yield Progress(0.0, "opening the model")
    placing = placing_for(device, "fp32" if precision == "auto" else precision)
    return (yield from checkpoint.load(folder, device=placing.device, dtype=placing.language))


def origin_of(folder: Path) -> Origin:
    """Return what the sentences of the model in `folder` are marked with."""
    from ..model.card import card_of

    card = card_of(folder)
    return Origin(Author.MODEL, f"{card.label or card.name} {card.digest[:12]}", card.label)


def sentences_of(texts: Sequence[RegionText], seen: Seen, origin: Origin) -> tuple[Sentence, ...]:
    """Return what the network wrote about regions as sentences in report order, and what it did not report."""
    by_region = {text.region_id: text for text in texts}
    return in_report_order(s for r in regions() for s in _paragraph(r, by_region.get(r.id), seen, origin))


def _paragraph(part_: Region, text: RegionText | None, seen: Seen, origin: Origin) -> Iterator[Sentence]:
    for sentence in _said(part_, text, seen, origin):
        yield replace(sentence, asked_about=part_.id)


def _said(part_: Region, text: RegionText | None, seen: Seen, origin: Origin) -> Iterator[Sentence]:
    coverage = coverage_sentence(part_, seen)
    if coverage is not None:
        yield coverage
    if text is None:
        return
    doubt = _doubt(text)
    if doubt:
        yield note_sentence(f"model-{part_.id}-doubt", f"{doubt}; its words may be about another region.", part_)
    for written in text.sentences:
        yield from _sentences(written, seen, origin, doubt)
    reason = _UNSAID.get(text.ending.value)
    if reason is not None:
        what = f"the rest of the {part_.name.lower()}" if text.sentences else part_.name.lower()
        unsaid = unsaid_sentence(part_, [f"{what} ({reason})"], seen)
        if unsaid is not None:
            yield unsaid


def _doubt(text: RegionText) -> str:
    if text.named is None or text.named >= _RECOGNISED:
        return ""
    return f"The model did not recognise the {region(text.region_id).name.lower()} (chance {text.named:.2f})"


def _sentences(written: WrittenSentence, seen: Seen, origin: Origin, doubt: str) -> Iterator[Sentence]:
    name = region(written.region_id).name.lower()
    said = Said(f"model-{written.region_id}-{written.number}", written.region_id, name, written.text, doubt=doubt)
    pieces = list(said_sentences(said, seen, origin))
    found = _box_anchors(written)
    for sentence in pieces:
        shown = tuple(_judged(anchor, written) for anchor in sentence.anchors)
        yield replace(
            sentence,
            id=said.id if len(pieces) == 1 else sentence.id,
            anchors=(*found, *shown),
            asked_about=written.region_id,
            support=None if written.support is None else round(written.support, 2),
        )
        found = ()  # the boxes belong to the first, should the words be several sentences


def _box_anchors(written: WrittenSentence) -> tuple[Anchor, ...]:
    return tuple(
        Anchor(
            Place(written.region_id, found.box, found.box.center_mm),
            AnchorSource.MODEL,
            found.existence,
            f"box found by the model, its guesses lie {found.dispersion_mm:.0f} mm apart; {_judgement(written)}",
            found.dispersion_mm,
        )
        for found in map(_rounded, written.boxes)
    )


def _rounded(found: FoundBox) -> FoundBox:
    """Return a box in whole millimetres and hundredths.

    Slices lie ten millimetres apart; what is finer is noise, and differs with the company that a scan was written in.
    """
    low, high = found.box.min_mm, found.box.max_mm
    box = Box((round(low[0]), round(low[1]), round(low[2])), (round(high[0]), round(high[1]), round(high[2])))
    return type(found)(box, round(found.existence, 2), float(round(found.dispersion_mm)))


def _judged(anchor: Anchor, written: WrittenSentence) -> Anchor:
    return replace(anchor, note="; ".join(filter(None, (anchor.note, _judgement(written)))))


def _judgement(written: WrittenSentence) -> str:
    words = f"mean word chance {math.exp(written.mean_log_probability):.2f}"
    return words if written.support is None else f"agreement with the image {written.support:.2f}, {words}"
