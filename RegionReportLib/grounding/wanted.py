"""What to look for in a scan for a sentence: its finding and place in a few words, for a text-prompted segmenter.

Reads wording only. `segment.voxtell` looks for it, and `draft.find_places` holds what is found against the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..anatomy import regions as anatomy
from ..anatomy.regions import Side
from ..errors import InputRefused
from ..report.sentence import Polarity, Sentence
from .mentions import Mentions, NamedPlace, mentions_of
from .parts import Part
from .polarity import NamedFinding, Statement

# "Left" in "left ventricle" is a name: what lies there may reach to either side.
_NAMED_SIDES = frozenset(("heart_great_vessels",))
_MOST_PARTS = 3
_JOINT = re.compile(r"\b(?:and|with|or|but)\b|[,;]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words of a sentence ask for: the `phrase` to look for, and what they say of it.

    `sides` is empty where none is said. `longest_mm` is the largest length said, None without one.
    """

    phrase: str
    sides: tuple[Side, ...] = ()
    longest_mm: float | None = None


def wanted_of(sentence: Sentence) -> Wanted:
    """Return what to look for; InputRefused says why a sentence has nothing that could be found.

    A sentence with several findings asks for the one of its key phrase, or else for the first that it affirms.
    """
    whole = mentions_of(sentence.text)
    if Polarity.ABSENT in (sentence.polarity, whole.polarity) or whole.statement is not Statement.POSITIVE:
        raise InputRefused("the sentence affirms no finding, so there is no place to find")
    affirmed = [f for f in whole.findings if f.polarity is not Polarity.ABSENT]
    if not affirmed:
        raise InputRefused("the sentence names no finding that could be found")
    span = _phrase(sentence, affirmed, whole)
    base = sentence.text[slice(*span)].strip(" ,.;:")
    near = [mentions_of(text) for text in _stretches(sentence.text, span, affirmed, cut=True)]
    about = next((m for m in near if m.parts or m.levels or m.sides), whole)
    sides = _sides(about)
    return Wanted(_in_words(base, about, sides), sides, _longest_mm(sentence.text, span, affirmed))


def _phrase(sentence: Sentence, affirmed: list[NamedFinding], whole: Mentions) -> tuple[int, int]:
    """Return the key phrase if it holds an affirmed finding, else the first affirmed finding itself."""
    for span in (sentence.key_phrase, whole.key_phrase):
        if span is not None and any(f.start < span[1] and span[0] < f.stop for f in affirmed):
            return span
    return affirmed[0].start, affirmed[0].stop


def _stretches(text: str, span: tuple[int, int], affirmed: list[NamedFinding], cut: bool) -> Iterator[str]:
    """Yield the words that tell where and how large: first those from the phrase on, then also those before it.

    They reach to the findings before and after it; with `cut`, what stands right before the next belongs to that.
    """
    low = max((f.stop for f in affirmed if f.stop <= span[0]), default=0)
    end = min((f.start for f in affirmed if f.start >= span[1]), default=None)
    if cut and end is not None:
        end = max((joint.start() for joint in _JOINT.finditer(text, span[1], end)), default=end)
    if low:
        yield text[span[0] : end]
    yield text[low:end]


def _sides(about: Mentions) -> tuple[Side, ...]:
    said = [s for part in about.parts for s in part.sides]
    said += [s for p in about.places if not p.related and p.region_id not in _NAMED_SIDES for s in p.sides]
    if not said and all(p.region_id not in _NAMED_SIDES for p in about.places):
        said = list(about.sides)
    return tuple(s for s in Side if s in said)


def _in_words(base: str, about: Mentions, sides: tuple[Side, ...]) -> str:
    """Return the finding with its place, unless its words name it already."""
    own = mentions_of(base)
    if own.parts or own.levels or own.sides:
        return base.lower()
    if about.parts:
        words = [_part_words(part) for part in about.parts[:_MOST_PARTS]]
        return f"{base} in the {' and '.join(words)}".lower()
    if about.levels:
        return f"{base}, {' and '.join(anatomy.structure(level).name for level in about.levels)}".lower()
    beside = next(_other_structures(own, about), None)
    where = f"{base}, {anatomy.structure(beside).name}" if beside else base
    if not sides:
        return where.lower()
    return f"{sides[0].value if len(sides) == 1 else 'bilateral'} {where}".lower()


def _part_words(part: Part) -> str:
    sides = " and ".join(s.value for s in part.sides)
    if part.lobe == "lingula":
        return "lingula"
    if part.lobe is not None:
        return f"{sides} {part.lobe} lobe{'s' if len(part.sides) > 1 else ''}".strip()
    assert part.zone is not None
    lung = f"{sides} lung" if sides else "lungs"
    return f"{part.zone.value} zone of the {lung}{'s' if len(part.sides) > 1 else ''}"


def _other_structures(own: Mentions, about: Mentions) -> Iterator[str]:
    """Yield the unsided structures that are named outside the finding's own words."""
    known = {p.structure for p in own.places}
    for place in sorted(about.places, key=_weakness):
        if place.structure and "{side}" not in place.structure and not place.related and place.structure not in known:
            yield place.structure


def _weakness(place: NamedPlace) -> float:
    return -place.strength


def _longest_mm(text: str, span: tuple[int, int], affirmed: list[NamedFinding]) -> float | None:
    """Return the largest length of the first size that is said of a finding; a limit is none."""
    for stretch in _stretches(text, span, affirmed, cut=False):
        for quantity in mentions_of(stretch).quantities:
            values, unit = quantity.scaled()
            if unit == "mm" and not quantity.is_bound:
                return max(values)
    return None
