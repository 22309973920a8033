"""What the words of one sentence name: regions, structures, sides, zones, findings, sizes and comparisons.

Reads wording only; which place of a scan that is, is decided in `anchors`, and whether it is true in
`contradictions`. Reading is linear in the length of the text and its result is kept, since most sentences of a report
stay as they are while one is edited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from ..anatomy.regions import Side
from ..report.sentence import Polarity
from .lexicon import Hit, PlaceTerm, Table, Token, hits_in, tokens_of
from .parts import Part, levels_in, parts_in, related_tokens, sides_of_terms
from .polarity import NamedFinding, Statement, findings_in, implied_findings, statement_of
from .quantities import Quantity, quantities_in

# A word after "adjacent to", "due to" and the like tells about the place, it is not the place.
_RELATED = 1.5
# What the sentence before was about outweighs a finding that may lie anywhere, but no named organ.
_CARRIED = 2.05
_CARRIED_BY_ANAPHOR = 2.75
_UNDER_HEADING = 2.2


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place word in the sentence: region, structure, sides, span.

    `structure` keeps `{side}` where the two sides have masks of their own. `related` tells that the word only says
    where something else is ("adjacent to the aorta").
    """

    region_id: str
    structure: str | None
    sides: tuple[Side, ...]
    strength: float
    start: int
    stop: int
    related: bool = False


@dataclass(frozen=True, slots=True)
class Mentions:
    """All that one sentence names.

    `regions` are ranked, the one it is about first. `places` are in reading order. `parts` are sides, lobes and zones
    of the lungs. `levels` are ids of vertebrae and ribs. `comparisons` are spans of words that need a prior.
    """

    regions: tuple[str, ...]
    places: tuple[NamedPlace, ...]
    parts: tuple[Part, ...]
    levels: tuple[str, ...]
    sides: tuple[Side, ...]
    findings: tuple[NamedFinding, ...]
    statement: Statement
    polarity: Polarity
    quantities: tuple[Quantity, ...]
    comparisons: tuple[tuple[int, int], ...]
    key_phrase: tuple[int, int] | None
    scores: tuple[tuple[str, float], ...] = ()
    anaphor: bool = False


@lru_cache(maxsize=8192)
def mentions_of(text: str) -> Mentions:
    """Read one sentence by its own words alone."""
    tokens = tokens_of(text)
    hits = hits_in(tokens)
    findings = findings_in(text, tokens, hits)
    statement, polarity = statement_of(findings, tokens, hits)
    sides = sides_of_terms(text, tokens, hits)
    related = related_tokens(tokens, hits)
    places = _places(tokens, hits, sides, related)
    scores = _scores(places)
    return Mentions(
        regions=tuple(region for region, _ in scores),
        places=places,
        parts=parts_in(tokens, hits, sides, related),
        levels=levels_in(text, hits, tokens, sides),
        sides=tuple(dict.fromkeys(side for bound in sides.values() for side in bound)),
        findings=findings + implied_findings(tokens, hits),
        statement=statement,
        polarity=polarity,
        quantities=quantities_in(text, tokens, hits[Table.SIZE], hits[Table.BARE]),
        comparisons=_comparisons(tokens, hits),
        key_phrase=_key_phrase(text, findings, places, polarity, scores),
        scores=scores,
        anaphor=bool(hits[Table.ANAPHOR]) and hits[Table.ANAPHOR][0].first <= 6,
    )


def ground_sentence(text: str, heading: str = "", before: str | None = None) -> Mentions:
    """Read one sentence with its surroundings.

    `heading` is what it stands under, `before` the region of the sentence before it; both count only as far as the
    sentence's own words leave it open. Without either, a sentence that names no place has no region.
    """
    own = mentions_of(text)
    scores = dict(own.scores)
    for region_id in mentions_of(heading).regions if heading else ():
        scores[region_id] = max(scores.get(region_id, 0.0) + 0.3, _UNDER_HEADING)
        before = None
    if before is not None:
        carried = _CARRIED_BY_ANAPHOR if own.anaphor else _CARRIED
        scores[before] = max(scores.get(before, 0.0) + 0.1, carried)
    if not scores:
        return own
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    return replace(own, regions=tuple(region for region, _ in ranked), scores=tuple(ranked))


def _places(
    tokens: tuple[Token, ...], hits: dict[Table, list[Hit]], sides: dict[int, tuple[Side, ...]], related: set[int]
) -> tuple[NamedPlace, ...]:
    # A lone "adjacent to the aorta" is still the best hint there is.
    penalty = _RELATED if any(h.first not in related and _strength(h) >= 2 for h in hits[Table.PLACE]) else 0.0
    found = []
    for hit in hits[Table.PLACE]:
        term = hit.meaning
        assert isinstance(term, PlaceTerm)
        named = sides.get(hit.first, ())
        strength = term.strength - (penalty if hit.first in related else 0.0)
        span = tokens[hit.first].start, tokens[hit.last - 1].stop
        found.append(NamedPlace(term.region_id, term.structure, named, strength, *span, hit.first in related))
    return tuple(found)


def _strength(hit: Hit) -> float:
    assert isinstance(hit.meaning, PlaceTerm)
    return hit.meaning.strength


def _scores(places: tuple[NamedPlace, ...]) -> tuple[tuple[str, float], ...]:
    """Rank the regions: by their strongest word, then by how many of their words there are, then by reading order."""
    best: dict[str, float] = {}
    count: dict[str, int] = {}
    for place in places:
        best[place.region_id] = max(best.get(place.region_id, 0.0), place.strength)
        count[place.region_id] = count.get(place.region_id, 0) + 1
    scores = {region: strength + 0.12 * min(count[region] - 1, 3) for region, strength in best.items()}
    return tuple(sorted(scores.items(), key=lambda item: -item[1]))


# "Compared to the left side" compares within the scan.
_WITHIN_THE_SCAN = frozenset(
    ("right", "left", "opposite", "other", "contralateral", "normal", "muscle", "liver", "spleen")
)


def _comparisons(tokens: tuple[Token, ...], hits: dict[Table, list[Hit]]) -> tuple[tuple[int, int], ...]:
    excused = {n for h in hits[Table.NO_COMPARISON] for n in range(h.first, h.last)}
    found = []
    for hit in hits[Table.COMPARISON]:
        if hit.first in excused:
            continue
        if tokens[hit.first].form.startswith("compar") and hit.last - hit.first == 2:
            ahead = {t.form for t in tokens[hit.last : hit.last + 4]}
            if ahead & _WITHIN_THE_SCAN:
                continue
        found.append((tokens[hit.first].start, tokens[hit.last - 1].stop))
    return tuple(found)


# Characters between a finding and its place that still make one phrase: "nodule in the left lung".
_PHRASE_GAP = 16
_APART = re.compile(r"[.;:,]|\b(?:no|not|but|and)\b", re.I)
# "Calcific" and "atheromatous" are findings whose noun follows.
_NOUN = re.compile(
    r"[ -](?:plaques?|changes?|areas?|densit(?:y|ies)|thickness|lesions?|nodules?|infiltrations?|opacit(?:y|ies))\b",
    re.I,
)


def _key_phrase(
    text: str,
    findings: tuple[NamedFinding, ...],
    places: tuple[NamedPlace, ...],
    polarity: Polarity,
    scores: tuple[tuple[str, float], ...],
) -> tuple[int, int] | None:
    """Return the span to click on: the main finding, with the place word if that stands right beside it."""
    about = [p for p in places if scores and p.region_id == scores[0][0]]
    same = [f for f in findings if f.polarity is polarity]
    # "Pathological lymph node": the node is the finding, the other word says nothing alone.
    main = next((f for f in same if f.id != "lesion"), same[0] if same else None)
    if main is None:
        best = max(about, key=lambda p: p.strength, default=None)
        return (best.start, best.stop) if best else None
    start, stop = main.start, main.stop
    for finding in findings:
        if finding.start - stop in (0, 1):
            stop = finding.stop
    noun = _NOUN.match(text, stop)
    stop = noun.end() if noun else stop
    for place in about:
        low, high = min(stop, place.stop), max(start, place.start)
        if high - low <= _PHRASE_GAP and _APART.search(text, low, high) is None:
            start, stop = min(start, place.start), max(stop, place.stop)
    return start, stop
