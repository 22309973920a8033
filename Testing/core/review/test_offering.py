"""Found places in an open report: beside the present ones, in view at once, and only where they still fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from RegionReportLib.errors import Conflict
from RegionReportLib.grounding.found import Found
from RegionReportLib.grounding.wanted import wanted_of
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.edits import MarkPlaceless, Reject
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.review.highlight import Highlight
from RegionReportLib.review.model_words import box_words
from RegionReportLib.review.offering import offers_of, take_found, told
from RegionReportLib.review.session import Session

from voxtell_stand_in import report_folder


@dataclass
class Memory:
    """A viewer that remembers what it was asked to show."""

    shown: list[Highlight] = field(default_factory=list)

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        self.shown.append(highlight)
        return ()

    def clear(self) -> None:
        pass


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_draft(report_folder(tmp_path), actor="Dr A") as draft:
        yield Session(draft, Memory())


def found(session: Session, sentence_id: str, x_mm: float = 40.0) -> Found:
    box = Box((x_mm, 0, 0), (x_mm + 10, 10, 10))
    anchor = Anchor(Place("lungs", box, box.center_mm), AnchorSource.VOXTELL, note="VoxTell, weights 0123456789ab")
    phrase = wanted_of(session.report.sentence(sentence_id)).phrase
    return Found(sentence_id, phrase, (anchor,), "Found for it.")


def test_a_found_place_stands_beside_the_present_one_and_comes_into_view(session: Session) -> None:
    session.choose("imported-001")
    before = session.report.sentence("imported-001")
    assert before.viewed
    said = take_found(session, [found(session, "imported-001")])
    after = session.report.sentence("imported-001")
    assert after.anchors[:-1] == before.anchors
    assert after.anchors[-1].source is AnchorSource.VOXTELL
    assert isinstance(session.viewer, Memory)
    assert session.viewer.shown[-1].box == after.anchors[-1].place.box
    assert said == "Found for it. Undo takes it back."
    assert box_words(after) == ("VoxTell, weights 0123456789ab (at R 45, A 5, S 5; 10 × 10 × 10 mm)",)
    session.undo()
    assert session.report.sentence("imported-001").anchors == before.anchors


def test_of_many_places_the_largest_are_told(session: Session) -> None:
    one = found(session, "imported-001")
    many = tuple(a for x in range(5) for a in found(session, "imported-001", 20.0 * x).anchors)
    take_found(session, [replace(one, anchors=many)])
    lines = box_words(session.report.sentence("imported-001"))
    assert len(lines) == 4
    assert lines[-1] == "VoxTell, 2 smaller places more"


def test_the_view_stays_with_a_reader_who_went_on(session: Session) -> None:
    session.choose("imported-003")
    assert isinstance(session.viewer, Memory)
    shown = len(session.viewer.shown)
    take_found(session, [found(session, "imported-001")])
    assert len(session.viewer.shown) == shown
    assert not session.report.sentence("imported-001").viewed


def test_what_no_longer_fits_is_not_offered(session: Session) -> None:
    one, three = found(session, "imported-001"), found(session, "imported-003")
    session.choose("imported-001")
    session.change_text("A right cyst is seen.")
    session.draft.apply(MarkPlaceless("imported-003"))
    assert offers_of(session.report, [one, three, Found("gone", "nodule", one.anchors, "Found.")]) == ()
    assert "changed meanwhile" in take_found(session, [one])
    session.draft.apply(Reject("imported-001"))
    assert offers_of(session.report, [one]) == ()


def test_the_same_again_changes_nothing(session: Session) -> None:
    one = found(session, "imported-001")
    take_found(session, [one])
    acts = session.draft.head.length
    assert "It is there already" in take_found(session, [one])
    assert session.draft.head.length == acts


def test_for_several_sentences_a_count_is_said(session: Session) -> None:
    one = found(session, "imported-001")
    astray = Found("imported-003", "left nodule", (), "Not offered for “left nodule”, because …")
    assert told([one, astray], 1) == (
        "Looked for 2 sentences: places offered for 1, 1 with parts on another side that are not offered."
        " Undo takes it back."
    )


def test_a_report_that_is_open_for_reading_stays_as_it_is(session: Session) -> None:
    reading = Session(view_draft(session.draft.folder), Memory())
    with pytest.raises(Conflict, match="open for reading only"):
        take_found(reading, [found(session, "imported-001")])
