"""The writer that asks Reg2RG: its ten regions from our masks, its words split and tied to places.

The model is research work: what it says stands in the draft as the model's own words and is flagged where
measurements contradict it. torch is loaded when the first draft is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..anatomy.regions import Region, regions
from ..model.digests import digest_of_model, stamps_of
from ..model.reg2rg_regions import PUBLISHED_REGIONS, PublishedRegion, published_region
from ..progress import Progress, Work, part
from ..report.sentence import Author, Origin, Sentence
from .model_sentences import Said, coverage_sentence, in_report_order, note_sentence, said_sentences, unsaid_sentence
from .streaming import Wrote
from .writer import Seen

if TYPE_CHECKING:
    from ..model.reg2rg_reporter import Reporter
    from ..model.reg2rg_write import RegionText

NAME = "reg2rg"

_TITLES = {
    "abdomen": "upper abdomen",
    "bone": "bones",
    "esophagus": "oesophagus",
    "lung": "lungs",
    "thyroid": "thyroid gland",
    "trachea and bronchie": "trachea and bronchi",
}
# The published network takes these two for each other in half of all cases; both are told of the same place.
_ALIKE = ({"lung", "pleura"},)


class Reg2RGWriter:
    """Writes with the network in `folder`; the first draft opens it, the next ones find it open."""

    def __init__(self, folder: Path, device: str = "auto", precision: str = "auto", *, one_pass: bool = False) -> None:
        self._folder, self._device, self._precision, self._one_pass = folder, device, precision, one_pass
        self._opened: tuple[Reporter, Origin] | None = None
        self._stamps: list[tuple[str, int, int]] = []

    @property
    def name(self) -> str:
        """The name under which a user chooses this writer."""
        return NAME

    @property
    def share(self) -> float:
        """Nearly all of a draft's time goes into the encoders and the words."""
        return 0.85

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return the model's sentences and what it did not report, in report order; each is told when written."""
        stamps = stamps_of(self._folder)
        if self._opened is None or (stamps and stamps != self._stamps):
            self._opened = None  # an older one must go before the next one comes, or two would have to fit
            self._opened = yield from part(self._open(), 0.0, 0.3)
            self._stamps = stamps
        reporter, origin = self._opened
        work = part(reporter.report(seen.volume, seen.masks, one_pass=self._one_pass), 0.3, 1.0)
        texts = yield from _told(work, seen, origin)
        return in_report_order(s for region in regions() for s in _paragraph(region, texts, seen, origin))

    def _open(self) -> Work[tuple[Reporter, Origin]]:
        from ..model.reg2rg_reporter import open_reporter, placing_for

        yield Progress(0.0, "opening the model")
        placing = placing_for(self._device, self._precision)
        digest = yield from part(digest_of_model(self._folder), 0.0, 0.3)
        reporter = yield from part(open_reporter(self._folder, placing=placing), 0.3, 1.0)
        numbers = "4 bits" if placing.four_bit else str(placing.language).removeprefix("torch.")
        passes = ", one pass" if self._one_pass else ""
        return reporter, Origin(Author.MODEL, f"Reg2RG {digest[:12]}, {numbers}{passes}")


def _told(work: Work[tuple[RegionText, ...]], seen: Seen, origin: Origin) -> Work[tuple[RegionText, ...]]:
    """Do the writing and tell the sentences of each region as soon as it is written."""
    from ..model.reg2rg_write import WroteRegion

    try:
        while True:
            progress = next(work)
            yield progress
            if isinstance(progress, WroteRegion):
                for sentence in _sentences(progress.text, seen, origin):
                    yield Wrote(progress.fraction, progress.stage, sentence)
    except StopIteration as end:
        texts: tuple[RegionText, ...] = end.value
        return texts
    finally:
        work.close()


def _paragraph(part_: Region, texts: tuple[RegionText, ...], seen: Seen, origin: Origin) -> Iterator[Sentence]:
    own = [t for t in texts if published_region(t.region).region_id == part_.id]
    coverage = coverage_sentence(part_, seen)
    if coverage is not None:
        yield coverage
    for text in own:
        if _doubt(text):
            yield note_sentence(f"reg2rg-{_key(text)}-doubt", f"{_doubt(text)}; its words may be about either.", part_)
        yield from _sentences(text, seen, origin)
    unsaid = unsaid_sentence(part_, _unsaid(own, seen), seen)
    if unsaid is not None:
        yield unsaid


def _sentences(text: RegionText, seen: Seen, origin: Origin) -> Iterator[Sentence]:
    if text.text is None:
        return
    shown = published_region(text.region)
    said = Said(
        id=f"reg2rg-{_key(text)}",
        region_id=shown.region_id,
        shown=title(text.region),
        text=text.text,
        structure=_only_structure(shown, seen),
        whole=text.complete,
        doubt=_doubt(text),
    )
    yield from said_sentences(said, seen, origin)


def title(name: str) -> str:
    """Return one of the ten regions in the words of a report."""
    return _TITLES.get(name, name)


def _only_structure(shown: PublishedRegion, seen: Seen) -> str | None:
    """Return the structure that a region consists of, if it is one alone."""
    return shown.core[0] if len(shown.core) == 1 and any(p.structure == shown.core[0] for p in seen.places) else None


def _doubt(text: RegionText) -> str:
    if text.named is None or text.agrees or any({text.region, text.named} <= pair for pair in _ALIKE):
        return ""
    return f"The model took the {title(text.region)} for the {title(text.named)}"


def _key(text: RegionText) -> str:
    return text.region.split()[0]


def _unsaid(texts: list[RegionText], seen: Seen) -> Iterator[str]:
    """Yield what was not reported, with the reason in words for a reader."""
    segmented = {p.structure for p in seen.places}
    for text in texts:
        if text.text is None and segmented.isdisjoint(published_region(text.region).core):
            yield f"{title(text.region)} (not segmented)"
        elif text.text is None:
            why = "the model wrote nothing" if text.complete else "the model's text ended before it"
            yield f"{title(text.region)} ({why})"
        elif not text.complete:
            yield f"the rest of the {title(text.region)} (the model's text was cut off)"


assert {t for t in _TITLES} <= {r.name for r in PUBLISHED_REGIONS}
