"""Sides, lobes, zones and vertebral or rib levels named in a sentence, and which word each side belongs to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from ..anatomy.regions import Side, Zone
from .lexicon import Hit, PlaceTerm, Table, Token

Hits = dict[Table, list[Hit]]

_BOTH = (Side.RIGHT, Side.LEFT)
# "Deviated to the left" says where to, "right-facing" which way: neither is where.
_DIRECTION = "none"
# How many words may stand between a side and what it is the side of: "right lung upper lobe", "on the right".
_AHEAD = 4
_BACK = 9
_RELATION_REACH = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the lungs as worded: sides, and a lobe ("upper", "middle", "lower", "lingula") or a zone."""

    sides: tuple[Side, ...]
    lobe: str | None = None
    zone: Zone | None = None


_LOBE_ZONES = {"upper": Zone.UPPER, "middle": Zone.MIDDLE, "lingula": Zone.MIDDLE, "lower": Zone.LOWER}


def zone_of_lobe(lobe: str) -> Zone:
    """Return the third of the lung that stands for a lobe where no lobe mask exists."""
    return _LOBE_ZONES[lobe]


def related_tokens(tokens: tuple[Token, ...], hits: Hits) -> set[int]:
    """Return the tokens that a relation ("adjacent to") reaches: the few words after it, up to "in" or "and"."""
    reached: set[int] = set()
    for hit in hits[Table.RELATION]:
        for n in range(hit.last, min(hit.last + _RELATION_REACH + 1, len(tokens))):
            if tokens[n].form in ("in", "and", "is", "are", "was", "were"):
                break
            reached.add(n)
    return reached


def sides_of_terms(text: str, tokens: tuple[Token, ...], hits: Hits) -> dict[int, tuple[Side, ...]]:
    """Return for each place, lobe or zone word (by its first token) the sides it is said to be on.

    A side belongs to the next such word within a few words and, failing that, to the last one before it. A side that
    is part of a name ("left ventricle", "right main bronchus") counts for that name alone.
    """
    stops = _stops(text, tokens)
    heads = _heads(hits)
    starts = [head.first for head in heads]
    bound: dict[int, list[Side]] = {}
    free: list[Hit] = []
    for hit in hits[Table.SIDE]:
        if hit.meaning == _DIRECTION:
            continue
        head = _head_of(hit, heads, starts, stops)
        if head is None:
            free.append(hit)
        else:
            _bind(hit, head, bound)
    if not bound and heads:  # "On the left, there is an effusion": the one side there is has nothing nearer
        for hit in free:
            at = bisect_right(starts, hit.first)
            _bind(hit, heads[min(at, len(heads) - 1) if hit.first <= 2 else max(at - 1, 0)], bound)
    return {first: tuple(sides) for first, sides in bound.items()}


def _bind(hit: Hit, head: _Head, bound: dict[int, list[Side]]) -> None:
    for side in _BOTH if hit.meaning == "both" else (Side(str(hit.meaning)),):
        for first in head.members:
            if side not in bound.setdefault(first, []):
                bound[first].append(side)


@dataclass(frozen=True, slots=True)
class _Head:
    """Terms that overlap or touch ("lung" + "upper lobe"), as one thing that has a side; `members` are their firsts."""

    first: int
    last: int
    members: tuple[int, ...]


def _heads(hits: Hits) -> list[_Head]:
    spans = sorted({(h.first, h.last) for t in (Table.PLACE, Table.LOBE, Table.ZONE) for h in hits[t]})
    heads: list[_Head] = []
    for first, last in spans:
        # Long chains of touching terms are no name; the bound also keeps the reading linear.
        if heads and first <= heads[-1].last and first - heads[-1].first < 8:
            head = heads[-1]
            heads[-1] = _Head(head.first, max(head.last, last), tuple(dict.fromkeys((*head.members, first))))
        else:
            heads.append(_Head(first, last, (first,)))
    return heads


def _head_of(hit: Hit, heads: list[_Head], starts: list[int], stops: list[int]) -> _Head | None:
    at = bisect_right(starts, hit.first)
    if at and hit.first < heads[at - 1].last:
        return heads[at - 1]
    here = stops[hit.first]
    if at < len(heads) and heads[at].first - hit.last <= _AHEAD and stops[heads[at].first] == here:
        return heads[at]
    if at and hit.first - heads[at - 1].last <= _BACK and stops[heads[at - 1].first] == here:
        return heads[at - 1]
    return None


def _stops(text: str, tokens: tuple[Token, ...]) -> list[int]:
    """Number the stretches between commas and stops; a side does not reach over them."""
    numbers: list[int] = []
    number, end = 0, 0
    for token in tokens:
        if any(c in text[end : token.start] for c in ",;:.("):
            number += 1
        numbers.append(number)
        end = token.stop
    return numbers


def parts_in(
    tokens: tuple[Token, ...], hits: Hits, sides: dict[int, tuple[Side, ...]], related: set[int]
) -> tuple[Part, ...]:
    """Return the parts of the lungs that lobe and zone words name, each with its sides.

    A part that only tells where something reaches (`related`) counts where no other is named.
    """
    named = [*hits[Table.LOBE], *hits[Table.ZONE]]
    direct = [h for h in named if h.first not in related]
    parts: dict[Part, None] = {}
    others = _other_organs(hits)
    sided = sorted(sides)
    for hit in direct or named:
        if others.intersection(range(hit.first - 1, hit.last + 3)):
            continue
        own = sides.get(hit.first) or _beside(hit, sides, sided, tokens)
        for meaning in str(hit.meaning).split():  # "upper and lower lobes" are two
            if hit.table is Table.LOBE:
                sure = own or {"middle": (Side.RIGHT,), "lingula": (Side.LEFT,)}.get(meaning, ())
                parts[Part(sure, lobe=meaning)] = None
            elif not hits[Table.LOBE]:  # "posterobasal segment of the lower lobe" is the lower lobe
                parts[Part(own, zone=Zone(meaning))] = None
    return tuple(parts)


def _other_organs(hits: Hits) -> set[int]:
    """Return the tokens of organs outside the lungs: an apex beside one is of the heart, a lobe of the liver."""
    found: set[int] = set()
    for hit in hits[Table.PLACE]:
        term = hit.meaning
        assert isinstance(term, PlaceTerm)
        if term.region_id != "lungs" and term.strength >= 3.5:
            found.update(range(hit.first, hit.last))
    return found


def _beside(
    hit: Hit, sides: dict[int, tuple[Side, ...]], sided: list[int], tokens: tuple[Token, ...]
) -> tuple[Side, ...]:
    """Return the side of the nearest sided word: after "of" or "in" the one that follows, else the one before."""
    follows = hit.last < len(tokens) and tokens[hit.last].form in ("of", "in", "on")
    at = bisect_left(sided, hit.last)
    after = sided[at] if at < len(sided) and sided[at] - hit.last <= 5 else None
    at = bisect_left(sided, hit.first)
    before = sided[at - 1] if at and hit.first - sided[at - 1] <= 5 else None
    if after is not None and (follows or before is None):
        return sides[after]
    return sides[before] if before is not None else ()


_LEVEL = re.compile(r"\b(Th|[TDLC])[ -]?(\d{1,2})\b(?:[ ]?[-–/][ ]?(?:(?:Th|[TDLC])[ -]?)?(\d{1,2})\b)?")
_RIB = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th)?(?:(?:,| and|[-–]) ?(\d{1,2})(?:st|nd|rd|th)?)? (?:costae?|ribs?)\b", re.I
)
_RIB_AFTER = re.compile(r"\b(?:ribs?|costa) (?:no\.? ?)?(\d{1,2})\b", re.I)


def levels_in(text: str, hits: Hits, tokens: tuple[Token, ...], sides: dict[int, tuple[Side, ...]]) -> tuple[str, ...]:
    """Return the ids of the vertebrae and ribs that are named by number; a rib needs a side."""
    found: dict[str, None] = {}
    for match in _LEVEL.finditer(text):
        letter = {"Th": "T", "D": "T"}.get(match.group(1), match.group(1))
        first, last = int(match.group(2)), int(match.group(3) or match.group(2))
        for number in dict.fromkeys((first, last)):
            if 1 <= number <= {"T": 12, "L": 5, "C": 7}[letter]:
                found[f"vertebrae_{letter}{number}"] = None
    named = dict.fromkeys(side for bound in sides.values() for side in bound)
    if len(named) == 1:
        (side,) = named
        numbers = [n for m in _RIB.finditer(text) for n in m.groups() if n]
        numbers += [m.group(1) for m in _RIB_AFTER.finditer(text)]
        for n in numbers:
            if 1 <= int(n) <= 12:
                found[f"rib_{side.value}_{int(n)}"] = None
    return tuple(found)
