"""Whether the findings named in a sentence are said to be there, not to be there, or possibly to be there.

A rule of scopes in the manner of NegEx (Chapman et al., J Biomed Inform 34:301-310, 2001): a cue before a finding
denies forward, a cue after it denies backward, both up to the border of the clause.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..report.sentence import Polarity
from .lexicon import FindingTerm, Hit, PlaceTerm, Table, Token, implied, openers


class Statement(str, Enum):
    """What a sentence as a whole says."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NORMAL = "normal"
    UNASSESSED = "unassessed"


@dataclass(frozen=True, slots=True)
class NamedFinding:
    """A finding of the lexicon in a sentence: its id, span in the text and polarity."""

    id: str
    start: int
    stop: int
    polarity: Polarity
    denies: tuple[str, ...] = ()


Hits = dict[Table, list[Hit]]

_BREAKS = frozenset(("but", "however", "although", "though", "except", "while", "whereas", "nevertheless", "apart"))
_AFFIRMING = frozenset(("observed", "seen", "detected", "noted", "present", "identified", "natural", "normal", "open"))
_BE = frozenset(("is", "are", "was", "were", "been"))
_BEYOND = frozenset(("not", "no", "above", "below", "than", "over", "from"))
_LIST_WORDS = frozenset(("or", "nor", "and"))
_BORDERS = ";:"


def findings_in(text: str, tokens: tuple[Token, ...], hits: Hits) -> tuple[NamedFinding, ...]:
    """Return the findings named in a sentence, each with its own polarity."""
    clause = _clauses(text, tokens)
    denied = _denied(text, tokens, hits, clause)
    doubted = _doubted(hits, clause)
    listed = bool(hits[Table.UNASSESSED]) and hits[Table.UNASSESSED][0].first == 0  # "Not assessed: nodules, …"
    found = []
    for hit in hits[Table.FINDING]:
        assert isinstance(hit.meaning, FindingTerm)
        start, stop = tokens[hit.first].start, tokens[hit.last - 1].stop
        if hit.first in denied and not listed:
            polarity = Polarity.ABSENT
        elif listed or hit.first in doubted or text[stop : stop + 2].strip().startswith("?"):
            polarity = Polarity.UNCERTAIN
        else:
            polarity = Polarity.PRESENT
        found.append(NamedFinding(hit.meaning.id, start, stop, polarity, hit.meaning.denies))
    return tuple(found)


def implied_findings(tokens: tuple[Token, ...], hits: Hits) -> tuple[NamedFinding, ...]:
    """Return the findings that are denied or stated without their name: "heart size is normal", "heart size increased".

    Nothing is implied where the sentence holds a denial, since "not increased" and "no longer normal" mix both.
    """
    covered = {n for h in hits[Table.NORMAL] for n in range(h.first, h.last)}  # "not enlarged" is normal
    normal = _normals(tokens, hits)
    enlarged = [h for h in hits[Table.ENLARGED] if h.first not in covered]
    mixed = hits[Table.DENIED_AFTER_CUE] or hits[Table.DENIED_BEFORE_CUE] or hits[Table.UNASSESSED]
    if bool(normal) == bool(enlarged) or mixed:
        return ()
    forms = frozenset(t.form for t in tokens)
    named = {h.meaning.id for h in hits[Table.FINDING] if isinstance(h.meaning, FindingTerm)}
    found = []
    for hit in hits[Table.PLACE]:
        structure = hit.meaning.structure if isinstance(hit.meaning, PlaceTerm) else None
        finding, words = implied().get(structure or "", (None, frozenset()))
        if finding is None or finding.id in named or not words & forms or (enlarged and structure != "heart"):
            continue
        polarity = Polarity.ABSENT if normal else Polarity.PRESENT
        span = tokens[hit.first].start, tokens[hit.last - 1].stop
        found.append(NamedFinding(finding.id, *span, polarity, finding.denies))
    return tuple(found)


def _normals(tokens: tuple[Token, ...], hits: Hits) -> list[Hit]:
    """Return the words of normality that call something normal: not "above normal" or "wider than normal"."""
    return [h for h in hits[Table.NORMAL] if h.first == 0 or tokens[h.first - 1].form not in _BEYOND]


def statement_of(
    findings: tuple[NamedFinding, ...], tokens: tuple[Token, ...], hits: Hits
) -> tuple[Statement, Polarity]:
    """Return what the sentence says as a whole; a present finding outweighs denied ones beside it."""
    polarities = {f.polarity for f in findings}
    cues = hits[Table.DENIED_AFTER_CUE] or hits[Table.DENIED_BEFORE_CUE]
    if Polarity.PRESENT in polarities:
        return Statement.POSITIVE, Polarity.PRESENT
    unassessed = hits[Table.UNASSESSED]
    if unassessed and (not polarities or unassessed[0].first == 0):
        return Statement.UNASSESSED, Polarity.UNCERTAIN
    if Polarity.UNCERTAIN in polarities:
        return Statement.POSITIVE, Polarity.UNCERTAIN
    if Polarity.ABSENT in polarities or cues:
        return Statement.NEGATIVE, Polarity.ABSENT
    if _normals(tokens, hits):
        return Statement.NORMAL, Polarity.ABSENT
    return Statement.POSITIVE, Polarity.UNCERTAIN if hits[Table.UNCERTAIN] else Polarity.PRESENT


def _clauses(text: str, tokens: tuple[Token, ...]) -> list[int]:
    """Return the number of the clause of each token."""
    numbers: list[int] = []
    clause, end = 0, 0
    for token in tokens:
        gap = text[end : token.start]
        if any(b in gap for b in _BORDERS) or ". " in gap or token.form in _BREAKS:
            clause += 1
        numbers.append(clause)
        end = token.stop
    return numbers


def _denied(text: str, tokens: tuple[Token, ...], hits: Hits, clause: list[int]) -> set[int]:
    denied: set[int] = set()
    doubt = {n for h in hits[Table.UNCERTAIN] for n in range(h.first, h.last)}
    commas = _commas(text, tokens)
    # "No change in the nodules" denies the change.
    changes = {n for h in hits[Table.COMPARISON] for n in range(h.first, h.last)}
    reach = 0  # scopes of neighbouring cues overlap; each token is walked once
    for hit in hits[Table.DENIED_AFTER_CUE]:
        if hit.first in changes:
            continue
        n = max(hit.last, reach)
        while n < len(tokens) and clause[n] == clause[hit.first] and not _ends_denial(tokens, commas, clause, n):
            denied.add(n)
            n += 1
        reach = max(reach, n)
    floor = 0
    for hit in hits[Table.DENIED_BEFORE_CUE]:
        if hit.first in doubt or hit.first in changes:
            continue
        n = hit.first - 1
        while n >= floor and clause[n] == clause[hit.first] and not _affirms(tokens, n, hit.first):
            denied.add(n)
            n -= 1
        floor = hit.last
    return denied


def _commas(text: str, tokens: tuple[Token, ...]) -> set[int]:
    """Return the numbers of the tokens that a comma precedes."""
    return {n for n in range(1, len(tokens)) if "," in text[tokens[n - 1].stop : tokens[n].start]}


def _ends_denial(tokens: tuple[Token, ...], commas: set[int], clause: list[int], n: int) -> bool:
    """Tell whether a forward denial stops before token `n`."""
    form = tokens[n].form
    if form in ("there", "are", "is") and n and tokens[n - 1].form in ("and", "there"):
        return True
    if n not in commas:
        return False
    if form in ("and", "which") and not any(t.form in ("or", "nor") for t in tokens[n : n + 6]):
        return any(t.form in _AFFIRMING for t in tokens[n : n + 12])
    # "No pleural effusion, bilateral pleural thickening": the comma opens a new statement.
    if form not in openers():
        return False
    ahead = [t.form for t, c in zip(tokens[n : n + 14], clause[n : n + 14], strict=True) if c == clause[n]]
    return not _LIST_WORDS.intersection(ahead)


def _affirms(tokens: tuple[Token, ...], n: int, cue: int) -> bool:
    """Tell whether token `n` ends an affirmative statement before the cue, which a backward denial must not cross."""
    if tokens[n].form in ("which", "that"):
        return True
    if tokens[n].form not in _AFFIRMING or n >= cue - 1 or not n:
        return False
    # "Effusions observed in March were not detected" denies the effusions; "effusions were observed" does not end so.
    return tokens[n - 1].form in _BE


def _doubted(hits: Hits, clause: list[int]) -> set[int]:
    """Return the findings that a word of doubt is about: those after it in its clause, or before it if none follow."""
    members: dict[int, list[int]] = {}
    for hit in hits[Table.FINDING]:
        members.setdefault(clause[hit.first], []).append(hit.first)
    doubted: set[int] = set()
    seen: set[int] = set()
    for hit in hits[Table.UNCERTAIN]:
        here = clause[hit.first]
        if here in seen:
            continue
        seen.add(here)
        after = [f for f in members.get(here, ()) if f >= hit.first]
        doubted.update(after or members.get(here, ()))
    return doubted
