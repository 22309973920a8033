"""A region written anew in an open review: nothing of the reader's is lost, and one undo takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.edits import Merge
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence, Verdict
from RegionReportLib.report.store import create_draft, open_draft, view_draft
from RegionReportLib.review.highlight import Highlight
from RegionReportLib.review.redraft import Rewritten, going, next_seed, redraft_edit, take_redraft
from RegionReportLib.review.session import Session

LUNGS = Place("lungs", Box((-120, -80, -100), (120, 80, 120)), (60, 0, 0))
HEART = Place("heart_great_vessels", Box((-70, 0, -90), (40, 90, 20)), (-20, 40, -40))
MODEL, OURS = Origin(Author.MODEL, "demo 01ab"), Origin(Author.MEASURED)


def said(name: str, text: str, place: Place = LUNGS, about: str | None = "lungs") -> Sentence:
    anchors = (Anchor(place, AnchorSource.MODEL),)
    return Sentence(name, text, (place.region_id,), anchors, Polarity.PRESENT, MODEL, asked_about=about)


def remark(name: str, text: str) -> Sentence:
    return Sentence(name, text, ("lungs",), (), Polarity.UNCERTAIN, OURS, placeless=True, asked_about="lungs")


def measured(name: str, text: str, *evidence: str) -> Sentence:
    anchors = (Anchor(LUNGS, AnchorSource.MEASUREMENT),)
    return Sentence(name, text, ("lungs",), anchors, Polarity.PRESENT, OURS, evidence)


REPORT = Report(
    "r", Study("ct.nii.gz", "0" * 64, Grid((9, 9, 9), np.eye(4))), dict.fromkeys(REGION_IDS, Coverage.COMPLETE), {},
    (LUNGS, HEART), (Measurement("m1", "volume", "lungs", 4900, "mL", "counted"),),
    (
        measured("lungs-1", "Total lung volume 4.9 L.", "m1"),
        said("model-lungs-1", "There is a nodule."),
        said("model-lungs-2", "The heart is large.", HEART),
        remark("lungs-unsaid", "Not assessed: the rest of the lungs."),
        said("model-lungs-3", "No pleural effusion."),
        said("model-heart-1", "Coronary calcium.", HEART, "heart_great_vessels"),
    ),
    "region-tokens", "classical", "2026-01-01T00:00:00+00:00",
)  # fmt: skip


def anew(*texts: str, about: str = "lungs", seed: int | None = 4) -> Rewritten:
    sentences = tuple(said(f"model-{about}-{n}", text, about=about) for n, text in enumerate(texts, start=1))
    return Rewritten(about, sentences, "region-tokens", "demo 01abcd", seed)


@dataclass
class Views:
    """A viewer that remembers what it was asked to show."""

    shown: list[Highlight | None] = field(default_factory=list)

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        self.shown.append(highlight)
        return ()

    def clear(self) -> None:
        self.shown.append(None)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    create_draft(tmp_path / "draft", REPORT, actor="test")
    with open_draft(tmp_path / "draft", actor="Dr A") as draft:
        yield Session(draft, Views())


def texts(session: Session) -> list[str]:
    return [s.text for s in session.report.sentences]


def test_all_that_the_model_said_when_asked_about_the_region_goes_wherever_it_points(session: Session) -> None:
    assert [s.id for s in going(REPORT, "lungs", of_model=True)] == [
        "model-lungs-1",
        "model-lungs-2",
        "lungs-unsaid",
        "model-lungs-3",
    ]
    told = take_redraft(session, anew("Clear lungs.", "Small nodule."))
    assert texts(session) == ["Total lung volume 4.9 L.", "Clear lungs.", "Small nodule.", "Coronary calcium."]
    assert told.startswith("Lungs: 2 sentences written anew, 4 replaced.")
    session.undo()
    assert session.report.sentences == REPORT.sentences


def test_words_of_a_model_that_was_asked_about_the_whole_scan_go_by_their_region() -> None:
    whole = replace(REPORT, sentences=tuple(replace(s, asked_about=None) for s in REPORT.sentences))
    assert [s.id for s in going(whole, "lungs", of_model=True)] == ["model-lungs-1", "model-lungs-3"]
    assert [s.id for s in going(REPORT, "lungs", of_model=False)] == ["lungs-1"]


def test_what_the_reader_did_stays_and_is_not_said_twice(session: Session) -> None:
    session.choose("model-lungs-1")
    session.change_text("There is a nodule of 9 mm.")
    session.choose("model-lungs-2")
    session.reject()
    session.choose("model-lungs-3")
    session.accept()
    session.add("Old scar at the apex.", "lungs")
    take_redraft(session, anew("the heart  is large.", "No pleural effusion.", "There is a mass."))
    assert texts(session) == [
        "Total lung volume 4.9 L.",
        "There is a nodule of 9 mm.",
        "The heart is large.",
        "There is a mass.",
        "No pleural effusion.",
        "Old scar at the apex.",
        "Coronary calcium.",
    ]
    verdicts = {s.text: s.verdict for s in session.report.sentences}
    assert verdicts["The heart is large."] is Verdict.REJECTED
    assert verdicts["There is a mass."] is Verdict.PENDING


def test_words_that_the_reader_changed_do_not_come_again(session: Session) -> None:
    session.choose("model-lungs-1")
    session.change_text("There is a nodule of 9 mm.")
    take_redraft(session, anew("There is a nodule.", "Clear lungs."))
    assert texts(session)[1:3] == ["There is a nodule of 9 mm.", "Clear lungs."]
    assert "There is a nodule." not in texts(session)
    session.undo()
    session.undo()
    take_redraft(session, anew("There is a nodule.", "Dense lungs."))
    assert texts(session)[1:3] == ["There is a nodule.", "Dense lungs."]


def test_words_that_were_merged_into_another_sentence_do_not_come_again(session: Session) -> None:
    first, second = (next(s for s in REPORT.sentences if s.id == one) for one in ("model-lungs-1", "model-lungs-2"))
    session.do(Merge((first.id, second.id)))
    take_redraft(session, anew(second.text, first.text, "Clear lungs."))
    assert f"{first.text} {second.text}" in texts(session) and "Clear lungs." in texts(session)
    assert first.text not in texts(session) and second.text not in texts(session)


def test_the_same_words_again_leave_no_trace(session: Session) -> None:
    before = session.draft.head
    same = anew(
        "There is a nodule.", "The heart is large.", "Not assessed: the rest of the lungs.", "No pleural effusion."
    )
    assert "says the same as before" in take_redraft(session, same)
    assert session.draft.head == before


def test_the_chosen_sentence_is_followed_by_the_first_new_one_and_another_stays_chosen(session: Session) -> None:
    session.choose("model-heart-1")
    take_redraft(session, anew("Clear lungs."))
    assert session.chosen is not None and session.chosen.id == "model-heart-1"
    session.choose(next(s.id for s in session.report.sentences if s.text == "Clear lungs."))
    take_redraft(session, anew("Dense lungs.", seed=9))
    assert session.chosen.text == "Dense lungs."
    take_redraft(session, anew(seed=10))
    assert session.chosen is None
    assert "Dense lungs." not in texts(session)


def test_redrafts_after_each_other_and_after_undo_never_use_an_id_twice(session: Session) -> None:
    take_redraft(session, anew("One."))
    session.undo()
    take_redraft(session, anew("Two."))
    take_redraft(session, anew("One."))
    assert texts(session)[1:-1] == ["One."]


def test_a_region_without_words_gets_them_behind_its_own(session: Session) -> None:
    take_redraft(session, anew("Old fracture.", about="bones"))
    assert texts(session)[-1] == "Old fracture."
    edit = redraft_edit(REPORT, Rewritten("lungs", (measured("lungs-2", "Dense focus."),), "measured"), "r1")
    assert edit is not None
    assert (edit.sentence_ids, edit.before, edit.sentences[0].id) == (("lungs-1",), "model-lungs-1", "lungs-2.r1")


def test_a_measured_sentence_that_the_reader_edited_does_not_come_back_in_other_words(session: Session) -> None:
    session.choose("lungs-1")
    session.change_text("Lungs of 4.9 L, large.")
    again = Rewritten("lungs", (measured("lungs-1", "Total lung volume 4.9 L.", "m1"),), "measured")
    assert "says the same" in take_redraft(session, again)


def test_first_words_are_the_likeliest_and_later_ones_are_drawn_with_a_new_seed_each_time(session: Session) -> None:
    assert next_seed(REPORT, "bones", 7) is None
    assert next_seed(REPORT, "lungs", 7) == 7


def test_a_signed_or_foreign_report_is_left_as_it_is(session: Session, tmp_path: Path) -> None:
    with view_draft(tmp_path / "draft") as draft, pytest.raises(Conflict, match="signed or open for reading"):
        take_redraft(Session(draft, Views()), anew("Clear lungs."))
    for one in session.report.sentences:
        session.choose(one.id)
        session.accept()
    session.sign("Dr A")
    with pytest.raises(Conflict, match="signed or open for reading"):
        take_redraft(session, anew("Clear lungs."))
    assert len(session.report.sentences) == 6
