"""A deterministic reader of findings: text of a region to what it affirms, denies or leaves open.

Made for the wording of simulated patients and near paraphrases of it; no labeller of clinical reports. It reads text
only, so what a model wrote and what is true are read by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from ..anatomy.regions import Side, Zone
from . import phantom_lexicon as lexicon

FINDINGS: tuple[str, ...] = lexicon.FINDINGS
"""The names of all findings that are read."""


class Status(str, Enum):
    """What a text says of a finding; a finding that it does not name is not mentioned."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence says of one finding; None or empty where it is silent.

    `sides` holds both for a finding of both lungs; of a denial nothing but the finding is read. `size_mm` is the
    largest length named, `volume_ml` the largest volume.
    """

    finding: str
    status: Status
    sides: frozenset[Side] = frozenset()
    zone: Zone | None = None
    lobe: str = ""
    size_mm: float | None = None
    volume_ml: float | None = None

    @property
    def affirmed(self) -> bool:
        """Whether the finding is said to be there, hedged or not."""
        return self.status is not Status.ABSENT


@dataclass(frozen=True, slots=True)
class _Mention:
    finding: str
    start: int
    stop: int


def sentences_of(text: str) -> tuple[str, ...]:
    """Split a text at the ends of its sentences; a decimal point ends none."""
    return tuple(part.strip() for part in lexicon.SENTENCE.split(text) if part.strip())


def read_findings(text: str) -> tuple[Statement, ...]:
    """Return all statements of a text in order; one finding may be stated in several sentences."""
    return tuple(statement for sentence in sentences_of(text) for statement in read_sentence(sentence))


@lru_cache(maxsize=65_536)  # writers say the same sentences again and again
def read_sentence(sentence: str) -> tuple[Statement, ...]:
    """Return what one sentence states, each finding once; what was not assessed or measured is not mentioned.

    Alternatives ("consolidation or atelectasis") are each left open, as a hedged finding is.
    """
    if lexicon.SILENT.search(sentence.lower()):
        return ()
    found: dict[str, Statement] = {}
    before: tuple[Statement, ...] = ()
    for part in lexicon.CLAUSE.split(" ".join(sentence.lower().split())):
        clause = part.strip()
        said = tuple(_read_clause(clause))
        if not said and len(before) == 1 and before[0].affirmed:
            # "Two nodules; the largest measures …" goes on about the finding before.
            said = (_affirmed(clause, _Mention(before[0].finding, 0, 0), False),)
        for statement in said:
            known = found.get(statement.finding)
            found[statement.finding] = statement if known is None else _joined(known, statement)
        before = said
    return tuple(found.values())


def statuses(statements: Iterable[Statement]) -> dict[str, Status]:
    """Return one status per finding; what any sentence affirms outweighs a denial in another."""
    rank = {Status.ABSENT: 0, Status.UNCERTAIN: 1, Status.PRESENT: 2}
    out: dict[str, Status] = {}
    for statement in statements:
        known = out.get(statement.finding)
        if known is None or rank[statement.status] > rank[known]:
            out[statement.finding] = statement.status
    return out


def _read_clause(clause: str) -> Iterator[Statement]:
    normal = {
        finding
        for pattern, findings in lexicon.NORMAL
        if pattern.search(clause) and "otherwise" not in clause
        for finding in findings
    }
    yield from (Statement(finding, Status.ABSENT) for finding in FINDINGS if finding in normal)
    mentions = tuple(m for m in _mentions(clause) if m.finding not in normal)
    cue = lexicon.DENIAL.search(clause)
    stop = cue.start() if cue else len(clause)
    affirmed = [m for m in mentions if m.start < stop and not _denied_after(clause, m, stop)]
    for mention in mentions:
        if mention not in affirmed:
            yield Statement(mention.finding, Status.ABSENT)
        else:
            statement = _affirmed(clause[:stop], mention, len(affirmed) > 1)
            yield replace(statement, status=Status.UNCERTAIN) if _alternatives(clause, affirmed) else statement


def _mentions(clause: str) -> Iterator[_Mention]:
    """Yield the findings named, from left to right; a longer name hides the shorter ones within it."""
    found = [
        _Mention(name, match.start(), match.end())
        for name, pattern in lexicon.PATTERNS.items()
        for match in pattern.finditer(clause)
    ]
    for mention in sorted(found, key=lambda m: (m.start, -m.stop)):
        hidden = any(
            other.start <= mention.start
            and mention.stop <= other.stop
            and other.stop - other.start > mention.stop - mention.start
            for other in found
        )
        if not hidden:
            yield mention


def _denied_after(clause: str, mention: _Mention, stop: int) -> bool:
    """Tell whether the mention is denied in itself ("heart not enlarged") or by what follows it."""
    if re.search(r"\b(?:not|without)\b", clause[mention.start : mention.stop]):
        return True
    after = lexicon.DENIED_AFTER.search(clause, mention.stop)
    # "are free of" begins a denial, but what it denies may stand before it.
    return after is not None and after.start() <= stop


def _alternatives(clause: str, affirmed: list[_Mention]) -> bool:
    """Tell whether several findings are named of which one is meant."""
    names = {m.finding for m in affirmed}
    return len(names) > 1 and re.search(r"\bor\b", clause[affirmed[0].stop : affirmed[-1].start]) is not None


def _affirmed(clause: str, mention: _Mention, several: bool) -> Statement:
    hedged = lexicon.HEDGE.search(clause) is not None
    zone = _zone(clause) if mention.finding in lexicon.ZONED else None
    lobe = lexicon.LOBE.search(clause) if mention.finding in lexicon.ZONED else None
    sized = mention.finding not in lexicon.UNSIZED
    lengths = [float(n) * (10 if unit == "cm" else 1) for n, unit in lexicon.LENGTH.findall(clause) if sized]
    volumes = [float(n) for n in lexicon.VOLUME.findall(clause)]
    return Statement(
        mention.finding,
        Status.UNCERTAIN if hedged else Status.PRESENT,
        _sides(clause, mention, several) if mention.finding in lexicon.SIDED else frozenset(),
        zone,
        lobe[1] if lobe else "",
        max(lengths, default=None),
        max(volumes, default=None),
    )


def _sides(clause: str, mention: _Mention, several: bool) -> frozenset[Side]:
    if lexicon.BOTH.search(clause):
        return frozenset(Side)
    found = [(Side(match[1]), match.start()) for match in lexicon.SIDE.finditer(clause)]
    if several and found:  # each finding of a clause has its own side: the nearest
        return frozenset({min(found, key=lambda f: _gap(f[1], mention))[0]})
    return frozenset(side for side, _ in found)


def _gap(at: int, mention: _Mention) -> int:
    return max(mention.start - at, at - mention.stop, 0)


def _zone(clause: str) -> Zone | None:
    match = lexicon.ZONE.search(clause)
    if match is None:
        return None
    if match["apex"]:
        return Zone.UPPER
    return Zone.LOWER if match["base"] else Zone(match["named"] or match["lobes"])


def _joined(one: Statement, other: Statement) -> Statement:
    """Return what two mentions of a finding in one sentence say together; an affirmation outweighs a denial."""
    if one.affirmed != other.affirmed:
        return one if one.affirmed else other
    status = Status.UNCERTAIN if Status.UNCERTAIN in (one.status, other.status) else one.status
    return replace(
        one,
        status=status,
        sides=one.sides | other.sides,
        zone=one.zone or other.zone,
        lobe=one.lobe or other.lobe,
        size_mm=one.size_mm if other.size_mm is None else max(one.size_mm or 0.0, other.size_mm),
        volume_ml=one.volume_ml if other.volume_ml is None else max(one.volume_ml or 0.0, other.volume_ml),
    )
