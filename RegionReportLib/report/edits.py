"""Edits of a report as plain data: one deliberate act of the reader each.

Ids of new sentences are part of the edit, so an edit applied again gives the same report. `apply.py` applies them,
`edit_json.py` writes and reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..anatomy.regions import Side, Zone
from ..imaging.box import Box
from .phrase import Span
from .place import Anchor
from .sentence import Flag, Polarity, Sentence

FlagKey: TypeAlias = tuple[str, str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ChangeText:
    """Give a sentence other words; its tie stays.

    `key_phrase` None lets the phrase follow its words, `polarity` None keeps what was said before.
    """

    kind: ClassVar[str] = "change_text"
    sentence_id: str
    text: str
    key_phrase: Span | None = None
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """Accept a sentence as it stands; an edited or added one keeps saying so."""

    kind: ClassVar[str] = "accept"
    sentence_id: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Leave a sentence out of the report; its words are kept."""

    kind: ClassVar[str] = "reject"
    sentence_id: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Take a rejected sentence back with the verdict it had before."""

    kind: ClassVar[str] = "restore"
    sentence_id: str


@dataclass(frozen=True, slots=True)
class Add:
    """Add the reader's own sentence in front of sentence `before`, or at the end."""

    kind: ClassVar[str] = "add"
    sentence_id: str
    text: str
    regions: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    polarity: Polarity = Polarity.PRESENT
    key_phrase: Span | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Divide a sentence at character `at`; the part behind becomes sentence `new_id`, both keep the tie."""

    kind: ClassVar[str] = "split"
    sentence_id: str
    at: int
    new_id: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Join sentences into the first of them; `text` None joins their words with blanks."""

    kind: ClassVar[str] = "merge"
    sentence_ids: tuple[str, ...]
    text: str | None = None
    polarity: Polarity | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Put a sentence in front of sentence `before`, or at the end."""

    kind: ClassVar[str] = "move"
    sentence_id: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class RetieToPlace:
    """Tie a sentence to a place of the report, instead of or, with `keep`, besides those it has."""

    kind: ClassVar[str] = "retie_to_place"
    sentence_id: str
    region_id: str
    structure: str | None = None
    side: Side | None = None
    zone: Zone | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class RetieToBox:
    """Tie a sentence to a box that the reader drew, instead of or, with `keep`, besides the places it has."""

    kind: ClassVar[str] = "retie_to_box"
    sentence_id: str
    region_id: str
    box: Box
    side: Side | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class OfferPlaces:
    """Give a sentence places that a program found by its words, behind those it has.

    They stand where earlier ones of that program stood; no other tie of the sentence changes.
    """

    kind: ClassVar[str] = "offer_places"
    sentence_id: str
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True, slots=True)
class Redraft:
    """Replace sentences about a region by what a writer says of it now; the reader's own and judged ones cannot go.

    `sentence_ids` go, `sentences` come in front of sentence `before`, or at the end. `writer`, `model` (its name and
    SHA-256, empty without one) and `seed` (of words drawn by chance, None for the likeliest) say how they came about.
    """

    kind: ClassVar[str] = "redraft"
    region_id: str
    sentence_ids: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    writer: str
    model: str = ""
    seed: int | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class MarkViewed:
    """State that the place of a sentence has been on screen."""

    kind: ClassVar[str] = "mark_viewed"
    sentence_id: str


@dataclass(frozen=True, slots=True)
class MarkPlaceless:
    """State that a sentence has no place; ties it had are dropped."""

    kind: ClassVar[str] = "mark_placeless"
    sentence_id: str


@dataclass(frozen=True, slots=True)
class AnswerFlag:
    """Override a flag, found by its key, with a reason; `sentence_id` None for a flag of the whole report."""

    kind: ClassVar[str] = "answer_flag"
    sentence_id: str | None
    flag: FlagKey
    reason: str


@dataclass(frozen=True, slots=True)
class PutBack:
    """Put sentences back as they were: the inverse of any edit.

    `sentences` replace those with their ids or come back; `order` lists all ids where it or their number changed,
    those not in it go; `flags` are those of the whole report where they changed.
    """

    kind: ClassVar[str] = "put_back"
    sentences: tuple[Sentence, ...] = ()
    order: tuple[str, ...] | None = None
    flags: tuple[Flag, ...] | None = None


Edit: TypeAlias = (
    ChangeText
    | Accept
    | Reject
    | Restore
    | Add
    | Split
    | Merge
    | Move
    | RetieToPlace
    | RetieToBox
    | OfferPlaces
    | Redraft
    | MarkViewed
    | MarkPlaceless
    | AnswerFlag
    | PutBack
)

EDIT_KINDS: dict[str, type[Edit]] = {
    cls.kind: cls
    for cls in (
        ChangeText,
        Accept,
        Reject,
        Restore,
        Add,
        Split,
        Merge,
        Move,
        RetieToPlace,
        RetieToBox,
        OfferPlaces,
        Redraft,
        MarkViewed,
        MarkPlaceless,
        AnswerFlag,
        PutBack,
    )
}
