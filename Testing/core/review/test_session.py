"""A review from the first key to the signature, on a draft of four sentences and a viewer that only remembers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.errors import Conflict, RegionReportError
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Status, Study
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.store import create_draft, open_draft, view_draft
from RegionReportLib.review.highlight import Highlight
from RegionReportLib.review.nearby import sentences_at
from RegionReportLib.review.session import Filter, Session

GRID = Grid((100, 100, 100), np.array([[3, 0, 0, -150], [0, 3, 0, -150], [0, 0, 3, -150], [0, 0, 0, 1.0]]))
LUNGS = Place("lungs", Box((-120, -80, -100), (120, 80, 120)), (60, 0, 0))
RIGHT = Place("lungs", Box((10, -80, -100), (120, 80, 120)), (60, 0, 0), side=Side.RIGHT)
LEFT = Place("lungs", Box((-120, -80, -100), (-10, 80, 120)), (-60, 0, 0), side=Side.LEFT)
SPOT = Place("lungs", Box((-80, -20, 0), (-60, 0, 20)), (-70, -10, 10), side=Side.LEFT)
HEART = Place("heart_great_vessels", Box((-70, 0, -90), (40, 90, 20)), (-20, 40, -40))


def sentence(name: str, text: str, *places: Place) -> Sentence:
    anchors = tuple(Anchor(p, AnchorSource.MEASUREMENT) for p in places)
    return Sentence(name, text, (places[0].region_id,), anchors, Polarity.PRESENT, Origin(Author.MEASURED))


def report() -> Report:
    sentences = (
        sentence("lungs-1", "Lung volume measured.", LUNGS),
        sentence("lungs-2", "Dense focus in the left lung.", SPOT),
        sentence("lungs-3", "Both lungs dense.", RIGHT, LEFT),
        sentence("heart-1", "Heart enlarged.", HEART),
    )
    return Report(
        "r", Study("ct.nii.gz", "0" * 64, GRID), dict.fromkeys(REGION_IDS, Coverage.COMPLETE), {},
        (LUNGS, RIGHT, LEFT, HEART), (), sentences, "measured", "classical", "2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@dataclass
class Memory:
    """A viewer that remembers what it was asked to show."""

    shown: list[Highlight | None] = field(default_factory=list)
    fault: RegionReportError | None = None
    missing: tuple[str, ...] = ()

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        if self.fault:
            raise self.fault
        self.shown.append(highlight)
        return self.missing

    def clear(self) -> None:
        self.shown.append(None)


@pytest.fixture
def viewer() -> Memory:
    return Memory()


@pytest.fixture
def session(tmp_path: Path, viewer: Memory) -> Iterator[Session]:
    create_draft(tmp_path / "draft", report(), actor="test")
    with open_draft(tmp_path / "draft", actor="Dr A") as draft:
        yield Session(draft, viewer)


def test_choosing_shows_the_place_and_counts_as_viewed(session: Session, viewer: Memory) -> None:
    session.choose("lungs-2")
    assert viewer.shown[-1] is not None
    assert viewer.shown[-1].point_ras_mm == (-70, -10, 10)
    assert viewer.shown[-1].box == SPOT.box
    assert session.report.sentence("lungs-2").viewed
    assert not session.report.sentence("lungs-1").viewed


def test_choosing_again_walks_through_the_places_of_a_sentence(session: Session, viewer: Memory) -> None:
    for _ in range(3):
        session.choose("lungs-3")
    points = [h.point_ras_mm for h in viewer.shown if h]
    assert points == [(60, 0, 0), (-60, 0, 0), (60, 0, 0)]


def test_a_place_that_could_not_be_shown_is_not_viewed_and_the_reader_is_told(session: Session, viewer: Memory) -> None:
    viewer.fault = RegionReportError("the segmentation was deleted")
    session.choose("lungs-2")
    assert session.problem == "the segmentation was deleted"
    viewer.fault, viewer.missing = None, ("no 3D view",)
    session.choose("lungs-2")
    assert session.problem == "no 3D view"
    assert not session.report.sentence("lungs-2").viewed


def test_steps_go_through_the_list_and_hold_at_its_ends(session: Session) -> None:
    seen = []
    for by in (1, 1, 1, 1, 1, -1, -10):
        session.step(by)
        assert session.chosen is not None
        seen.append(session.chosen.id)
    assert seen == ["lungs-1", "lungs-2", "lungs-3", "heart-1", "heart-1", "lungs-3", "lungs-1"]


def test_open_sentences_disappear_when_they_are_judged_but_the_chosen_one_stays(session: Session) -> None:
    session.set_filter(Filter.OPEN)
    session.choose("lungs-1")
    session.accept()
    assert [s.id for _, group in session.listed() for s in group] == ["lungs-1", "lungs-2", "lungs-3", "heart-1"]
    session.choose("lungs-2")
    assert [s.id for _, group in session.listed() for s in group] == ["lungs-2", "lungs-3", "heart-1"]


def test_reject_is_its_own_way_back(session: Session) -> None:
    session.choose("heart-1")
    session.reject()
    assert session.report.sentence("heart-1").verdict is Verdict.REJECTED
    session.reject()
    assert session.report.sentence("heart-1").verdict is Verdict.PENDING


def test_a_click_finds_the_smallest_place_first_and_only_regions_under_it(session: Session) -> None:
    assert sentences_at(session.report, (-70, -10, 10), ["lungs"]) == ("lungs-2", "lungs-3", "lungs-1")
    assert sentences_at(session.report, (-20, 40, -40), ["heart_great_vessels"]) == ("heart-1",)
    assert sentences_at(session.report, (0, 0, 0), []) == ()


def test_an_added_sentence_takes_its_place_from_its_words(session: Session, viewer: Memory) -> None:
    session.choose("lungs-1")
    new_id = session.add("Small left pleural effusion.")
    added = session.report.sentence(new_id)
    assert [a.place.name for a in added.anchors] == ["left lung"]
    assert added.verdict is Verdict.ADDED
    assert [s.id for s in session.report.sentences][1] == new_id
    assert viewer.shown[-1] is not None
    assert viewer.shown[-1].point_ras_mm == (-60, 0, 0)


def test_an_added_sentence_without_a_place_in_its_words_gets_that_of_its_heading(session: Session) -> None:
    added = session.add("Looks normal.", "heart_great_vessels")
    assert session.report.sentence(added).regions == ("heart_great_vessels",)


def test_editing_splitting_merging_and_undoing_keep_the_tie(session: Session) -> None:
    session.choose("lungs-2")
    session.change_text("Dense focus in the left lung. It is round.")
    session.split(29)
    first, second = session.report.sentences[1:3]
    assert (first.text, second.text) == ("Dense focus in the left lung.", "It is round.")
    assert first.anchors == second.anchors == report().sentences[1].anchors
    session.merge_with_next()
    assert session.report.sentence("lungs-2").text == "Dense focus in the left lung. It is round."
    for _ in range(3):
        session.undo()
    assert session.report.sentence("lungs-2").text == "Dense focus in the left lung."
    assert len(session.report.sentences) == 4


def test_retying_moves_the_view_there(session: Session, viewer: Memory) -> None:
    session.choose("heart-1")
    session.retie("lungs", Side.RIGHT)
    assert session.report.sentence("heart-1").anchors[0].place.side is Side.RIGHT
    assert viewer.shown[-1] is not None
    assert viewer.shown[-1].point_ras_mm == (60, 0, 0)
    box = Box((0, 0, 0), (10, 10, 10))
    session.retie_to_box("lungs", box)
    assert viewer.shown[-1].box == box if viewer.shown[-1] else False


def test_signing_waits_for_every_sentence_and_then_locks(session: Session) -> None:
    standing = session.standing("Dr A")
    assert (standing.judged, standing.total) == (0, 4)
    with pytest.raises(Conflict):
        session.sign("Dr A")
    for s in report().sentences:
        session.choose(s.id)
        session.accept()
    assert session.standing("Dr A").reasons == ()
    session.sign("Dr A")
    assert session.report.status is Status.SIGNED
    with pytest.raises(Conflict):
        session.change_text("Something else.")
    session.choose("lungs-1")  # looking is still allowed


def test_acts_without_a_chosen_sentence_are_refused(session: Session) -> None:
    with pytest.raises(Conflict, match="chosen"):
        session.accept()


def test_letting_go_restores_the_views(session: Session, viewer: Memory) -> None:
    session.choose("lungs-1")
    session.choose(None)
    assert viewer.shown[-1] is None
    assert session.chosen is None


def test_a_blocking_flag_is_answered_with_a_reason(tmp_path: Path, viewer: Memory) -> None:
    create_draft(tmp_path / "flagged", report(), actor="test", check=check)
    with open_draft(tmp_path / "flagged", actor="Dr A", check=check) as draft:
        session = Session(draft, viewer)
        session.choose("lungs-2")
        session.change_text("Dense focus in the right lung.")
        flag = next(f for f in session.report.sentence("lungs-2").flags if f.blocking)
        assert session.standing().open_flags == 1
        session.answer(flag, "patient lies prone; checked")
        assert session.standing().open_flags == 0


def test_going_to_what_is_open_visits_each_unfinished_sentence_and_goes_round(session: Session) -> None:
    session.choose("lungs-1")
    session.accept()
    for expected in ("lungs-2", "lungs-3", "heart-1", "lungs-2"):
        session.choose_open()
        assert session.chosen is not None and session.chosen.id == expected


@pytest.fixture
def checked(tmp_path: Path, viewer: Memory) -> Iterator[Session]:
    """The same review with contradictions looked for after each act."""
    create_draft(tmp_path / "checked", report(), actor="test", check=check)
    with open_draft(tmp_path / "checked", actor="Dr A", check=check) as draft:
        yield Session(draft, viewer)


def test_both_sides_of_a_flag_stand_out_and_the_other_side_comes_into_view(checked: Session, viewer: Memory) -> None:
    checked.choose("lungs-2")
    checked.change_text("Dense focus in the right lung.")
    (flag,) = checked.chosen.flags  # type: ignore[union-attr]
    checked.show_both(flag)
    shown = viewer.shown[-1]
    assert shown is not None and {area.side for area in shown.areas} == {Side.RIGHT, Side.LEFT}
    assert shown.point_ras_mm == RIGHT.point_mm
    assert checked.found == ("lungs-2",)


def test_the_standing_tells_in_words_what_is_left(checked: Session) -> None:
    assert checked.standing().words == "0 of 4 judged · 4 places to view"
    checked.choose("lungs-2")
    checked.change_text("Dense focus in the right lung.")
    assert checked.standing().words == "1 of 4 judged · 3 places to view · 1 flag open"
    checked.reject()
    assert checked.standing().words == "1 of 4 judged · 3 places to view"


def test_marks_of_a_clicked_place_go_when_the_reader_moves_on(session: Session) -> None:
    found = session.find((-70, -10, 10), ["lungs"])
    assert found[0] == "lungs-2"
    session.choose_found()
    assert session.found == found
    session.choose("heart-1")
    assert session.found == ()


def test_a_sentence_is_moved_among_those_of_its_region_only(session: Session) -> None:
    session.choose("lungs-1")
    session.shift(-1)
    assert [s.id for s in session.report.sentences] == ["lungs-1", "lungs-2", "lungs-3", "heart-1"]
    session.shift(1)
    assert [s.id for s in session.report.sentences] == ["lungs-2", "lungs-1", "lungs-3", "heart-1"]
    session.shift(1)
    session.shift(1)  # the end of its region holds
    assert [s.id for s in session.report.sentences] == ["lungs-2", "lungs-3", "lungs-1", "heart-1"]
    session.shift(-1)
    assert [s.id for s in session.report.sentences] == ["lungs-2", "lungs-1", "lungs-3", "heart-1"]


def test_a_draft_that_another_writes_is_pointed_at_but_not_touched(session: Session, viewer: Memory) -> None:
    with view_draft(session.draft.folder) as draft:
        reading = Session(draft, viewer)
        assert session.editable and not reading.editable
        reading.choose("lungs-2")
        assert viewer.shown[-1] is not None
        assert viewer.shown[-1].box == SPOT.box
        assert not draft.report.sentence("lungs-2").viewed
        with pytest.raises(Conflict, match="for reading only"):
            reading.accept()
