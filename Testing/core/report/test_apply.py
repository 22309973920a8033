"""Each edit does what it says, keeps the tie, and refuses what cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from RegionReportLib.anatomy.regions import Side, Zone
from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.box import Box
from RegionReportLib.report import edits as e
from RegionReportLib.report.apply import apply
from RegionReportLib.report.document import Report, Signature, Status
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.report.sentence import Author, Authorship, Flag, FlagKind, Polarity, Sentence, Verdict, authorship


def after(report: Report, *edits: e.Edit) -> Report:
    for edit in edits:
        report = apply(report, edit)
    return report


def phrase(sentence: Sentence) -> str | None:
    return None if sentence.key_phrase is None else sentence.text[slice(*sentence.key_phrase)]


def ids(report: Report) -> list[str]:
    return [s.id for s in report.sentences]


def test_changed_words_keep_the_tie_and_move_the_phrase(drafted: Report) -> None:
    old = drafted.sentence("s1")
    new = after(drafted, e.ChangeText("s1", "Now there is right pleural fluid, 310 mL.")).sentence("s1")
    assert new.text == "Now there is right pleural fluid, 310 mL."
    assert (new.anchors, new.evidence, new.regions) == (old.anchors, ("m1",), ("lungs",))
    assert new.polarity is Polarity.PRESENT
    assert phrase(new) == "right pleural fluid"
    assert (new.verdict, new.origin) == (Verdict.EDITED, old.origin)


def test_words_that_name_another_side_do_not_retie(drafted: Report) -> None:
    new = after(drafted, e.ChangeText("s1", "Left pleural fluid 310 mL.")).sentence("s1")
    assert new.anchors == drafted.sentence("s1").anchors
    assert phrase(new) == "Left pleural fluid"


def test_a_given_polarity_and_phrase_are_taken(drafted: Report) -> None:
    new = after(drafted, e.ChangeText("s2", "Nodule of 5 mm.", (0, 6), Polarity.PRESENT)).sentence("s2")
    assert (phrase(new), new.polarity) == ("Nodule", Polarity.PRESENT)


def test_a_polarity_alone_is_no_change_of_words(drafted: Report) -> None:
    text = drafted.sentence("s5").text
    new = after(drafted, e.ChangeText("s5", text, polarity=Polarity.UNCERTAIN)).sentence("s5")
    assert (new.polarity, new.verdict) == (Polarity.UNCERTAIN, Verdict.PENDING)


@pytest.mark.parametrize(
    ("edits", "verdict", "writer"),
    [
        ([e.Accept("s5")], Verdict.ACCEPTED, Authorship.AI),
        ([e.Accept("s5"), e.ChangeText("s5", "Healed rib fractures.")], Verdict.EDITED, Authorship.AI_EDITED),
        ([e.ChangeText("s5", "Healed."), e.Accept("s5")], Verdict.EDITED, Authorship.AI_EDITED),
        ([e.ChangeText("s5", "Healed."), e.Reject("s5")], Verdict.REJECTED, Authorship.AI_EDITED),
        ([e.ChangeText("s5", "Healed."), e.Reject("s5"), e.Restore("s5")], Verdict.EDITED, Authorship.AI_EDITED),
        ([e.ChangeText("s5", "Healed."), e.Reject("s5"), e.Accept("s5")], Verdict.EDITED, Authorship.AI_EDITED),
        ([e.Accept("s5"), e.Reject("s5"), e.Restore("s5")], Verdict.ACCEPTED, Authorship.AI),
        ([e.Reject("s5"), e.Restore("s5")], Verdict.PENDING, Authorship.AI),
        ([e.Reject("s5"), e.Reject("s5"), e.Accept("s5")], Verdict.ACCEPTED, Authorship.AI),
    ],
)
def test_verdicts_and_authorship_follow_the_acts(
    drafted: Report, edits: list[e.Edit], verdict: Verdict, writer: Authorship
) -> None:
    sentence = after(drafted, *edits).sentence("s5")
    assert (sentence.verdict, authorship(sentence)) == (verdict, writer)


def test_the_readers_own_sentence_stays_the_readers(drafted: Report) -> None:
    own = after(drafted, e.Add("r1", "Lucent lesion in T8.", ("bones",)))
    for edits in ([], [e.ChangeText("r1", "Lytic lesion in T8.")], [e.Accept("r1")], [e.Reject("r1"), e.Accept("r1")]):
        sentence = after(own, *edits).sentence("r1")
        assert (sentence.verdict, authorship(sentence)) == (Verdict.ADDED, Authorship.HUMAN)


def test_imported_words_stay_imported(drafted: Report) -> None:
    assert authorship(after(drafted, e.ChangeText("s3", "Compared.")).sentence("s3")) is Authorship.IMPORTED


def test_rejecting_keeps_the_words_and_the_tie(drafted: Report) -> None:
    rejected = after(drafted, e.Reject("s1")).sentence("s1")
    assert replace(rejected, verdict=Verdict.PENDING, verdict_before=None) == drafted.sentence("s1")


def test_an_added_sentence_stands_where_it_was_put(drafted: Report) -> None:
    anchors = drafted.sentence("s5").anchors
    report = after(drafted, e.Add("r1", "Scoliosis.", anchors=anchors, before="s2"), e.Add("r2", "End."))
    assert ids(report) == ["s1", "r1", "s2", "s3", "s4", "s5", "r2"]
    new = report.sentence("r1")
    assert (new.regions, new.origin.author, new.viewed) == (("bones",), Author.READER, False)


def test_splitting_copies_the_tie_and_gives_the_phrase_to_its_part(drafted: Report) -> None:
    text = "Right pleural fluid 310 mL. Heart large."
    whole = after(drafted, e.MarkViewed("s1"), e.ChangeText("s1", text))
    report = after(whole, e.Split("s1", text.index(" Heart"), "r1"))
    first, second = report.sentences[:2]
    assert (first.id, first.text, second.id, second.text) == ("s1", "Right pleural fluid 310 mL.", "r1", "Heart large.")
    for part in (first, second):
        old = whole.sentence("s1")
        assert (part.anchors, part.evidence, part.regions, part.viewed) == (old.anchors, ("m1",), ("lungs",), True)
        assert (part.verdict, part.origin) == (Verdict.EDITED, old.origin)
    assert (phrase(first), phrase(second)) == ("Right pleural fluid", None)


def test_the_phrase_of_a_split_sentence_can_go_to_the_second_part(drafted: Report) -> None:
    report = after(drafted, e.ChangeText("s5", "Bones: rib fractures.", (7, 20)), e.Split("s5", 6, "r1"))
    assert [phrase(s) for s in report.sentences[-2:]] == [None, "rib fractures"]


def test_a_phrase_cut_by_a_split_goes_to_the_part_with_most_of_it(drafted: Report) -> None:
    report = after(drafted, e.Split("s1", len("Right pleural"), "r1"))
    assert [phrase(s) for s in report.sentences[:2]] == ["Right pleural", None]


def test_merging_joins_ties_and_evidence_without_doubles(drafted: Report) -> None:
    twice = after(drafted, e.Split("s1", 19, "r1"))
    report = after(twice, e.Merge(("s1", "r1", "s4")))
    new = report.sentence("s1")
    assert ids(report) == ["s1", "s2", "s3", "s5"]
    assert new.text == "Right pleural fluid 310 mL. Cardiothoracic ratio 0.56."
    assert [a.place.region_id for a in new.anchors] == ["lungs", "heart_great_vessels"]
    assert (new.evidence, new.regions) == (("m1", "m2"), ("lungs", "heart_great_vessels"))
    assert (phrase(new), new.verdict, new.origin.author) == ("Right pleural fluid", Verdict.EDITED, Author.MEASURED)


def test_a_merge_names_the_model_and_is_not_viewed_unless_all_places_were(drafted: Report) -> None:
    viewed = after(drafted, e.MarkViewed("s1"))
    new = after(viewed, e.Merge(("s1", "s2"), "Right pleural fluid, no nodule.")).sentence("s1")
    assert (new.origin.author, new.viewed, new.polarity) == (Author.MODEL, False, Polarity.PRESENT)
    assert phrase(new) == "Right pleural fluid"
    assert new.flags == drafted.sentence("s2").flags
    both = after(viewed, e.MarkViewed("s2"), e.Merge(("s2", "s1")))
    assert both.sentence("s2").viewed
    assert phrase(both.sentence("s2")) == "nodule"


def test_two_own_sentences_merge_into_an_own_one(drafted: Report) -> None:
    report = after(drafted, e.Add("r1", "One."), e.Add("r2", "Two."), e.Merge(("r1", "r2")))
    assert (report.sentence("r1").verdict, report.sentence("r1").text) == (Verdict.ADDED, "One. Two.")
    assert not report.sentence("r1").viewed


def test_moving_changes_the_order_only(drafted: Report) -> None:
    assert ids(after(drafted, e.Move("s5", "s2"))) == ["s1", "s5", "s2", "s3", "s4"]
    assert ids(after(drafted, e.Move("s1"))) == ["s2", "s3", "s4", "s5", "s1"]
    assert set(after(drafted, e.Move("s1")).sentences) == set(drafted.sentences)


def test_retying_to_a_place_replaces_the_tie_and_asks_for_a_new_look(drafted: Report) -> None:
    viewed = after(drafted, e.MarkViewed("s2"))
    new = after(viewed, e.RetieToPlace("s2", "lungs", "lung_right", Side.RIGHT, Zone.LOWER)).sentence("s2")
    assert [(a.place, a.source) for a in new.anchors] == [(drafted.places[2], AnchorSource.READER)]
    assert (new.viewed, new.verdict, new.regions) == (False, Verdict.PENDING, ("lungs",))


def test_retying_can_keep_the_other_places(drafted: Report) -> None:
    new = after(drafted, e.RetieToPlace("s1", "bones", keep=True)).sentence("s1")
    assert [a.place.region_id for a in new.anchors] == ["lungs", "bones"]
    assert new.regions == ("lungs", "bones")


def test_retying_to_a_drawn_box_points_into_its_middle(drafted: Report) -> None:
    box = Box((0, 10, 20), (10, 30, 60))
    new = after(drafted, e.MarkPlaceless("s3"), e.RetieToBox("s3", "lungs", box, Side.LEFT)).sentence("s3")
    place = new.anchors[0].place
    assert (place.box, place.point_mm, place.side, new.placeless) == (box, (5, 20, 40), Side.LEFT, False)


def test_marks_are_set(drafted: Report) -> None:
    report = after(drafted, e.MarkViewed("s1"), e.MarkPlaceless("s4"))
    assert report.sentence("s1").viewed
    gone = report.sentence("s4")
    assert (gone.placeless, gone.anchors, gone.evidence, gone.regions) == (True, (), ("m2",), ("heart_great_vessels",))


def test_a_flag_is_answered_by_its_key(drafted: Report) -> None:
    flag = drafted.sentence("s2").flags[0]
    report = after(drafted, e.AnswerFlag("s2", flag.key, "seen on the right"))
    assert report.sentence("s2").flags == (replace(flag, answer="seen on the right"),)
    whole = Flag(FlagKind.EMPTY_REGION, "no sentence on the airways")
    flagged = replace(drafted, flags=(whole,))
    assert after(flagged, e.AnswerFlag(None, whole.key, "dictated apart")).flags[0].answer == "dictated apart"


@pytest.mark.parametrize(
    "edit",
    [
        e.ChangeText("s1", "Right pleural fluid 310 mL."),
        e.Move("s5"),
        e.Move("s1", "s2"),
        e.RetieToPlace("s1", "lungs", "lung_right", Side.RIGHT, Zone.LOWER, keep=True),
        e.PutBack(),
    ],
)
def test_an_edit_that_changes_nothing_gives_the_same_report(drafted: Report, edit: e.Edit) -> None:
    assert apply(drafted, edit) is drafted


FLAG = Flag(FlagKind.SIZE, "not there")
IMPOSSIBLE: dict[str, e.Edit] = {
    "no sentence 's9'": e.Accept("s9"),
    "needs words": e.ChangeText("s1", " – . "),
    "one line of printable": e.ChangeText("s1", "Half a pair \ud800"),
    "printable characters": e.ChangeText("s1", "Two\nlines"),
    "outside the text": e.ChangeText("s1", "Short", (0, 99)),
    "there is nothing to restore": e.Restore("s1"),
    "occurs twice": e.Add("s1", "Again."),
    "an id is": e.Add("", "Nameless."),
    "an id is 1 to 64": e.Split("s1", 5, "a b"),
    "unknown region": e.Add("r1", "Brain.", ("brain",)),
    "no sentence 's8'": e.Add("r1", "Before nothing.", before="s8"),
    "cannot be split at 0": e.Split("s1", 0, "r1"),
    "cannot be split at 27": e.Split("s1", 27, "r1"),
    "needs words; to": e.Split("s1", 26, "r1"),
    "twice": e.Split("s1", 5, "s2"),
    "two or more": e.Merge(("s1",)),
    "different sentences": e.Merge(("s1", "s1")),
    "no sentence 's7'": e.Merge(("s1", "s7")),
    "in front of itself": e.Move("s1", "s1"),
    "no sentence 's6'": e.Move("s1", "s6"),
    "no place lungs, left": e.RetieToPlace("s1", "lungs", side=Side.LEFT),
    "unknown region 'brain'": e.RetieToBox("s1", "brain", Box((0, 0, 0), (1, 1, 1))),
    "no place that could": e.MarkViewed("s3"),
    "carries no flag": e.AnswerFlag("s1", FLAG.key, "because"),
    "the report carries no flag": e.AnswerFlag(None, FLAG.key, "because"),
    "a reason": e.AnswerFlag("s2", FLAG.key, " "),
    "putting back does not fit": e.PutBack(order=("s1", "s9")),
}


@pytest.mark.parametrize("message", IMPOSSIBLE)
def test_an_impossible_edit_is_refused_with_its_cause(drafted: Report, message: str) -> None:
    with pytest.raises(Conflict, match=message):
        apply(drafted, IMPOSSIBLE[message])


@pytest.mark.parametrize("edit", [e.ChangeText("s1", "New."), e.Split("s1", 5, "r1"), e.Merge(("s1", "s2"))])
def test_the_words_of_a_rejected_sentence_are_not_changed(drafted: Report, edit: e.Edit) -> None:
    with pytest.raises(Conflict, match="s1 is rejected; restore it"):
        after(drafted, e.Reject("s1"), edit)


def test_a_signed_report_is_locked(drafted: Report) -> None:
    signed = replace(drafted, status=Status.SIGNED, signature=Signature("Dr A", "2026-01-01T00:00:00Z", "0" * 64))
    with pytest.raises(Conflict, match="signed and locked"):
        apply(signed, e.Accept("s1"))
