"""The words of the field, read once from `lexicon.json`, and how they are found in a text.

The table holds words and short terms, never whole sentences. A word is compared by its normal form, so that number
(lobe, lobes) and British or American spelling (oesophagus, esophagus) do not matter. Finding terms takes one pass
over the words of a text. What the terms mean together is decided in `mentions`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

_WORD = re.compile(r"[^\W\d_]+|\d+")
_JOIN = re.compile(r"[ \t\r\n\-‐‑–/'’]{1,4}|")

_IRREGULAR = {
    "bronchi": "bronchus",
    "bronchii": "bronchus",
    "bronchie": "bronchus",
    "metastases": "metastasis",
    "apices": "apex",
    "apexes": "apex",
    "axes": "axis",
    "foramina": "foramen",
    "axillae": "axilla",
    "corpora": "corpus",
    "corpuses": "corpus",
    "hemithoraces": "hemithorax",
    "diagnoses": "diagnosis",
    "stenoses": "stenosis",
    "emboli": "embolus",
    "varices": "varice",
    "thrombi": "thrombus",
    "sinuses": "sinus",
    "atelectases": "atelectasis",
}


class Table(str, Enum):
    """The kinds of terms that the lexicon holds."""

    PLACE = "place"
    FINDING = "finding"
    SIDE = "side"
    LOBE = "lobe"
    ZONE = "zone"
    RELATION = "relation"
    ANAPHOR = "anaphor"
    NORMAL = "normal"
    DENIED_AFTER_CUE = "denied after cue"
    DENIED_BEFORE_CUE = "denied before cue"
    UNCERTAIN = "uncertain"
    UNASSESSED = "unassessed"
    ENLARGED = "enlarged"
    COMPARISON = "comparison"
    NO_COMPARISON = "no comparison"
    SIZE = "size"
    BARE = "bare"
    SECTION = "section"
    OTHER_SECTION = "other section"


@dataclass(frozen=True, slots=True)
class PlaceTerm:
    """What a place word names: a region, a structure of it (with `{side}` where the sides have masks of their own).

    `strength` ranks places within a sentence: about 3.5 names an organ, 2 is a finding that is at home there.
    """

    region_id: str
    structure: str | None
    strength: float


@dataclass(frozen=True, slots=True)
class FindingTerm:
    """A finding and the quantities whose measured presence contradicts its denial."""

    id: str
    denies: tuple[str, ...]


# Named tuples, not dataclasses: a long sentence makes tens of thousands of them.
class Token(NamedTuple):
    """A word or number of a text: its span, normal form, and whether only a blank or hyphen parts it from the last."""

    start: int
    stop: int
    form: str
    joined: bool


class Hit(NamedTuple):
    """A term of a table found in a text, as a span of tokens `first <= n < last` and what the table says about it."""

    table: Table
    meaning: str | PlaceTerm | FindingTerm
    first: int
    last: int


@lru_cache(maxsize=20_000)
def normal_form(word: str) -> str:
    """Return the form by which words are compared: lower case, singular, American vowels."""
    plain = word.lower()
    plain = _IRREGULAR.get(plain, plain)
    plain = plain.replace("ae", "e").replace("oe", "e").replace("our", "or")
    if plain.endswith("tre"):
        plain = plain[:-3] + "ter"
    if len(plain) <= 3 or not plain.endswith("s") or plain.endswith(("ss", "us", "is")):
        return plain
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    if plain.endswith(("sses", "xes", "ches", "shes")):
        return plain[:-2]
    return plain[:-1]


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the words and numbers of a text with their spans."""
    found: list[Token] = []
    end = 0
    for match in _WORD.finditer(text):
        start, stop = match.span()
        gap = start - end
        joined = (gap == 1 and text[end] == " ") or (gap <= 4 and _JOIN.fullmatch(text, end, start) is not None)
        found.append(Token(start, stop, _known_form(match.group()), joined))
        end = stop
    return tuple(found)


@lru_cache(maxsize=20_000)
def _known_form(word: str) -> str:
    """Return the normal form of a word; one that the table lacks takes the form of the longest stem it begins with.

    So "hepatomegalic" and "vertebroplasties" name the liver and the spine, and many typing errors do no harm.
    """
    form = normal_form(word)
    if len(form) < 5 or form in _vocabulary():
        return form
    stems = _stems()
    for length in range(min(len(form), 10), 3, -1):
        if form[:length] in stems:
            return stems[form[:length]]
    return form


@cache
def _stems() -> dict[str, str]:
    return {stem: normal_form(word) for stem, word in lexicon()["stems"].items()}


@cache
def _vocabulary() -> frozenset[str]:
    """Return the normal forms of all words of all terms."""
    found: set[str] = set()
    rest: list[Any] = [lexicon()]
    while rest:
        entry = rest.pop()
        if isinstance(entry, dict):
            rest.extend(value for key, value in entry.items() if key != "stems")
        elif isinstance(entry, list):
            rest.extend(entry)
        elif isinstance(entry, str):
            found.update(normal_form(match.group()) for match in _WORD.finditer(entry))
    return frozenset(found)


def hits_in(tokens: tuple[Token, ...]) -> dict[Table, list[Hit]]:
    """Return the terms found among the tokens, for each table the longest at each place, in reading order."""
    phrases = _phrases()
    found: dict[Table, list[Hit]] = {table: [] for table in Table}
    free = dict.fromkeys(Table, 0)
    for first, token in enumerate(tokens):
        for forms, meanings in phrases.get(token.form, ()):
            last = first + len(forms)
            if not _matches(tokens, first, last, forms):
                continue
            for table, meaning in meanings:
                if free[table] <= first:
                    found[table].append(Hit(table, meaning, first, last))
                    free[table] = last
    return found


def _matches(tokens: tuple[Token, ...], first: int, last: int, forms: tuple[str, ...]) -> bool:
    if last > len(tokens):
        return False
    return all(tokens[first + n].form == form and (n == 0 or tokens[first + n].joined) for n, form in enumerate(forms))


Meaning = tuple[Table, "str | PlaceTerm | FindingTerm"]
Phrases = dict[str, tuple[tuple[tuple[str, ...], tuple[Meaning, ...]], ...]]


@cache
def _phrases() -> Phrases:
    """Return all terms by their first word, the longest first."""
    table = lexicon()
    entries: dict[tuple[str, ...], dict[Table, str | PlaceTerm | FindingTerm]] = {}

    def add(kind: Table, meaning: str | PlaceTerm | FindingTerm, words: list[str]) -> None:
        for word in words:
            entries.setdefault(tuple(t.form for t in tokens_of(word)), {}).setdefault(kind, meaning)

    for place in table["places"]:
        add(Table.PLACE, PlaceTerm(place["region"], place["structure"], place["strength"]), place["words"])
    for name, finding in table["findings"].items():
        add(Table.FINDING, FindingTerm(name, tuple(finding["denies"])), finding["words"])
    for kind, group in ((Table.SIDE, "sides"), (Table.LOBE, "lobes"), (Table.ZONE, "zones")):
        for name, words in table[group].items():
            add(kind, name, words)
    for kind in Table:
        if kind.value in table["cues"]:
            add(kind, kind.value, table["cues"][kind.value])
    by_first: dict[str, list[tuple[tuple[str, ...], tuple[Meaning, ...]]]] = {}
    for forms, meanings in entries.items():
        by_first.setdefault(forms[0], []).append((forms, tuple(meanings.items())))
    return {first: tuple(sorted(found, key=lambda e: -len(e[0]))) for first, found in by_first.items()}


@cache
def lexicon() -> dict[str, Any]:
    """Return the table as it stands in the file."""
    table: dict[str, Any] = json.loads(files(__package__).joinpath("lexicon.json").read_text(encoding="utf-8"))
    return table


@cache
def abbreviations() -> frozenset[str]:
    """Return the words after which a stop does not end a sentence, lower case, without their last stop."""
    return frozenset(lexicon()["abbreviations"])


@cache
def implied() -> dict[str, tuple[FindingTerm, frozenset[str]]]:
    """Return for a structure the finding that normal words about it deny, and the words that must stand with them."""
    findings = lexicon()["findings"]
    return {
        entry["structure"]: (
            FindingTerm(entry["finding"], tuple(findings[entry["finding"]]["denies"])),
            frozenset(tokens_of(word)[-1].form for word in entry["words"]),
        )
        for entry in lexicon()["implied"]
    }


@cache
def openers() -> frozenset[str]:
    """Return the words that open a new statement after a comma."""
    return frozenset(lexicon()["openers"])
