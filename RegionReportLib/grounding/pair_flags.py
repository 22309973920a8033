"""Contradictions between two sentences of a report: doubles, and one saying what the other denies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

from ..anatomy.regions import Side, Zone
from ..report.sentence import Flag, FlagKind, Polarity, Sentence
from .lexicon import lexicon, tokens_of
from .mentions import Mentions, mentions_of
from .parts import zone_of_lobe
from .polarity import NamedFinding


class _Words(str, Enum):
    """The word lists of the lexicon for comparing sentences."""

    # Words that carry no finding; two sentences that differ only in these say the same.
    EMPTY = "empty"
    # Denials of these findings are about the region as a whole, those of the next for one organ only.
    REGIONAL = "regional"
    BY_ORGAN = "by organ"
    # "No pathological lymph node": a denial with one of these leaves room for the finding.
    QUALIFIED = "qualified"
    # "No other nodule", "otherwise clear": what is said is about the rest.
    BESIDES = "besides"
    # What may stand between "lungs" and "clear".
    TO_CLEAR = "subject to clear"


@cache
def _words(which: _Words) -> frozenset[str]:
    return frozenset(lexicon()["pairs"][which.value])


@dataclass(frozen=True, slots=True)
class _Claim:
    """That a finding is or is not at a place, as one sentence says it: by name, or by calling the place clear."""

    sentence_id: str
    words: str
    present: bool
    sides: frozenset[Side]
    zones: frozenset[Zone]
    segment: str = ""
    named: bool = True


def pair_flags(sentences: list[Sentence]) -> dict[str, list[Flag]]:
    """Return for each sentence id the flags that come from another sentence; a double is flagged on the later one."""
    found: dict[str, list[Flag]] = {}
    for sentence_id, flag in (*_doubles(sentences), *_opposites(sentences)):
        found.setdefault(sentence_id, []).append(flag)
    return found


def _doubles(sentences: list[Sentence]) -> Iterator[tuple[str, Flag]]:
    first: dict[tuple[str, ...], Sentence] = {}
    for sentence in sentences:
        content = _content(sentence.text)
        if not content:
            continue
        other = first.setdefault(content, sentence)
        if other is not sentence:
            message = f"Says the same as “{_short(other.text)}”."
            yield sentence.id, Flag(FlagKind.DUPLICATE, message, blocking=False, sentence_ids=(other.id,))


def _opposites(sentences: list[Sentence]) -> Iterator[tuple[str, Flag]]:
    claims: dict[tuple[str, str], list[_Claim]] = {}
    for sentence in sentences:
        for key, claim in _claims(sentence.id, sentence.text, sentence.regions[:1]):
            claims.setdefault(key, []).append(claim)
    for group in claims.values():
        denied = [c for c in group if not c.present]
        for yes in (c for c in group if c.present) if denied else ():
            for no in denied:
                if no.sentence_id != yes.sentence_id and _meet(yes, no):
                    yield _opposite(yes, no)
                    yield _opposite(no, yes)


def _opposite(own: _Claim, other: _Claim) -> tuple[str, Flag]:
    says, but = ("states", "denies it") if own.present else ("denies", "states it")
    if not (own.named and other.named):
        says, but = ("states" if own.present else "says"), "says otherwise"
    message = f"The text {says} “{own.words}”, another sentence {but} (“{other.words}”)."
    return own.sentence_id, Flag(FlagKind.CONTRADICTION, message, sentence_ids=(other.sentence_id,))


def _meet(yes: _Claim, no: _Claim) -> bool:
    """Tell whether the place of a statement lies in the place of a denial."""
    sides = not no.sides or bool(yes.sides and yes.sides & no.sides)
    zones = not no.zones or bool(yes.zones and yes.zones & no.zones)
    return sides and zones and no.segment in ("", yes.segment)


Keyed = tuple[tuple[str, str], _Claim]
_SEGMENT = re.compile(r"ascending|descending|arch|root|abdominal", re.IGNORECASE)


@lru_cache(maxsize=8192)
def _claims(sentence_id: str, text: str, regions: tuple[str, ...]) -> tuple[Keyed, ...]:
    mentions = mentions_of(text)
    home = mentions.regions[:1] or regions
    if not home or mentions.comparisons:  # what an earlier examination showed contradicts nothing today
        return ()
    zones = frozenset(p.zone or zone_of_lobe(p.lobe or "upper") for p in mentions.parts)
    found: list[Keyed] = []
    for finding in mentions.findings:
        name = _name_at(finding.id, home[0], text)
        if finding.polarity is Polarity.UNCERTAIN or _leaves_room(finding, name, text) or _is_aside(finding, mentions):
            continue
        present = finding.polarity is Polarity.PRESENT
        words = text[finding.start : finding.stop]
        for where, segment in _places_of(name, present, mentions, home[0], text):
            claim = _Claim(sentence_id, words, present, _sides_of(finding, mentions), zones, segment)
            found.append(((name, where), claim))
    for name, words in _cleared(mentions, text):
        claim = _Claim(sentence_id, words, False, frozenset(mentions.sides), zones, named=False)
        found.append(((name, home[0]), claim))
    return tuple(found)


def _cleared(mentions: Mentions, text: str) -> Iterator[tuple[str, str]]:
    """Yield what a sentence denies without a name, and the words that do: "lungs are clear".

    The lungs themselves must be clear, and nothing of them: "the markings of both lungs are clear" says nothing here.
    """
    tokens = tokens_of(text)
    forms = [t.form for t in tokens]
    if mentions.findings or "clear" not in forms or not _words(_Words.BESIDES).isdisjoint(forms):
        return
    at = forms.index("clear")
    for subject, denied in lexicon()["pairs"]["clear"].items():
        if subject not in forms[:at]:
            continue
        first = forms.index(subject)
        if "of" not in forms[:first] and _words(_Words.TO_CLEAR).issuperset(forms[first + 1 : at]):
            yield from ((name, text[tokens[first].start : tokens[at].stop]) for name in denied)


def _leaves_room(finding: NamedFinding, name: str, text: str) -> bool:
    """Tell whether a denial is qualified by a word shortly before or after it that is not part of its `name`."""
    if finding.polarity is Polarity.PRESENT:
        return False
    around = {t.form for t in tokens_of(text[max(0, finding.start - 60) : finding.stop + 18])}
    own = lexicon()["pairs"]["named"].get(finding.id, {}).get(name, {}).get("words", ())
    return not around.isdisjoint((_words(_Words.QUALIFIED) | _words(_Words.BESIDES)).difference(own))


def _is_aside(finding: NamedFinding, mentions: Mentions) -> bool:
    """Tell whether a finding is only named in relation to another ("due to atelectasis")."""
    return any(p.related and p.start <= finding.start < p.stop for p in mentions.places)


def _name_at(finding: str, region_id: str, text: str) -> str:
    """Return the finding that a general one is by place and words: fluid of the pleura is a pleural effusion."""
    forms = {t.form for t in tokens_of(text)}
    for name, at in lexicon()["pairs"]["named"].get(finding, {}).items():
        if at["region"] != region_id or not forms.isdisjoint(at.get("unless", ())):
            continue
        if not at["words"] or not forms.isdisjoint(at["words"]):
            return str(name)
    return finding


def _places_of(name: str, present: bool, mentions: Mentions, home: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield where a finding is or is not: the region, or an organ of it with the part that is named.

    What is denied of no organ is denied of the region; so what is stated of an organ is stated of its region too.
    """
    if name not in _words(_Words.BY_ORGAN):
        if name in _words(_Words.REGIONAL):
            yield home, ""
        return
    organs = list(_organs(mentions, text))
    yield from organs
    if present or not organs:
        yield home, ""


def _organs(mentions: Mentions, text: str) -> Iterator[tuple[str, str]]:
    for place in mentions.places:
        if place.structure and not place.related:
            segment = _SEGMENT.search(text, place.start, place.stop)
            yield place.structure, segment.group().lower() if segment else ""
    if any(level.startswith("vertebrae_") for level in mentions.levels):
        yield "vertebrae", ""


def _sides_of(finding: NamedFinding, mentions: Mentions) -> frozenset[Side]:
    own = {s for p in mentions.places if p.start < finding.stop and finding.start < p.stop for s in p.sides}
    return frozenset(own or mentions.sides)


@lru_cache(maxsize=8192)
def _content(text: str) -> tuple[str, ...]:
    """Return the words that matter, in order: "left nodule, right fluid" is not "right nodule, left fluid"."""
    return tuple(t.form for t in tokens_of(text) if t.form not in _words(_Words.EMPTY))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57].rstrip() + "…"
