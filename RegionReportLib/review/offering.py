"""What becomes of places that were found by words in an open report: offered beside the present ones, or let go.

The reader may have changed the report while they were looked for, so each is held against the sentence as it is now.
Looking for them is another process's matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Conflict, InputRefused
from ..grounding.found import Found
from ..grounding.wanted import wanted_of
from ..report.apply import apply
from ..report.document import Report
from ..report.edits import OfferPlaces
from ..report.place import AnchorSource
from .session import Session


def offers_of(report: Report, found: Sequence[Found]) -> tuple[OfferPlaces, ...]:
    """Return the edits that offer what was found to the sentences that it still fits and that do not have it yet."""
    offers = []
    for one in found:
        edit = OfferPlaces(one.sentence_id, one.anchors)
        if one.anchors and _still_wanted(report, one) and apply(report, edit) is not report:
            offers.append(edit)
    return tuple(offers)


def take_found(session: Session, found: Sequence[Found]) -> str:
    """Offer what was found in the open report, show the first new place of the chosen sentence, and say how it went.

    Raises Conflict for a report that is signed or open for reading, and leaves it as it is.
    """
    if not session.editable:
        raise Conflict("the report is signed or open for reading only; nothing was changed")
    offers = offers_of(session.report, found)
    for edit in offers:
        session.do(edit)
    chosen = session.chosen
    if chosen is not None and chosen.id in {edit.sentence_id for edit in offers}:
        first = next(n for n, a in enumerate(chosen.anchors) if a.source is AnchorSource.VOXTELL)
        session.choose(chosen.id, first)
    return told(found, len(offers))


def told(found: Sequence[Found], offered: int) -> str:
    """Return in words what became of what was found: one sentence's own words, or a count for several."""
    taken_back = " Undo takes it back." if offered else ""
    if len(found) == 1:
        changed = "" if offered or not found[0].anchors else " It is there already, or the sentence changed meanwhile."
        return f"{found[0].words}{changed}{taken_back}"
    astray = sum("Not offered" in one.words for one in found)
    aside = f", {astray} with parts on another side that are not offered" if astray else ""
    return f"Looked for {len(found)} sentences: places offered for {offered}{aside}.{taken_back}"


def _still_wanted(report: Report, one: Found) -> bool:
    """Tell whether the sentence is still there and still asks for the same."""
    try:
        sentence = report.sentence(one.sentence_id)
        if wanted_of(sentence).phrase != one.phrase:
            return False
        apply(report, OfferPlaces(one.sentence_id, one.anchors))
    except (KeyError, InputRefused, Conflict):
        return False
    return True
