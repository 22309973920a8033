"""Verify finds every flipped byte and every bent trail, and says what it is."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from RegionReportLib.report import edits as e
from RegionReportLib.report.audit import START, Act, chain, read_trail, to_line
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_from_json
from RegionReportLib.report.report_file import report_bytes
from RegionReportLib.report.signing import content_sha256
from RegionReportLib.report.store import create_draft, open_draft
from RegionReportLib.report.verify import verify


@pytest.fixture
def signed(tmp_path: Path, drafted: Report) -> Path:
    """A small signed draft: two sentences, a change, an undo, a signature."""
    folder = tmp_path / "signed"
    create_draft(folder, drafted.with_sentences(drafted.sentences[:1]), actor="writer")
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.MarkViewed("s1"))
        draft.apply(e.ChangeText("s1", "Right fluid."))
        draft.undo()
        draft.apply(e.Accept("s1"))
        draft.sign("Dr A")
    assert verify(folder) == ()
    return folder


def flips_found(folder: Path, name: str, positions: list[int]) -> int:
    path = folder / name
    content = path.read_bytes()
    bits = random.Random(7)
    found = 0
    for at in positions:
        flipped = bytearray(content)
        flipped[at] ^= 1 << bits.randrange(8)
        path.write_bytes(flipped)
        found += bool(verify(folder))
    path.write_bytes(content)
    assert verify(folder) == ()
    return found


@pytest.mark.parametrize("name", ["audit.jsonl", "report.json", "draft.json"])
def test_a_flipped_byte_is_found_wherever_it_is(signed: Path, name: str) -> None:
    size = (signed / name).stat().st_size
    positions = sorted({0, size - 1, *random.Random(1).sample(range(size), 60)})
    assert flips_found(signed, name, positions) == len(positions)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audit.jsonl", "report.json", "draft.json"])
def test_a_flipped_byte_is_found_at_every_position(signed: Path, name: str) -> None:
    positions = list(range((signed / name).stat().st_size))
    assert flips_found(signed, name, positions) == len(positions)


def messages(folder: Path) -> str:
    return " | ".join(f"{finding.file}: {finding.message}" for finding in verify(folder))


def lines_of(folder: Path) -> list[bytes]:
    return (folder / "audit.jsonl").read_bytes().splitlines(keepends=True)


def test_each_cut_of_the_trail_of_a_signed_report_is_found(signed: Path) -> None:
    content = (signed / "audit.jsonl").read_bytes()
    for length in range(len(content)):
        if length % 37 == 0 or content[length - 1 : length] == b"\n":
            (signed / "audit.jsonl").write_bytes(content[:length])
            assert any(finding.serious for finding in verify(signed)), length


def test_a_trail_cut_by_whole_entries_names_how_many_there_were(signed: Path) -> None:
    (signed / "audit.jsonl").write_bytes(b"".join(lines_of(signed)[:-3]))
    assert "the signed report had 6 entries, there are 3" in messages(signed)


def test_removed_doubled_and_exchanged_entries_are_found(signed: Path) -> None:
    lines = lines_of(signed)
    for n in range(len(lines) - 1):
        for bent in (lines[:n] + lines[n + 1 :], [*lines[: n + 1], *lines[n:]], [*lines[:n], lines[n + 1], lines[n]]):
            (signed / "audit.jsonl").write_bytes(b"".join(bent))
            assert any(finding.serious for finding in verify(signed))


def test_a_signed_report_changed_with_a_new_digest_of_its_own_still_differs_from_its_trail(signed: Path) -> None:
    report = report_from_json((signed / "report.json").read_bytes())
    assert report.signature is not None
    forged = report.with_sentences([replace(report.sentences[0], text="No pleural fluid.", key_phrase=None)])
    forged = replace(forged, signature=replace(report.signature, content_sha256=content_sha256(forged)))
    (signed / "report.json").write_bytes(report_bytes(forged))
    assert "differs from what its trail tells" in messages(signed)
    assert "No pleural fluid." in messages(signed)


def test_a_signed_report_changed_without_one_does_not_fit_its_signature(signed: Path) -> None:
    content = (signed / "report.json").read_bytes()
    (signed / "report.json").write_bytes(content.replace(b"Right pleural", b"Left  pleural"))
    assert "report.json: the content is not what was signed" in messages(signed)


def rewritten(folder: Path, acts: list[Act]) -> None:
    """Write a trail of other acts with all digests made anew, as a forger without any key could."""
    entries = [read_trail((folder / "audit.jsonl").read_bytes())[0]]
    for act in acts:
        entries.append(chain(act, entries[-1].head if entries else START))
    (folder / "audit.jsonl").write_bytes(b"".join(to_line(entry) for entry in entries))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (Act("t", "x", "signed", {"name": "Dr A", "signed_at": "t", "content_sha256": "0" * 64}), "cannot be signed"),
        (Act("t", "x", "undo", {"of": 1, "put": {}}), "nothing to undo"),
        (Act("t", "x", "redo", {"of": 1, "put": {}}), "nothing to redo"),
        (Act("t", "x", "accept_all", {"kind": "accept_all"}), "not an edit"),
        (Act("t", "x", "accept", {"kind": "reject", "sentence_id": "s1"}), "under the name of accept"),
        (Act("t", "x", "put_back", {"kind": "put_back", "sentences": [], "order": [], "flags": None}), "under the"),
        (Act("t", "x", "accept", {"kind": "accept", "sentence_id": "s9"}), "no sentence 's9'"),
        (Act("t", "x", "created", {}), "starts with the creation"),
        (Act("t", "x", "checked", {}, flags={"sentences": {"s9": []}, "report": None}), "unknown sentences"),
        (Act("t", "x", "checked", {}, flags={"sentences": 5, "report": None}), "cannot have happened"),
    ],
)  # fmt: skip
def test_a_rewritten_trail_must_still_tell_what_could_have_happened(signed: Path, act: Act, message: str) -> None:
    rewritten(signed, [act])
    assert message in messages(signed)


def test_an_undo_to_a_state_that_never_was_is_found(signed: Path) -> None:
    acts = [entry.act for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:]]
    undo = acts[2]
    forged = {**undo.data["put"]["sentences"][0], "verdict": "accepted"}
    data = {**undo.data, "put": {**undo.data["put"], "sentences": [forged]}}
    rewritten(signed, [*acts[:2], replace(undo, data=data)])
    assert "a state that was" in messages(signed)


def test_an_undo_that_names_another_act_is_found(signed: Path) -> None:
    acts = [entry.act for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:]]
    assert acts[2].data["of"] == 3
    rewritten(signed, [*acts[:2], replace(acts[2], data={**acts[2].data, "of": 2})])
    assert "a state that was" in messages(signed)


def test_a_signature_in_the_trail_must_be_that_of_the_report(signed: Path) -> None:
    acts = [entry.act for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:]]
    rewritten(signed, [*acts[:-1], replace(acts[-1], data={**acts[-1].data, "name": "Dr B"})])
    assert "its signature is not that of the report it signs" in messages(signed)


def test_nothing_follows_a_signature(signed: Path) -> None:
    acts = [entry.act for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:]]
    rewritten(signed, [*acts, Act("t", "x", "checked", {}, flags={"sentences": {"s1": []}, "report": None})])
    assert "the report was signed before" in messages(signed)
    rewritten(signed, [*acts, Act("t", "x", "reject", {"kind": "reject", "sentence_id": "s1"})])
    assert "signed and locked" in messages(signed)


def test_the_trail_of_another_report_is_found(signed: Path) -> None:
    entry = read_trail((signed / "audit.jsonl").read_bytes())[0]
    other = chain(replace(entry.act, data={**entry.act.data, "report": "report-9"}), START)
    (signed / "audit.jsonl").write_bytes(to_line(other))
    assert "the trail of report 'report-9', not of report-1" in messages(signed)


def test_words_that_the_act_did_not_change_are_found(signed: Path) -> None:
    acts = [entry.act for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:]]
    rewritten(signed, [acts[0], replace(acts[1], words=())])
    assert "its words are not those" in messages(signed)


def test_a_head_kept_elsewhere_shows_a_consistent_rewriting(signed: Path) -> None:
    head = read_trail((signed / "audit.jsonl").read_bytes())[-1].head
    assert verify(signed, head) == ()
    with_other_time = [
        replace(entry.act, at="2020-01-01T00:00:00Z")
        for entry in read_trail((signed / "audit.jsonl").read_bytes())[1:4]
    ]
    rewritten(signed, with_other_time)
    assert any("was rewritten" in finding.message for finding in verify(signed, head))


def test_what_a_crash_leaves_is_told_as_not_serious(tmp_path: Path, drafted: Report) -> None:
    folder = tmp_path / "d"
    create_draft(folder, drafted)
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(e.Accept("s1"))
        shutil.copytree(folder, tmp_path / "crashed")
    crashed = tmp_path / "crashed"
    with (crashed / "audit.jsonl").open("ab") as file:
        file.write(b'{"act')
    findings = verify(crashed)
    assert len(findings) == 2
    assert not any(finding.serious for finding in findings)


def test_the_same_report_in_another_form_is_told_as_such(signed: Path) -> None:
    content = (signed / "report.json").read_bytes()
    (signed / "report.json").write_bytes(content + b"\n")
    assert messages(signed) == "report.json: holds the report in another form than it was written in"


def test_verify_touches_nothing(signed: Path) -> None:
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in signed.iterdir()}
    verify(signed)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in signed.iterdir()} == before


def test_missing_files_are_named(signed: Path) -> None:
    for name in ("report.json", "draft.json", "audit.jsonl"):
        content = (signed / name).read_bytes()
        (signed / name).unlink()
        assert name in messages(signed)
        (signed / name).write_bytes(content)
