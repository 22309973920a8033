"""Tying sentences to the places of a scan by their wording and heading.

Only a sentence without a tie gets one here. What an edit does to a tie is the report's rule (it stays), and that the
words now name another place is told by `contradictions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..report.place import Anchor, AnchorSource, Place
from ..report.sentence import Author, Origin, Polarity, Sentence
from .lexicon import Table, hits_in, tokens_of
from .mentions import Mentions, ground_sentence, mentions_of
from .parts import Part, zone_of_lobe
from .sentences import sentences_of

# A second region is kept where a word as strong as an organ's name speaks for it.
_NAMED = 2.95
_CLOSE = 0.75
_MOST_ANCHORS = 8

# What stands in where a back-end gives the parts of a structure and not the whole, or the whole and not the parts.
_INSTEAD = {
    "main_bronchi": ("main_bronchus_right", "main_bronchus_left", "airways"),
    "trachea": ("airways",),
    "airways": ("trachea",),
    "pericardium": ("heart",),
    "heart_ventricle_left": ("heart",),
    "heart_ventricle_right": ("heart",),
    "heart_atrium_left": ("heart",),
    "heart_atrium_right": ("heart",),
    "atrial_appendage_left": ("heart",),
}
# Words for the region itself: where they have no mask of their own, the region is no makeshift.
UMBRELLAS = frozenset(
    ("lung_{side}", "airways", "mediastinum", "heart_great_vessels", "bone", "chest_wall", "upper_abdomen")
)


@dataclass(frozen=True, slots=True)
class Tie:
    """What the wording of a sentence suggests: regions, anchors, polarity and the phrase to click on."""

    regions: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    polarity: Polarity
    key_phrase: tuple[int, int] | None


def ground(text: str, places: Sequence[Place], prefix: str = "imported") -> tuple[Sentence, ...]:
    """Split the text of an existing or dictated report and tie each sentence to the places that it names.

    A sentence that names none goes by its heading, then by the sentence before it in the same paragraph of thought;
    technique, history and the like are kept without a place. Ids are `prefix-001`, in reading order.
    """
    sentences: list[Sentence] = []
    before: str | None = None
    heading = ""
    for number, piece in enumerate(sentences_of(text), start=1):
        if piece.heading != heading:
            heading, before = piece.heading, None
        words = text[piece.start : piece.stop]
        tie = suggest(words, places, heading, before)
        before = tie.regions[0] if tie.regions else before
        sentences.append(
            Sentence(
                id=f"{prefix}-{number:03d}",
                text=words,
                regions=tie.regions,
                anchors=tie.anchors,
                polarity=tie.polarity,
                origin=Origin(Author.IMPORTED),
                key_phrase=tie.key_phrase,
            )
        )
    return tuple(sentences)


def suggest(text: str, places: Sequence[Place], heading: str = "", before: str | None = None) -> Tie:
    """Return the tie that the words of one sentence suggest; also for a sentence that the reader adds or edits.

    `before` is the region of the sentence before it. Nothing is tied where no place is named and no surrounding says.
    """
    if _outside_findings(heading):
        own = mentions_of(text)
        return Tie((), (), own.polarity, own.key_phrase)
    mentions = ground_sentence(text, heading, before)
    regions = _regions(mentions)
    anchors: dict[Place, Anchor] = {}
    for region_id in regions:
        for anchor in _anchors_in(region_id, mentions, places, _source(region_id, text, heading)):
            anchors.setdefault(anchor.place, anchor)
    return Tie(regions, tuple(anchors.values())[:_MOST_ANCHORS], mentions.polarity, mentions.key_phrase)


def reground(sentence: Sentence, places: Sequence[Place]) -> Sentence:
    """Tie a sentence that has no place yet; one that is tied, or declared to have no place, comes back unchanged."""
    if sentence.anchors or sentence.placeless:
        return sentence
    tie = suggest(sentence.text, places, before=sentence.regions[0] if sentence.regions else None)
    return replace(sentence, regions=sentence.regions or tie.regions, anchors=tie.anchors)


def _outside_findings(heading: str) -> bool:
    """Tell whether a heading opens technique, history or the like, where organs named are not findings."""
    hits = hits_in(tokens_of(heading))
    return bool(hits[Table.OTHER_SECTION]) and not hits[Table.SECTION] and not hits[Table.PLACE]


def _source(region_id: str, text: str, heading: str) -> tuple[AnchorSource, str]:
    if region_id in mentions_of(text).regions:
        return AnchorSource.WORDING, ""
    if heading and region_id in mentions_of(heading).regions:
        return AnchorSource.HEADING, ""
    return AnchorSource.WORDING, "no place named; goes on from the sentence before"


def _regions(mentions: Mentions) -> tuple[str, ...]:
    """Return the region a sentence is about, and further ones that it names as clearly."""
    if not mentions.scores:
        return ()
    top = mentions.scores[0][1]
    direct = {p.region_id for p in mentions.places if not p.related}
    return tuple(
        region
        for n, (region, score) in enumerate(mentions.scores)
        if n == 0 or (score >= max(_NAMED, top - _CLOSE) and region in direct)
    )


def _anchors_in(
    region_id: str, mentions: Mentions, places: Sequence[Place], source: tuple[AnchorSource, str]
) -> Iterator[Anchor]:
    own = [p for p in places if p.region_id == region_id]
    if not own:
        return
    found = list(_lung_places(mentions, own)) if region_id == "lungs" else list(_other_places(region_id, mentions, own))
    whole = _find(own)
    if not found and whole is not None:
        found = [(whole, "")]
    for place, note in found:
        yield Anchor(place, source[0], note="; ".join(n for n in (source[1], note) if n))


Found = tuple[Place, str]


def _lung_places(mentions: Mentions, own: list[Place]) -> Iterator[Found]:
    sides = tuple(dict.fromkeys(s for p in mentions.places if p.region_id == "lungs" for s in p.sides))
    if any(f.id == "pleural_effusion" and f.polarity is not Polarity.ABSENT for f in mentions.findings):
        fluid = [p for p in own if (p.structure or "").startswith("pleural_effusion")]
        wanted = [p for p in fluid if p.side in (sides or (p.side,))]
        if wanted:
            yield from ((p, "") for p in wanted)
            return
    for part in mentions.parts:
        for side in part.sides or sides or tuple(Side):
            found = _part_place(part, side, own)
            if found is not None:
                unsaid = "" if part.sides or sides else "side not named"
                yield found[0], "; ".join(n for n in (found[1], unsaid) if n)
    covered = {side for part in mentions.parts for side in part.sides or sides or tuple(Side)}
    for side in sides:
        if side not in covered:
            lung = _find(own, side=side)
            if lung is not None:
                yield lung, ""


def _part_place(part: Part, side: Side, own: list[Place]) -> Found | None:
    """Return a lobe's own place, else the third of the lung that stands for it, else the lung."""
    if part.lobe is not None:
        name = "upper" if part.lobe == "lingula" else part.lobe
        lobe = _find(own, structure=f"lung_{name}_lobe_{side.value}", any_side=True)
        if lobe is not None:
            return lobe, "lobe from its mask" if part.lobe != "lingula" else "lingula shown as the lobe that holds it"
        zone, what = zone_of_lobe(part.lobe), f"{part.lobe} lobe" if part.lobe != "lingula" else "lingula"
        note = f"no lobe mask: {what} shown as the {zone.value} third of the lung"
    else:
        assert part.zone is not None
        zone, note = part.zone, f"{part.zone.value} third of the lung by height"
    for place in own:
        if place.side is side and place.zone is zone and place.structure is None:
            return place, note
    lung = _find(own, side=side)
    return (lung, "no zones in this scan") if lung is not None else None


def _other_places(region_id: str, mentions: Mentions, own: list[Place]) -> Iterator[Found]:
    levels = [p for name in mentions.levels if (p := _find(own, structure=name, any_side=True)) is not None]
    if levels:
        yield from ((p, "") for p in levels)
        return
    named = [p for p in mentions.places if p.region_id == region_id]
    direct = [p for p in named if not p.related] or named
    best = max((p.strength for p in direct), default=0.0)
    named_here = dict.fromkeys(p.structure for p in direct if p.structure and p.strength >= best - _CLOSE)
    # "In the upper abdomen, the left kidney": the organ is the place, the region only where to look.
    structures = [s for s in named_here if s not in UMBRELLAS] or list(named_here)
    for structure in structures:
        sides = tuple(dict.fromkeys(s for p in direct if p.structure == structure for s in p.sides))
        yield from _structure_places(structure, sides, own)
    if not structures:
        sides = tuple(dict.fromkeys(s for p in direct for s in p.sides))
        yield from ((p, "") for side in sides if (p := _find(own, side=side)) is not None)


def _structure_places(pattern: str, sides: tuple[Side, ...], own: list[Place]) -> Iterator[Found]:
    """Yield the places of a structure: of the sides named, of its parts, or of what it is part of."""
    each = sides or tuple(Side)
    names = [pattern.format(side=side.value) for side in each] if "{side}" in pattern else [pattern]
    places = [p for name in names if (p := _find(own, structure=name, any_side=True)) is not None]
    if not places and sides:
        places = [p for side in sides if (p := _find(own, side=side)) is not None]
    if not places:
        instead = [p for name in _INSTEAD.get(pattern, ()) if (p := _find(own, structure=name, any_side=True))]
        places = [p for p in instead if not sides or p.side is None or p.side in sides][:2]
    whole = _find(own)
    if places:
        yield from ((p, "") for p in places)
    elif whole is not None:
        note = "" if pattern in UMBRELLAS else f"no mask of the {_words(pattern)}: tied to the whole region"
        yield whole, note


def _words(pattern: str) -> str:
    if "{side}" in pattern:
        return pattern.replace("_{side}", "").replace("_", " ")
    return anatomy.structure(pattern).name


def _find(
    own: Iterable[Place], structure: str | None = None, side: Side | None = None, any_side: bool = False
) -> Place | None:
    for place in own:
        if place.structure == structure and place.zone is None and (any_side or place.side is side):
            return place
    return None
