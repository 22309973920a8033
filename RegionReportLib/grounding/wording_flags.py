"""Contradictions between the words of a sentence and its place, the scan, and good form.

A sentence is never tied anew here: that the words now name another side or organ is only told.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..anatomy import regions as anatomy
from ..anatomy.regions import Coverage, Side, Zone
from ..imaging.box import Box
from ..imaging.grid import Grid
from ..report.document import Report
from ..report.place import Place
from ..report.sentence import Flag, FlagKind, Sentence
from .anchors import UMBRELLAS
from .mentions import Mentions
from .parts import zone_of_lobe
from .polarity import Statement

# As strong as the name of an organ; weaker words (a finding, a hint) do not contradict a place.
_ORGAN = 2.95
# Parts that a place or wording may use for one another.
_KIN = (
    frozenset(("trachea", "main_bronchi", "main_bronchus_right", "main_bronchus_left", "airways")),
    frozenset(("bone", "sternum", "chest_wall", "costal_cartilages")),
)


def wording_flags(sentence: Sentence, mentions: Mentions, report: Report) -> Iterator[Flag]:
    """Yield what in the words of one sentence contradicts its place or cannot stand as it is."""
    yield from list(_side(sentence, mentions)) or _side_of_zone(sentence, mentions)
    yield from _place(sentence, mentions)
    yield from _outside(sentence, mentions, report)
    yield from _comparison(sentence, mentions, report)
    yield from _unit(sentence, mentions)


def _side(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    tied = {a.place.side for a in sentence.anchors if a.place.side is not None}
    regions = {a.place.region_id for a in sentence.anchors if a.place.side is not None}
    if not tied or any(a.place.side is None and a.place.region_id in regions for a in sentence.anchors):
        return
    said = {s for p in mentions.places if p.region_id in regions and not p.related for s in p.sides}
    if "lungs" in regions:
        said |= {s for part in mentions.parts for s in part.sides}
    if not said and regions >= {p.region_id for p in mentions.places}:
        said = set(mentions.sides)
    if said and said != tied:
        message = f"The text says {_sides(said)}, the sentence is tied to the {_names(sentence)}."
        yield Flag(FlagKind.SIDE, message)


def _side_of_zone(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    """Compare the sides zone by zone: "in both lungs, the largest in the right upper lobe"."""
    tied: dict[Zone, set[Side]] = {}
    for anchor in sentence.anchors:
        zone = _zone_of(anchor.place)
        if zone is not None and anchor.place.side is not None:
            tied.setdefault(zone, set()).add(anchor.place.side)
    said: dict[Zone, set[Side]] = {}
    unsided: set[Zone] = set()  # a lobe without a side says nothing about sides
    for part in mentions.parts:
        zone = part.zone or zone_of_lobe(part.lobe or "upper")
        said.setdefault(zone, set()).update(part.sides)
        if not part.sides:
            unsided.add(zone)
    for zone in Zone:
        if zone not in unsided and said.get(zone) and tied.get(zone) and said[zone] != tied[zone]:
            message = (
                f"The text says {_sides(said[zone])} {zone.value}, the sentence is tied to the {_names(sentence)}."
            )
            yield Flag(FlagKind.SIDE, message)


def _place(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    if not sentence.anchors or not mentions.scores or mentions.statement is Statement.UNASSESSED:
        return
    tied = {a.place.region_id for a in sentence.anchors}
    region_id, score = mentions.scores[0]
    strong = {r for r, s in mentions.scores if s >= _ORGAN}
    if score >= _ORGAN and not tied & strong:
        named = anatomy.region(region_id).name.lower()
        message = f"The text names the region {named}, the sentence is tied to the {_names(sentence)}."
        yield Flag(FlagKind.PLACE, message)
        return
    yield from _zone(sentence, mentions)
    yield from _structure(sentence, mentions)


def _zone(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    said = {part.zone or zone_of_lobe(part.lobe or "upper") for part in mentions.parts}
    tied = {z for a in sentence.anchors if (z := _zone_of(a.place)) is not None}
    wide = any(a.place.region_id == "lungs" and _zone_of(a.place) is None for a in sentence.anchors)
    if said and tied and not wide and not said & tied:
        words = " and ".join(z.value for z in Zone if z in said)
        message = f"The text names the {words} part of the lung, the sentence is tied to the {_names(sentence)}."
        yield Flag(FlagKind.PLACE, message)


def _zone_of(place: Place) -> Zone | None:
    if place.zone is None and place.structure is not None and "_lobe_" in place.structure:
        return Zone(place.structure.split("_")[1])
    return place.zone


def _structure(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    tied = {a.place.structure for a in sentence.anchors}
    regions = {a.place.region_id for a in sentence.anchors} - {"lungs"}
    said = {
        p.structure.removesuffix("_{side}")
        for p in mentions.places
        if p.region_id in regions and p.structure and p.structure not in UMBRELLAS and p.strength >= _ORGAN
    }
    exact = set(mentions.levels)
    wide = None in tied or any(_base(t) in UMBRELLAS or t in UMBRELLAS for t in tied if t)
    if wide or not (said or exact):
        return
    related = any(_kin(t, s) for t in tied if t for s in said) if said else True
    levels = {t for t in tied if t and t.startswith(("vertebrae_", "rib_"))}
    if not related or (exact and levels and not exact & levels):
        words = " and ".join(
            sorted(anatomy.structure(n).name if n in exact else n.replace("_", " ") for n in exact or said)
        )
        message = f"The text names the {words}, the sentence is tied to the {_names(sentence)}."
        yield Flag(FlagKind.PLACE, message)


def _base(structure: str) -> str:
    for side in Side:
        structure = structure.removesuffix(f"_{side.value}")
    return structure + "_{side}"


def _kin(tied: str, said: str) -> bool:
    """Tell whether a tied structure may stand for a named one: the same, a part of it, or what it is part of."""
    if tied == said or tied.startswith((said + "_", said + "ium")) or said.startswith(tied + "_"):
        return True
    heart = ("heart", "atrial", "pericard")
    if tied.startswith(heart) and said.startswith(heart):
        return (
            tied in ("heart", "pericardium", "pericardial_effusion") or said in ("heart", "pericardium") or tied == said
        )
    return any(tied in kin and said in kin for kin in _KIN)


def _outside(sentence: Sentence, mentions: Mentions, report: Report) -> Iterator[Flag]:
    if mentions.statement is not Statement.UNASSESSED:
        spoken = dict.fromkeys([*(a.place.region_id for a in sentence.anchors), *sentence.regions])
        for region_id in spoken:
            if report.coverage[region_id] is Coverage.ABSENT:
                name = anatomy.region(region_id).name.lower()
                yield Flag(FlagKind.OUTSIDE, f"The text speaks of the region {name}, which the scan does not hold.")
    for anchor in sentence.anchors:
        if not _touch(_field(report.study.grid), anchor.place.box):
            yield Flag(
                FlagKind.OUTSIDE, f"The sentence is tied to the {anchor.place.name}, which lies outside the scan."
            )


@lru_cache(maxsize=16)
def _field(grid: Grid) -> Box:
    return grid.box


def _touch(a: Box, b: Box) -> bool:
    """Tell whether two boxes meet, in plain numbers: this is asked for each anchor after each edit."""
    low = all(x <= y for x, y in zip(a.min_mm, b.max_mm, strict=True))
    return low and all(x <= y for x, y in zip(b.min_mm, a.max_mm, strict=True))


def _comparison(sentence: Sentence, mentions: Mentions, report: Report) -> Iterator[Flag]:
    if report.study.prior or not mentions.comparisons:
        return
    words = dict.fromkeys(f"“{sentence.text[start:stop]}”" for start, stop in mentions.comparisons)
    message = f"The text compares ({', '.join(words)}), and no earlier examination is loaded."
    yield Flag(FlagKind.COMPARISON, message)


def _unit(sentence: Sentence, mentions: Mentions) -> Iterator[Flag]:
    for quantity in mentions.quantities:
        if quantity.is_size and quantity.unit is None:
            number = sentence.text[quantity.start : quantity.stop]
            yield Flag(FlagKind.UNIT, f"The size “{number}” has no unit.")


def _sides(sides: set[Side]) -> str:
    return " and ".join(side.value for side in Side if side in sides)


def _names(sentence: Sentence) -> str:
    return " and the ".join(dict.fromkeys(a.place.name for a in sentence.anchors))
