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
from ..measure.phrases import attributes_text
from ..progress import Progress, Work, part
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Sentence
from .model_sentences import Said, coverage_sentence, in_report_order, note_sentence, said_sentences, unsaid_sentence
from .streaming import Wrote
from .writer import Seen

if TYPE_CHECKING:
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
    def share(self) -> float:
        """On a CPU the slices and the words take about as long as masks and measurements."""
        return 0.5

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the model's sentences in report order, and what it did not report; each is told when written."""
        covered = [r for r in regions() if seen.masks.coverage[r.id] is not Coverage.ABSENT]
        texts = yield from self._written(seen, [r.id for r in covered], None)
        by_region = {text.region_id: text for text in texts}
        origin = self._origin()
        return in_report_order(s for r in regions() for s in _paragraph(r, by_region.get(r.id), seen, origin))

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
        from ..model import checkpoint
        from ..model.card import card_of
        from ..model.reg2rg_reporter import placing_for

        yield Progress(0.0, "opening the model")
        card = card_of(self._folder)
        placing = placing_for(self._device, "fp32" if self._precision == "auto" else self._precision)
        network = yield from checkpoint.load(self._folder, device=placing.device, dtype=placing.language)
        return network, Origin(Author.MODEL, f"{card.label or card.name} {card.digest[:12]}")

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


def _paragraph(part_: Region, text: RegionText | None, seen: Seen, origin: Origin) -> Iterator[Sentence]:
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
        yield replace(sentence, id=said.id if len(pieces) == 1 else sentence.id, anchors=(*found, *shown))
        found = ()  # the boxes belong to the first, should the words be several sentences


def _box_anchors(written: WrittenSentence) -> tuple[Anchor, ...]:
    return tuple(
        Anchor(
            Place(written.region_id, found.box, found.box.center_mm),
            AnchorSource.MODEL,
            found.existence,
            f"box found by the model, its guesses lie {found.dispersion_mm:.0f} mm apart; {_judgement(written)}",
        )
        for found in written.boxes
    )


def _judged(anchor: Anchor, written: WrittenSentence) -> Anchor:
    return replace(anchor, note="; ".join(filter(None, (anchor.note, _judgement(written)))))


def _judgement(written: WrittenSentence) -> str:
    words = f"mean word chance {math.exp(written.mean_log_probability):.2f}"
    return words if written.support is None else f"agreement with the image {written.support:.2f}, {words}"
