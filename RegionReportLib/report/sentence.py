"""A sentence of the report: its words, its place, what it rests on, who wrote it and what the reader decided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..anatomy import regions as anatomy
from .place import Anchor, AnchorSource


class Polarity(str, Enum):
    """Whether the sentence says that something is there."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class Author(str, Enum):
    """Who wrote the first version of a sentence."""

    MEASURED = "measured"
    MODEL = "model"
    IMPORTED = "imported"
    READER = "reader"


class Verdict(str, Enum):
    """What the reader decided about a sentence."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    ADDED = "added"


class Authorship(str, Enum):
    """Whose words stand in the report; imported words stay imported, because who wrote them is not known here."""

    AI = "ai"
    AI_EDITED = "ai_edited"
    IMPORTED = "imported"
    HUMAN = "human"


class FlagKind(str, Enum):
    """The contradictions that are looked for after each change."""

    SIDE = "side"
    PLACE = "place"
    SIZE = "size"
    NEGATION = "negation"
    COMPARISON = "comparison"
    OUTSIDE = "outside"
    UNIT = "unit"
    DUPLICATE = "duplicate"
    CONTRADICTION = "contradiction"
    EMPTY_REGION = "empty_region"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sentence came from; `model` is the name and digest of the model that wrote it, empty otherwise.

    `label` is what must stand beside the sentence wherever it is shown: "demonstration model, not for patients".
    """

    author: Author
    model: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if self.label and self.author is not Author.MODEL:
            raise ValueError(f"only a model has a label, got {self.author.value} with {self.label!r}")
        if (self.author is Author.MODEL) != bool(self.model):
            raise ValueError(f"a model, and only a model, names itself; got {self.author.value} with {self.model!r}")


@dataclass(frozen=True, slots=True)
class Flag:
    """A contradiction found in a sentence, with both sides named in `message`.

    `sentence_ids` and `measurement_ids` are what it points at besides the sentence that carries it.
    `answer` is the reader's reason for overriding it; a blocking flag without one forbids signing.
    """

    kind: FlagKind
    message: str
    blocking: bool = True
    sentence_ids: tuple[str, ...] = ()
    measurement_ids: tuple[str, ...] = ()
    answer: str | None = None

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
        """What makes two flags the same contradiction, so that an answer lasts while the contradiction does."""
        return self.kind.value, self.message, self.sentence_ids, self.measurement_ids


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, immutable; an edit makes a new one with the same `id`.

    `key_phrase` is the span `(start, stop)` in `text` that a click points with, None for the whole sentence.
    `evidence` holds ids of measurements. `viewed` tells that its place has been on screen. `placeless` tells that
    the reader declared it to have no place; without that, no anchors means that the place is still unknown.
    `verdict_before` is what a rejected sentence returns to when it is restored, so that rejecting forgets nothing.
    `asked_about` is the region that a writer was asked about when it wrote this, whatever the words name; None where it
    was asked about the whole scan. `support` 0..1 is how well the model finds its words to agree with the image.
    Raises ValueError for an empty id or text, unknown regions, or a span outside the text.
    """

    id: str
    text: str
    regions: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    polarity: Polarity
    origin: Origin
    evidence: tuple[str, ...] = ()
    key_phrase: tuple[int, int] | None = None
    verdict: Verdict = Verdict.PENDING
    viewed: bool = False
    placeless: bool = False
    flags: tuple[Flag, ...] = ()
    verdict_before: Verdict | None = None
    asked_about: str | None = None
    support: float | None = None

    def __post_init__(self) -> None:
        if not self.id or not self.text.strip():
            raise ValueError(f"a sentence needs an id and words, got {self.id!r} with {self.text!r}")
        for region_id in (*self.regions, *((self.asked_about,) if self.asked_about else ())):
            anatomy.region(region_id)
        if self.support is not None and not 0.0 <= self.support <= 1.0:
            raise ValueError(f"support must lie in 0..1, got {self.support}")
        if self.key_phrase is not None:
            start, stop = self.key_phrase
            if not 0 <= start < stop <= len(self.text):
                raise ValueError(f"key_phrase {self.key_phrase} lies outside the text of {len(self.text)} characters")
        if self.verdict_before is not None and (
            self.verdict is not Verdict.REJECTED or self.verdict_before is Verdict.REJECTED
        ):
            raise ValueError(
                f"sentence {self.id}: only a rejected one keeps the verdict before, got {self.verdict.value} "
                f"with {self.verdict_before.value}"
            )
        if self.placeless and self.anchors:
            raise ValueError(f"sentence {self.id} is declared to have no place but has {len(self.anchors)} anchors")


def is_untouched(sentence: Sentence) -> bool:
    """Tell whether a sentence is a program's and the reader has not decided anything about it; looking is no decision.

    Remarks of a writer may have no place from the start; of all others only a reader says so.
    """
    remark = sentence.asked_about is not None and sentence.origin.author is Author.MEASURED
    return (
        sentence.origin.author in (Author.MEASURED, Author.MODEL)
        and sentence.verdict is Verdict.PENDING
        and all(anchor.source is not AnchorSource.READER for anchor in sentence.anchors)
        and all(flag.answer is None for flag in sentence.flags)
        and (remark or not sentence.placeless)
    )


def authorship(sentence: Sentence) -> Authorship:
    """Return whose words a sentence holds now; rejecting and restoring it does not change that.

    The measured writer counts as AI: its words are a program's.
    """
    if sentence.origin.author is Author.READER:
        return Authorship.HUMAN
    if sentence.origin.author is Author.IMPORTED:
        return Authorship.IMPORTED
    edited = Verdict.EDITED in (sentence.verdict, sentence.verdict_before)
    return Authorship.AI_EDITED if edited else Authorship.AI
