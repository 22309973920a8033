"""Killed at any moment or with a full disk, a draft loses at most the edit that was being written."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from RegionReportLib.errors import NeedMissing
from RegionReportLib.report.document import Report
from RegionReportLib.report.edits import ChangeText
from RegionReportLib.report.store import Draft, create_draft, open_draft, view_draft
from RegionReportLib.report.verify import verify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork, SIGKILL and resource limits")

SEEDS = 20
MANY_SEEDS = 200


def edit_until_killed(folder: Path, acknowledge: int) -> None:
    """Write edits without end, in a child process; each one is told through a pipe once it returned."""
    draft = open_draft(folder, actor="Dr A")
    number = 0
    while True:
        number += 1
        draft.apply(ChangeText("s1", f"Right pleural fluid {number} mL." + " and more" * (number % 40)))
        os.write(acknowledge, b".")
        if number % 3 == 0:
            draft.save()


def killed(folder: Path, after_s: float) -> int:
    """Start the child, kill it after a while, and return how many edits it had told of."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            edit_until_killed(folder, writing)
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    told = 0
    while chunk := os.read(reading, 65536):
        told += len(chunk)
    os.close(reading)
    return told


def survives_a_kill(folder: Path, seed: int) -> int:
    told = killed(folder, random.Random(seed).uniform(0.0, 0.08))
    assert not any(finding.serious for finding in verify(folder))
    with open_draft(folder, actor="Dr B") as draft:
        acts = len(draft.history()) - 1
        assert told <= acts <= told + 1
        if acts:
            assert draft.report.sentence("s1").text.startswith(f"Right pleural fluid {acts} mL.")
        for _ in range(acts):
            draft.undo()
    assert verify(folder) == ()
    assert (folder / "report.json").read_bytes() == (folder / "draft.json").read_bytes()
    return told


def test_a_kill_at_a_random_moment_loses_at_most_the_edit_being_written(tmp_path: Path, drafted: Report) -> None:
    told = 0
    for seed in range(SEEDS):
        create_draft(tmp_path / str(seed), drafted)
        told += survives_a_kill(tmp_path / str(seed), seed)
    assert told > SEEDS  # the kills met writers at work


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_that_was_told(tmp_path: Path, drafted: Report) -> None:
    told = 0
    for seed in range(SEEDS, SEEDS + MANY_SEEDS):
        create_draft(tmp_path / str(seed), drafted)
        told += survives_a_kill(tmp_path / str(seed), seed)
    assert told > MANY_SEEDS


def test_a_reader_beside_a_writer_at_work_always_sees_a_whole_report(folder: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            edit_until_killed(folder, writing)
        finally:
            os._exit(1)
    os.close(writing)
    try:
        os.read(reading, 1)
        acts = [len(view_draft(folder).history()) for _ in range(15)]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
    assert acts == sorted(acts)
    assert acts[0] < acts[-1]


def test_a_kill_while_a_draft_is_made_leaves_a_whole_draft_or_none(tmp_path: Path, drafted: Report) -> None:
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        child = os.fork()
        if child == 0:
            create_draft(folder, drafted)
            os._exit(0)
        time.sleep(random.Random(seed).uniform(0.0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not (folder / "audit.jsonl").exists():
            create_draft(folder, drafted)
        assert verify(folder) == ()


# A full disk


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill(draft: Draft) -> None:
    for number in range(100_000):
        draft.apply(ChangeText("s1", f"Right pleural fluid {number} mL."))


def test_a_full_disk_gives_a_clear_error_and_keeps_the_last_good_state(folder: Path) -> None:
    journal = folder / "audit.jsonl"
    with open_draft(folder, actor="Dr A") as draft:
        with (
            files_no_larger_than(9_000),
            pytest.raises(NeedMissing, match=r"cannot write .*audit\.jsonl: File too large"),
        ):
            fill(draft)
        good, acts = draft.report, len(draft.history())
        assert acts > 3
        assert good.sentence("s1").text == f"Right pleural fluid {acts - 2} mL."
        assert journal.read_bytes().count(b"\n") == acts
        assert view_draft(folder).report == good
        # With room again it goes on as if nothing had been.
        draft.apply(ChangeText("s1", "Room again."))
    assert verify(folder) == ()
    with open_draft(folder, actor="Dr A") as draft:
        assert draft.undo() == good


def test_a_report_file_that_finds_no_room_is_told_and_made_at_the_next_opening(folder: Path) -> None:
    before = (folder / "report.json").read_bytes()
    draft = open_draft(folder, actor="Dr A")
    with files_no_larger_than(4_000):
        draft.apply(ChangeText("s1", "Kept."))
        with pytest.raises(NeedMissing, match=r"cannot write .*report\.json"):
            draft.save()
        draft.close()
    assert (folder / "report.json").read_bytes() == before
    assert not list(folder.glob(".*.part"))
    with open_draft(folder, actor="Dr A") as draft:
        assert draft.report.sentence("s1").text == "Kept."
    assert verify(folder) == ()


def test_a_disk_without_room_for_a_draft_leaves_none(tmp_path: Path, drafted: Report) -> None:
    with files_no_larger_than(4_000), pytest.raises(NeedMissing, match=r"draft\.json"):
        create_draft(tmp_path / "d", drafted)
    assert {p.name for p in (tmp_path / "d").iterdir()} == {"lock"}
    create_draft(tmp_path / "d", drafted)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, where the machine lets us mount one."""
    where = tmp_path / "disk"
    where.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", where], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine does not allow mounting a small file system")
    yield where
    subprocess.run(["umount", where], check=True)


def test_a_really_full_file_system_keeps_the_last_good_state(small_disk: Path, drafted: Report) -> None:
    create_draft(small_disk / "d", drafted)
    with open_draft(small_disk / "d", actor="Dr A") as draft:
        with pytest.raises(NeedMissing, match="No space left"):
            fill(draft)
        good = draft.report
    assert not any(finding.serious for finding in verify(small_disk / "d"))
    assert view_draft(small_disk / "d").report == good


def test_a_folder_without_leave_to_write_is_told(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may write everywhere")
    (folder / "lock").chmod(0o400)
    with pytest.raises(NeedMissing, match="Permission denied"):
        open_draft(folder, actor="Dr A")
