"""Replacing what a writer said of a region: only what nobody decided about can go, and undo brings it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.errors import Conflict
from RegionReportLib.report import edits as e
from RegionReportLib.report.apply import apply
from RegionReportLib.report.document import Report
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Origin, Sentence, Verdict, is_untouched
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.report.verify import verify


def rib(drafted: Report, **other: Any) -> Sentence:
    """What a model could say of the bones instead of s5."""
    new = replace(drafted.sentence("s5"), id="s5.r1", text="Healed rib fracture.", asked_about="bones", support=0.4)
    return replace(new, **other)


def again(*new: Sentence, gone: tuple[str, ...] = ("s5",), before: str | None = None) -> e.Redraft:
    return e.Redraft("bones", gone, new, "region-tokens", "demo 01ab", 3, before)


def test_old_sentences_go_and_new_ones_stand_where_they_are_told(drafted: Report) -> None:
    report = apply(drafted, again(rib(drafted), before="s1"))
    assert [s.id for s in report.sentences] == ["s5.r1", "s1", "s2", "s3", "s4"]
    assert report.sentence("s5.r1") == rib(drafted)
    assert [s.id for s in apply(drafted, again(rib(drafted))).sentences][-1] == "s5.r1"


@pytest.mark.parametrize(
    "act",
    [
        e.Accept("s5"),
        e.Reject("s5"),
        e.ChangeText("s5", "Old fractures of ribs."),
        e.RetieToPlace("s5", "lungs"),
        e.MarkPlaceless("s5"),
    ],
)
def test_what_the_reader_decided_about_cannot_go(drafted: Report, act: e.Edit) -> None:
    report = apply(drafted, act)
    assert not is_untouched(report.sentence("s5"))
    with pytest.raises(Conflict, match="s5 holds what the reader did"):
        apply(report, again(rib(drafted)))


def test_a_flag_that_was_answered_for_cannot_go_but_a_viewed_sentence_can(drafted: Report) -> None:
    flag = drafted.sentence("s2").flags[0]
    with pytest.raises(Conflict, match="s2 holds"):
        apply(apply(drafted, e.AnswerFlag("s2", flag.key, "seen")), again(gone=("s2",)))
    viewed = apply(drafted, e.MarkViewed("s5"))
    assert len(apply(viewed, again()).sentences) == 4


@pytest.mark.parametrize("gone", [("s3",), ("s9",)])
def test_neither_imported_nor_unknown_sentences_go(drafted: Report, gone: tuple[str, ...]) -> None:
    with pytest.raises(Conflict):
        apply(drafted, again(gone=gone))


@pytest.mark.parametrize(
    "other",
    [
        {"verdict": Verdict.ACCEPTED},
        {"viewed": True},
        {"origin": Origin(Author.READER)},
        {"text": " . "},
        {"id": "no spaces"},
        {"id": "s1"},
        {"evidence": ("m9",)},
    ],
)
def test_what_no_writer_leaves_is_not_taken(drafted: Report, other: dict[str, Any]) -> None:
    with pytest.raises(Conflict):
        apply(drafted, again(rib(drafted, **other)))


def test_a_remark_of_a_writer_has_no_place_from_the_start(drafted: Report) -> None:
    remark = rib(drafted, origin=Origin(Author.MEASURED), anchors=(), placeless=True)
    assert is_untouched(remark)
    assert not is_untouched(replace(remark, asked_about=None))
    tied = replace(drafted.sentence("s5").anchors[0], source=AnchorSource.READER)
    assert not is_untouched(rib(drafted, anchors=(tied,)))


def test_the_trail_has_author_writer_model_and_seed_and_undo_is_one_step(folder: Path, drafted: Report) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        before = draft.report
        draft.apply(again(rib(drafted)))
        after = draft.report
        entry = draft.history()[-1]
        assert (entry.act.actor, entry.act.kind) == ("Dr A", "redraft")
        told = {key: entry.act.data[key] for key in ("region", "writer", "model", "seed")}
        assert told == {"region": "bones", "writer": "region-tokens", "model": "demo 01ab", "seed": 3}
        assert {w.sentence_id: (w.before, w.after) for w in entry.act.words} == {
            "s5": ("Old rib fractures.", None),
            "s5.r1": (None, "Healed rib fracture."),
        }
        assert draft.undo() == before
        assert draft.redo() == after
        draft.undo()
        with pytest.raises(Conflict, match="belonged to another sentence before"):
            draft.apply(again(rib(drafted)))
    assert verify(folder) == ()
    assert view_draft(folder).report == before
