"""What a model wrote for a region becomes sentences: split, tied to places, with the measurements that agree.

The words decide about the place where they name one; where they name none, it is the place that the model was shown.
Not here: which model, and how it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..anatomy.regions import Coverage, Region, region, regions
from ..grounding.anchors import suggest
from ..grounding.measured_flags import PRESENT
from ..grounding.mentions import mentions_of
from ..grounding.sentences import sentences_of
from ..report.measurement import Measurement
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Polarity, Sentence
from .writer import Seen

_OURS = Origin(Author.MEASURED)
# How the ids of our own sentences about a region end.
_COVERAGE, _UNSAID = "coverage", "unsaid"


@dataclass(frozen=True, slots=True)
class Said:
    """The `text` that a model wrote about what it was shown, a part of the region `region_id` called `shown`.

    `structure` is that part where it has a place of its own. `whole` is False where the text was cut off. `doubt`
    says why the text may be about something else than what was shown; then only its own words tie it.
    """

    id: str
    region_id: str
    shown: str
    text: str
    structure: str | None = None
    whole: bool = True
    doubt: str = ""


def said_sentences(said: Said, seen: Seen, origin: Origin) -> Iterator[Sentence]:
    """Yield the sentences of a text in order; an unfinished last one of a text that was cut off is left out."""
    pieces = sentences_of(said.text)
    if pieces and not said.whole and said.text[pieces[-1].stop - 1] not in ".!?":
        pieces = pieces[:-1]
    for number, piece in enumerate(pieces, start=1):
        words = said.text[piece.start : piece.stop]
        if not any(c.isalnum() for c in words):
            continue
        tie = suggest(words, seen.places, heading=region(said.region_id).name)
        named = bool(mentions_of(words).regions)
        anchors = tie.anchors if named else _shown_anchors(said, tie.anchors, seen.places)
        regions_ = tie.regions if named else (said.region_id,)
        yield Sentence(
            id=f"{said.id}-{number}",
            text=words,
            regions=regions_,
            anchors=anchors,
            polarity=tie.polarity,
            origin=origin,
            evidence=_agreeing(words, regions_, seen.measurements),
            key_phrase=tie.key_phrase,
        )


def _shown_anchors(said: Said, suggested: tuple[Anchor, ...], places: Iterable[Place]) -> tuple[Anchor, ...]:
    """Return the place that the model was shown, narrowed by the words; none where it is in doubt."""
    if said.doubt:
        return ()
    note = f"no place named; the model was shown the {said.shown}"
    if said.structure is not None:
        return tuple(Anchor(p, AnchorSource.MODEL, note=note) for p in places if p.structure == said.structure)
    return tuple(replace(a, source=AnchorSource.MODEL, note=note) for a in suggested)


def _agreeing(words: str, region_ids: tuple[str, ...], measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """Return the ids of the measurements that say the same as the words; what disagrees is flagged elsewhere."""
    mentions = mentions_of(words)
    says = {q: f.polarity is Polarity.PRESENT for f in mentions.findings for q in f.denies if f.polarity in _CERTAIN}
    return tuple(
        m.id
        for m in measurements
        if m.value is not None
        and m.zone is None
        and m.region_id in region_ids
        and says.get(m.quantity) is not None
        and m.quantity in PRESENT
        and PRESENT[m.quantity].holds(m.value) is says[m.quantity]
        and (not mentions.sides or m.side is None or m.side in mentions.sides)
    )


_CERTAIN = (Polarity.PRESENT, Polarity.ABSENT)


def coverage_sentence(part: Region, seen: Seen) -> Sentence | None:
    """Return what must be said of a region that the scan holds in part or not at all, else None."""
    coverage, note = seen.masks.coverage[part.id], seen.masks.coverage_notes.get(part.id, "").rstrip(".")
    if coverage is Coverage.COMPLETE:
        return None
    if coverage is Coverage.ABSENT:
        text = f"{part.name} not assessed: {note}." if note else f"{part.name} not covered by this scan."
        return _own(f"{part.id}-{_COVERAGE}", text, part, ())
    text = f"{part.name} only partly covered by this scan" + (f": {note}." if note else ".")
    return _own(f"{part.id}-{_COVERAGE}", text, part, seen.places)


def unsaid_sentence(part: Region, unsaid: Iterable[str], seen: Seen) -> Sentence | None:
    """Return a sentence with what the model did not report of a region, each with its reason, or None for nothing."""
    listed = "; ".join(unsaid)
    if not listed or seen.masks.coverage[part.id] is Coverage.ABSENT:
        return None
    return _own(f"{part.id}-{_UNSAID}", f"Not assessed: {listed}.", part, seen.places)


def note_sentence(sentence_id: str, text: str, part: Region) -> Sentence:
    """Return a remark of ours about what a model did in a region; it has no place."""
    return _own(sentence_id, text, part, ())


def _own(sentence_id: str, text: str, part: Region, places: Iterable[Place]) -> Sentence:
    whole = (p for p in places if p.region_id == part.id and p.structure is None and p.side is None and p.zone is None)
    anchors = tuple(Anchor(p, AnchorSource.HEADING) for p in whole)
    return Sentence(sentence_id, text, (part.id,), anchors, Polarity.UNCERTAIN, _OURS, placeless=not anchors)


def in_report_order(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    """Return the sentences by the region that each is about, otherwise in the order given.

    What the scan does not cover stands first in a region and what was not assessed last, also where the text of
    another region speaks of it.
    """
    order = {part.id: n for n, part in enumerate(regions())}
    rank = {_COVERAGE: 0, _UNSAID: 2}
    return tuple(sorted(sentences, key=lambda s: (order[s.regions[0]], rank.get(s.id.rpartition("-")[2], 1))))
