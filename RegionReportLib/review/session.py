"""One reader at work on one draft: who is chosen, what is shown, what was decided.

Both doors drive this; it knows neither Qt nor MRML nor HTTP. Every act goes through the draft's store, so what is
seen here is already on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from ..anatomy import regions as anatomy
from ..anatomy.regions import Region, Side, Zone
from ..errors import Conflict, RegionReportError
from ..grounding.anchors import suggest
from ..imaging.box import Box
from ..report.document import Report, Status
from ..report.edits import (
    Accept,
    Add,
    AnswerFlag,
    ChangeText,
    Edit,
    MarkPlaceless,
    MarkViewed,
    Merge,
    Move,
    Reject,
    Restore,
    RetieToBox,
    RetieToPlace,
    Split,
)
from ..report.sentence import Flag, Sentence, Verdict
from ..report.store import Draft
from .highlight import highlight_of, highlight_of_places
from .nearby import sentences_at
from .standing import Standing, standing_of
from .viewer import Viewer


class Filter(str, Enum):
    """Which sentences are listed."""

    ALL = "all"
    OPEN = "open"
    FLAGGED = "flagged"


class Session:
    """A review in progress; `changed` is called after everything that a door should show anew."""

    def __init__(self, draft: Draft, viewer: Viewer, changed: Callable[[], None] = lambda: None) -> None:
        self.draft = draft
        self.viewer = viewer
        self.filter = Filter.ALL
        self.problem = ""
        self.found: tuple[str, ...] = ()
        self._changed = changed
        self._chosen: str | None = None
        self._anchor = 0

    @property
    def report(self) -> Report:
        """The report as it is now."""
        return self.draft.report

    @property
    def editable(self) -> bool:
        """Tell whether acts are possible: not on a signed report, nor on a draft that is open for reading."""
        return self.report.status is Status.DRAFT and not self.draft.read_only

    @property
    def chosen(self) -> Sentence | None:
        """The chosen sentence, None if there is none (any more)."""
        return next((s for s in self.report.sentences if s.id == self._chosen), None)

    def listed(self) -> list[tuple[Region | None, tuple[Sentence, ...]]]:
        """Return the sentences that the filter lets through, by region; the chosen one is always among them."""
        return [(region, tuple(s for s in all_ if self._passes(s))) for region, all_ in self.report.by_region()]

    def standing(self, name: str = "") -> Standing:
        """Return how far the review is; without a signer's name its absence is not counted as a reason."""
        return standing_of(self.report, name)

    # Choosing ----------------------------------------------------------------------------------------------------

    def choose(self, sentence_id: str | None, anchor: int | None = None) -> None:
        """Choose a sentence and bring its place, or its `anchor`, into view; None lets go. Again shows its next one."""
        if sentence_id is None:
            self._chosen = None
            self.viewer.clear()
            self._say("")
            return
        self._anchor = anchor if anchor is not None else self._anchor + 1 if sentence_id == self._chosen else 0
        if sentence_id not in self.found:
            self.found = ()  # the reader has moved on
        self._chosen = sentence_id
        self.show()

    def step(self, by: int) -> None:
        """Choose the sentence `by` places further down the list; the ends hold."""
        ids = [s.id for _, sentences in self.listed() for s in sentences]
        if not ids:
            return
        here = ids.index(self._chosen) if self._chosen in ids else (-1 if by > 0 else len(ids))
        self.choose(ids[max(0, min(len(ids) - 1, here + by))])

    def show(self) -> None:
        """Bring the place of the chosen sentence into view; what has been in view counts as viewed."""
        sentence = self.chosen
        if sentence is None:  # an undone addition, for example
            self.viewer.clear()
            return
        try:
            missing = self.viewer.point_at(highlight_of(sentence, self.report.places, self._anchor))
        except RegionReportError as problem:
            self._say(str(problem))
            return
        if sentence.anchors and not missing and not sentence.viewed and self.editable:
            self.draft.apply(MarkViewed(sentence.id))
        self._say("; ".join(missing))

    def choose_open(self) -> None:
        """Choose the next sentence that still forbids signing, going round the list."""
        blocking = {reason.sentence_id for reason in self.standing().reasons}
        ids = [s.id for _, sentences in self.report.by_region() for s in sentences]
        here = ids.index(self._chosen) + 1 if self._chosen in ids else 0
        following = [i for i in ids[here:] + ids[:here] if i in blocking]
        if following and following[0] != self._chosen:
            self.choose(following[0])

    def show_both(self, flag: Flag) -> None:
        """Let both sides of a flag of the chosen sentence stand out, and bring the other side into view.

        The other side is what the flag names; where it names nothing, what the words of the sentence name.
        """
        one = self._one()
        others = [a.place for s in self.report.sentences if s.id in flag.sentence_ids for a in s.anchors]
        others += [m.place for m in self.report.measurements if m.id in flag.measurement_ids and m.place is not None]
        others = others or [a.place for a in suggest(one.text, self.report.places).anchors]
        if not others:
            raise Conflict("this flag has no second place to show")
        self.found = (one.id, *flag.sentence_ids)
        both = highlight_of_places((*others, *(a.place for a in one.anchors)), self.report.places)
        self._say("; ".join(self.viewer.point_at(both)))

    def find(self, point_ras_mm: tuple[float, float, float], region_ids: Iterable[str]) -> tuple[str, ...]:
        """Remember which sentences are about a place, so that a door can mark them; nothing moves on the screen."""
        self.found = sentences_at(self.report, point_ras_mm, region_ids)
        self._changed()
        return self.found

    def choose_found(self) -> None:
        """Choose the next of the sentences that were found, beginning with the nearest."""
        ids = [i for i in self.found if any(s.id == i for s in self.report.sentences)]
        if ids:
            self.choose(ids[(ids.index(self._chosen) + 1) % len(ids) if self._chosen in ids else 0])

    # Acts on the chosen sentence -----------------------------------------------------------------------------------

    def accept(self) -> None:
        """Accept the chosen sentence as it stands."""
        self.do(Accept(self._one().id))

    def reject(self) -> None:
        """Leave the chosen sentence out, or take it back if it was left out."""
        one = self._one()
        self.do(Restore(one.id) if one.verdict is Verdict.REJECTED else Reject(one.id))

    def change_text(self, text: str) -> None:
        """Give the chosen sentence other words; its tie stays."""
        one = self._one()
        text = text.strip()
        if text != one.text:
            # The phrase follows its words by itself; whether something is there is said by the new words.
            self.do(ChangeText(one.id, text, polarity=suggest(text, self.report.places).polarity))

    def split(self, at: int) -> None:
        """Divide the chosen sentence at a character."""
        self.do(Split(self._one().id, at, self.draft.new_id()))

    def merge_with_next(self) -> None:
        """Join the chosen sentence with the one listed after it in the same region."""
        one = self._one()
        ids, here = self._beside(one)
        if here + 1 == len(ids):
            raise Conflict("there is no sentence after this one in its region to merge with")
        self.do(Merge((one.id, ids[here + 1])))

    def move(self, before: str | None) -> None:
        """Put the chosen sentence in front of another one, or at the end."""
        self.do(Move(self._one().id, before))

    def shift(self, by: int) -> None:
        """Put the chosen sentence one place further up (`by` < 0) or down among those listed of its region."""
        one = self._one()
        ids, here = self._beside(one)
        if by < 0 < here:
            self.move(ids[here - 1])
        elif by > 0 and here + 1 < len(ids):
            others = [s.id for s in self.report.sentences if s.id != one.id]
            behind = others.index(ids[here + 1]) + 1
            self.move(others[behind] if behind < len(others) else None)

    def retie(
        self, region_id: str, side: Side | None = None, zone: Zone | None = None, structure: str | None = None
    ) -> None:
        """Tie the chosen sentence to a place of the report."""
        self.do(RetieToPlace(self._one().id, region_id, structure, side, zone))
        self.show()

    def retie_to_box(self, region_id: str, box: Box, side: Side | None = None) -> None:
        """Tie the chosen sentence to a box that the reader drew."""
        self.do(RetieToBox(self._one().id, region_id, box, side))
        self.show()

    def mark_placeless(self) -> None:
        """State that the chosen sentence has no place."""
        self.do(MarkPlaceless(self._one().id))

    def answer(self, flag: Flag, reason: str) -> None:
        """Override a flag of the chosen sentence, or of the report, with a reason."""
        carrier = self.chosen
        owner = carrier.id if carrier is not None and flag.key in {f.key for f in carrier.flags} else None
        self.do(AnswerFlag(owner, flag.key, reason))

    # Acts on the report ----------------------------------------------------------------------------------------------

    def add(self, text: str, region_id: str | None = None) -> str:
        """Add the reader's own sentence behind the chosen one and choose it; return its id.

        Its words name its place; where they name none, `region_id` does.
        """
        text = text.strip()
        heading = anatomy.region(region_id).name if region_id else ""
        tie = suggest(text, self.report.places, heading)
        regions = tie.regions or ((region_id,) if region_id else ())
        new_id = self.draft.new_id()
        self.do(Add(new_id, text, regions, tie.anchors, tie.polarity, tie.key_phrase, self._behind_chosen()))
        self.choose(new_id)
        return new_id

    def undo(self) -> None:
        """Take the last act back."""
        self.draft.undo()
        self.show()
        self._changed()

    def redo(self) -> None:
        """Do the last undone act again."""
        self.draft.redo()
        self.show()
        self._changed()

    def set_filter(self, filter_: Filter) -> None:
        """List other sentences."""
        self.filter = filter_
        self._changed()

    def sign(self, name: str) -> None:
        """Sign and lock the report; Conflict says what forbids it."""
        self.draft.sign(name)
        self._changed()

    def _passes(self, sentence: Sentence) -> bool:
        if self.filter is Filter.ALL or sentence.id == self._chosen:
            return True
        if self.filter is Filter.OPEN:
            return sentence.verdict is Verdict.PENDING
        return any(f.answer is None for f in sentence.flags)

    def _beside(self, one: Sentence) -> tuple[list[str], int]:
        """Return the ids that are listed of a sentence's region, and which of them is its own."""
        groups = ([s.id for s in sentences] for _, sentences in self.listed())
        ids = next(ids for ids in groups if one.id in ids)
        return ids, ids.index(one.id)

    def _behind_chosen(self) -> str | None:
        ids = [s.id for s in self.report.sentences]
        here = ids.index(self._chosen) + 1 if self._chosen in ids else len(ids)
        return ids[here] if here < len(ids) else None

    def _one(self) -> Sentence:
        one = self.chosen
        if one is None:
            raise Conflict("no sentence is chosen")
        return one

    def do(self, edit: Edit) -> None:
        """Do an act that was made elsewhere; Conflict says what forbids it."""
        self.draft.apply(edit)
        self._changed()

    def _say(self, problem: str) -> None:
        self.problem = problem
        self._changed()
