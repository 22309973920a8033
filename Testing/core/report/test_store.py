"""A draft folder: made, edited, undone, signed, closed, opened again, and kept from two writers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from RegionReportLib.errors import Conflict, InputRefused, NeedMissing
from RegionReportLib.report import edits as e
from RegionReportLib.report.audit import read_trail
from RegionReportLib.report.canonical import sha256
from RegionReportLib.report.document import Report, Status
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.replay import replay
from RegionReportLib.report.report_file import report_bytes
from RegionReportLib.report.sentence import Flag, FlagKind, Verdict
from RegionReportLib.report.signing import addendum, verify_signature
from RegionReportLib.report.store import Draft, create_draft, open_draft, view_draft
from RegionReportLib.report.verify import verify

Clock = Callable[[], datetime]


def judge_everything(draft: Draft) -> None:
    for sentence in draft.report.sentences:
        draft.apply(e.MarkViewed(sentence.id) if sentence.anchors else e.MarkPlaceless(sentence.id))
        for flag in sentence.flags:
            draft.apply(e.AnswerFlag(sentence.id, flag.key, "looked again"))
        draft.apply(e.Accept(sentence.id))


def on_disk(folder: Path) -> Report:
    return report_from_json((folder / "report.json").read_bytes())


def test_a_fresh_draft_is_three_plain_files_that_fit(folder: Path, drafted: Report) -> None:
    assert {p.name for p in folder.iterdir()} == {"draft.json", "report.json", "audit.jsonl", "lock"}
    assert on_disk(folder) == drafted
    created = json.loads((folder / "audit.jsonl").read_text(encoding="utf-8"))
    assert created["data"]["draft_sha256"] == sha256((folder / "draft.json").read_bytes())
    assert (created["actor"], created["at"]) == ("writer", "2026-01-02T00:00:00.000+00:00")
    assert verify(folder) == ()


def test_without_an_actor_the_trail_names_the_writer(tmp_path: Path, drafted: Report) -> None:
    create_draft(tmp_path / "d", drafted)
    assert view_draft(tmp_path / "d").history()[0].act.actor == "measured"


def test_an_edit_is_in_the_journal_before_apply_returns(folder: Path, clock: Clock) -> None:
    with open_draft(folder, actor="Dr A", clock=clock) as draft:
        draft.apply(e.ChangeText("s1", "Right effusion."))
        last = read_trail((folder / "audit.jsonl").read_bytes())[-1]
    assert (last.act.actor, last.act.kind) == ("Dr A", "change_text")
    assert [(w.sentence_id, w.before, w.after) for w in last.act.words] == [
        ("s1", "Right pleural fluid 310 mL.", "Right effusion.")
    ]


def test_closing_writes_the_report_and_opening_goes_on(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.ChangeText("s1", "Right effusion."))
        edited = draft.report
    assert on_disk(folder) == edited
    with open_draft(folder, actor="Dr B") as draft:
        assert (draft.report, draft.notes) == (edited, ())
        draft.undo()
        draft.redo()
        draft.apply(e.Accept("s2"))
    assert [entry.act.kind for entry in draft.history()] == ["created", "change_text", "undo", "redo", "accept"]
    assert verify(folder) == ()


def test_an_edit_without_effect_leaves_no_trace(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.Move("s5"))
        assert len(draft.history()) == 1


def test_undo_takes_the_last_deliberate_act_back_with_the_viewings_after_it(folder: Path, drafted: Report) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.MarkViewed("s1"))
        seen = draft.report
        draft.apply(e.Accept("s1"))
        draft.apply(e.MarkViewed("s2"))
        later = draft.report
        assert draft.undo() == seen
        assert draft.apply(e.MarkViewed("s4")).sentence("s4").viewed
        assert draft.redo() == later
        draft.undo()
        assert draft.undo() == drafted
        with pytest.raises(Conflict, match="nothing to undo"):
            draft.undo()
        draft.redo()
        draft.apply(e.Reject("s2"))
        with pytest.raises(Conflict, match="nothing to redo"):
            draft.redo()
    assert verify(folder) == ()


def test_undo_of_everything_after_reopening_gives_the_draft_back_to_the_byte(folder: Path, drafted: Report) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        for edit in (
            e.Split("s1", 19, "r1"),
            e.Merge(("s2", "s5")),
            e.Move("s4", "s1"),
            e.Reject("s4"),
            e.MarkPlaceless("s3"),
        ):
            draft.apply(edit)
    with open_draft(folder, actor="Dr A") as draft:
        for _ in range(5):
            draft.undo()
    assert (folder / "report.json").read_bytes() == (folder / "draft.json").read_bytes()
    assert on_disk(folder) == drafted


def test_a_refused_edit_changes_nothing_anywhere(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        before = draft.report, (folder / "audit.jsonl").read_bytes()
        for edit in (e.Accept("s9"), e.PutBack(), e.ChangeText("s1", "")):
            with pytest.raises(Conflict):
                draft.apply(edit)
        assert (draft.report, (folder / "audit.jsonl").read_bytes()) == before


def test_an_id_is_never_used_for_another_sentence(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.Add(draft.new_id(), "First."))
        draft.undo()
        with pytest.raises(Conflict, match="r1 belonged to another sentence"):
            draft.apply(e.Split("s1", 5, "r1"))
    with open_draft(folder, actor="Dr A") as draft:
        with pytest.raises(Conflict, match="r1 belonged to another sentence"):
            draft.apply(e.Add("r1", "Second."))
        fresh = draft.new_id()
        draft.apply(e.Add(fresh, "Second."))
        assert fresh not in ("r1", draft.new_id())
        draft.apply(e.Merge(("s4", "s5")))
        with pytest.raises(Conflict, match="s5 belonged"):
            draft.apply(e.Add("s5", "Third."))


def test_signing_locks_and_is_found_again(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        with pytest.raises(Conflict, match="not judged yet"):
            draft.sign("Dr A")
        judge_everything(draft)
        before = draft.head
        signed = draft.sign("Dr A")
        assert signed.signature is not None
        assert (signed.signature.trail_length, signed.signature.trail_sha256) == (before.length, before.sha256)
        for act in (lambda: draft.apply(e.Reject("s1")), draft.undo, lambda: draft.sign("Dr A")):
            with pytest.raises(Conflict, match="signed"):
                act()
    assert on_disk(folder) == signed
    with open_draft(folder, actor="Dr B") as draft:
        assert draft.report == signed
        assert verify_signature(draft.report)
        with pytest.raises(Conflict, match="addendum"):
            draft.apply(e.Reject("s1"))
    assert verify(folder) == ()


def test_an_addendum_is_a_draft_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        judge_everything(draft)
        signed = draft.sign("Dr A")
    with pytest.raises(Conflict, match="addendum"):
        create_draft(tmp_path / "again", signed)
    create_draft(tmp_path / "addendum", addendum(signed, "report-2", "2026-02-01T00:00:00+00:00"), actor="Dr A")
    with open_draft(tmp_path / "addendum", actor="Dr A") as draft:
        draft.apply(e.Add("a1", "Seen with Dr B."))
        draft.apply(e.MarkPlaceless("a1"))
        assert draft.sign("Dr A").predecessor == "report-1"
    assert verify(tmp_path / "addendum") == ()


def test_the_trail_alone_replays_to_the_same_bytes(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        judge_everything(draft)
        draft.undo()
        draft.redo()
        draft.sign("Dr A")
    initial = report_from_json((folder / "draft.json").read_bytes())
    again = replay(initial, read_trail((folder / "audit.jsonl").read_bytes()))
    assert report_bytes(again) == (folder / "report.json").read_bytes()


# Two writers


def test_a_second_writer_is_kept_out_and_told_who_writes(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        with pytest.raises(Conflict, match=r"being edited by Dr A \(process \d+ on .* since .*read-only"):
            open_draft(folder, actor="Dr B")
        draft.apply(e.Accept("s1"))
        with pytest.raises(Conflict, match="being edited"):
            create_draft(folder, draft.report, actor="Dr B")
    with open_draft(folder, actor="Dr B") as draft:
        assert draft.report.sentence("s1").verdict is Verdict.ACCEPTED


def test_anybody_may_read_while_another_writes_and_nothing_is_touched(folder: Path) -> None:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.Accept("s1"))
        before = {p.name: p.read_bytes() for p in folder.iterdir()}
        with view_draft(folder) as seen:
            assert seen.report == draft.report
            assert "behind its trail" in seen.notes[0]
            for act in (lambda: seen.apply(e.Accept("s2")), seen.undo, lambda: seen.sign("Dr B"), seen.save):
                with pytest.raises(Conflict, match="reading only"):
                    act()
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_closed_draft_takes_no_more_edits(folder: Path) -> None:
    draft = open_draft(folder, actor="Dr A")
    draft.close()
    draft.close()
    with pytest.raises(Conflict, match="reading only"):
        draft.apply(e.Accept("s1"))


def test_what_a_killed_writer_left_in_the_lock_file_locks_nothing(folder: Path) -> None:
    (folder / "lock").write_text('{"holder": "Dr Gone", "pid": 1, "host": "elsewhere", "since": "1970"}')
    open_draft(folder, actor="Dr A").close()


# Flags


def no_right(report: Report) -> Report:
    flag = Flag(FlagKind.SIDE, "right in the text")
    return report.with_sentences(replace(s, flags=(flag,) if "ight" in s.text else ()) for s in report.sentences)


def test_the_check_runs_after_each_act_and_is_recorded_so_that_replay_needs_none(
    tmp_path: Path, drafted: Report
) -> None:
    folder = tmp_path / "checked"
    first = create_draft(folder, drafted, actor="writer", check=no_right)
    assert [bool(s.flags) for s in first.sentences] == [True, False, False, False, False]
    with open_draft(folder, actor="Dr A", check=no_right) as draft:
        draft.apply(e.AnswerFlag("s1", first.sentences[0].flags[0].key, "it is right"))
        draft.apply(e.ChangeText("s1", "Right effusion, small."))
        assert draft.report.sentence("s1").flags[0].answer == "it is right"
        draft.apply(e.ChangeText("s1", "Left effusion."))
        assert draft.report.sentence("s1").flags == ()
        draft.undo()
        assert draft.report.sentence("s1").flags[0].answer == "it is right"
        draft.apply(e.ChangeText("s5", "Fracture of a right rib."))
        final = draft.report
        assert final.sentence("s5").flags
    assert view_draft(folder).report == final
    assert verify(folder) == ()


def test_a_newer_check_joins_in_when_the_draft_is_opened(folder: Path) -> None:
    with open_draft(folder, actor="Dr A", check=no_right) as draft:
        assert [entry.act.kind for entry in draft.history()] == ["created", "checked"]
        assert draft.report.sentence("s1").flags
        judge_everything(draft)
        assert draft.sign("Dr A").status is Status.SIGNED
    assert verify(folder) == ()


def test_signing_asks_the_check_once_more(folder: Path) -> None:
    words = ["nothing of the kind"]

    def learns(report: Report) -> Report:
        flag = Flag(FlagKind.SIZE, "too large")
        return report.with_sentences(replace(s, flags=(flag,) * (words[0] in s.text)) for s in report.sentences)

    with open_draft(folder, actor="Dr A", check=learns) as draft:
        judge_everything(draft)
        words[0] = "310 mL"
        with pytest.raises(Conflict, match="s1: open flag: too large"):
            draft.sign("Dr A")
        assert draft.report.sentence("s1").flags
    assert verify(folder) == ()


# What a crash leaves, and what it does not


@pytest.fixture
def edited(folder: Path) -> Path:
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.Accept("s1"))
        draft.apply(e.ChangeText("s5", "No fractures."))
    return folder


def test_a_torn_last_entry_is_cut_off_kept_aside_and_told(edited: Path) -> None:
    journal = edited / "audit.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"actor":"Dr A","at":"20')
    with open_draft(edited, actor="Dr A") as draft:
        assert draft.report.sentence("s5").text == "No fractures."
        assert "torn entry" in draft.notes[0]
        assert journal.read_bytes() == whole
        draft.apply(e.Accept("s2"))
    assert (edited / "audit.torn").read_bytes() == b'{"actor":"Dr A","at":"20\n'
    assert verify(edited) == ()


def test_a_whole_last_entry_without_its_line_end_is_kept(edited: Path) -> None:
    journal = edited / "audit.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-1])
    with open_draft(edited, actor="Dr A") as draft:
        assert draft.report.sentence("s5").text == "No fractures."
        assert "line end" in draft.notes[0]
    assert journal.read_bytes() == whole


def test_a_report_file_behind_its_trail_is_brought_up_to_date(edited: Path) -> None:
    current = (edited / "report.json").read_bytes()
    (edited / "report.json").write_bytes((edited / "draft.json").read_bytes())
    with open_draft(edited, actor="Dr A") as draft:
        assert "behind its trail" in draft.notes[0]
    assert (edited / "report.json").read_bytes() == current
    assert not (edited / "report.json.damaged").exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 500])
def test_a_damaged_report_file_is_made_anew_and_kept_aside(edited: Path, damage: bytes) -> None:
    current = (edited / "report.json").read_bytes()
    (edited / "report.json").write_bytes(damage)
    with open_draft(edited, actor="Dr A") as draft:
        assert "damaged" in draft.notes[0]
    assert (edited / "report.json").read_bytes() == current
    assert (edited / "report.json.damaged").read_bytes() == damage


def test_a_missing_report_file_is_made_anew(edited: Path) -> None:
    current = (edited / "report.json").read_bytes()
    (edited / "report.json").unlink()
    open_draft(edited, actor="Dr A").close()
    assert (edited / "report.json").read_bytes() == current


def test_a_report_that_its_trail_does_not_tell_is_refused_unless_rebuilt(edited: Path) -> None:
    good = (edited / "report.json").read_bytes()
    changed = good.replace(b"No fractures.", b"Few fracture.")
    (edited / "report.json").write_bytes(changed)
    with pytest.raises(InputRefused, match="does not tell"):
        open_draft(edited, actor="Dr A")
    with pytest.raises(InputRefused, match="does not tell"):
        view_draft(edited)
    with open_draft(edited, actor="Dr A", rebuild=True) as draft:
        assert draft.report.sentence("s5").text == "No fractures."
    assert (edited / "report.json").read_bytes() == good
    assert (edited / "report.json.damaged").read_bytes() == changed


def test_a_trail_cut_by_whole_entries_does_not_take_the_edit_with_it(edited: Path) -> None:
    journal = edited / "audit.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputRefused, match="trail was cut"):
        open_draft(edited, actor="Dr A")


def test_a_report_of_a_newer_program_is_not_overwritten(edited: Path) -> None:
    newer = (edited / "report.json").read_bytes().replace(b"regionreport.report/1", b"regionreport.report/9")
    (edited / "report.json").write_bytes(newer)
    with pytest.raises(InputRefused, match=r"has schema regionreport\.report/9"):
        open_draft(edited, actor="Dr A")
    assert (edited / "report.json").read_bytes() == newer


def test_damage_in_the_midst_of_the_trail_is_refused_with_its_line(edited: Path) -> None:
    journal = edited / "audit.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"kind":"accept"', b'"kind":"reject"'))
    with pytest.raises(InputRefused, match="audit line 2"):
        open_draft(edited, actor="Dr A")


def test_another_draft_under_the_same_trail_is_refused(edited: Path) -> None:
    (edited / "draft.json").write_bytes((edited / "draft.json").read_bytes().replace(b"310", b"311"))
    with pytest.raises(InputRefused, match="not the draft that its trail starts from"):
        open_draft(edited, actor="Dr A")


def test_a_folder_that_is_no_draft_is_refused_and_left_alone(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputRefused, match="holds no draft"):
            open_draft(folder, actor="Dr A")
        with pytest.raises(InputRefused):
            view_draft(folder)
        assert verify(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_is_not_laid_over_another_but_over_a_half_made_one(
    folder: Path, tmp_path: Path, drafted: Report
) -> None:
    with pytest.raises(Conflict, match="holds a draft already"):
        create_draft(folder, drafted)
    half = tmp_path / "half"
    half.mkdir()
    (half / "draft.json").write_text("{")
    create_draft(half, drafted)
    assert verify(half) == ()


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path: Path, drafted: Report) -> None:
    broken = drafted.with_sentences([replace(drafted.sentences[0], text="Half a pair \ud800", key_phrase=None)])
    with pytest.raises(InputRefused, match="no JSON form"):
        create_draft(tmp_path / "d", broken)
    with pytest.raises(InputRefused, match="name of who acts"):
        create_draft(tmp_path / "d", drafted, actor="\n")
    assert not (tmp_path / "d").exists()


def test_a_place_that_is_a_file_is_told(tmp_path: Path, drafted: Report) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NeedMissing, match="cannot write"):
        create_draft(tmp_path / "file" / "d", drafted)
