"""A cohort is drafted once, whatever happens: bad scans, killed processes, runs that are ended and repeated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import psutil
import pytest

from RegionReportLib.cohort.engine import Engine
from RegionReportLib.cohort.local import LocalEngine
from RegionReportLib.cohort.manifest import Counts, Entry, Manifest
from RegionReportLib.cohort.order import Done, Failed, Order, Outcome, Settings
from RegionReportLib.cohort.ray_engine import RayEngine
from RegionReportLib.cohort.run import draft_cohort
from RegionReportLib.cohort.study import digest_of, draft_study
from RegionReportLib.cohort.table import study_rows
from RegionReportLib.errors import Conflict
from RegionReportLib.progress import finish
from RegionReportLib.report.report_file import report_from_bytes

SETTINGS = Settings("2026-01-01T00:00:00+00:00")


class Here:
    """Runs orders in this process, one by one; `stop_after` of them it is as if the driver had been killed."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.done: list[str] = []

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        for order in orders:
            outcome = draft_study(order)
            self.done.append(order.row.id)
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt  # the study is drafted, and nobody has been told
            yield outcome


def drafted(folder: Path, table: Path, engine: Engine, *, retry_failed: bool = False) -> Counts:
    return finish(draft_cohort(folder, study_rows(table), engine, SETTINGS, retry_failed=retry_failed))


def entries(folder: Path) -> dict[str, Entry]:
    manifest = Manifest(folder)
    try:
        return {entry.row.id: entry for entry in manifest.entries()}
    finally:
        manifest.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, studies: Path) -> Path:
    """The cohort as one process drafts it that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert drafted(folder, studies, Here()) == Counts(done=2, failed=2)
    return folder


def test_bad_scans_are_recorded_with_their_reason_and_stop_nothing(undisturbed: Path) -> None:
    known = entries(undisturbed)
    assert [(name, entry.state, entry.kind) for name, entry in known.items()] == [
        ("one", "done", None),
        ("two", "failed", "refused"),
        ("three", "failed", "refused"),
        ("four", "done", None),
    ]
    assert "two.nii.gz" in (known["two"].reason or "")
    assert "three.nii.gz" in (known["three"].reason or "")
    report = report_from_bytes((undisturbed / known["four"].folder / "report.json").read_bytes())
    assert len(report.sentences) > 10
    assert report.created_at == SETTINGS.created_at
    assert known["four"].seconds["measure"] > 0
    assert sorted(f.name for f in (undisturbed / "studies").iterdir()) == ["four", "one"]


def test_running_again_drafts_nothing_again_and_failures_only_if_wished(tmp_path: Path, studies: Path) -> None:
    shutil.copytree(studies.parent, tmp_path / "in")
    table = tmp_path / "in" / studies.name
    table.write_text("study,path\ntwo,two.nii.gz\nthree,three.nii.gz\n", encoding="utf-8")
    assert drafted(tmp_path / "out", table, Here()) == Counts(failed=2)
    again, wished = Here(), Here()
    drafted(tmp_path / "out", table, again)
    assert again.done == []
    drafted(tmp_path / "out", table, wished, retry_failed=True)
    assert wished.done == ["two", "three"]
    assert entries(tmp_path / "out")["two"].attempts == 2


def test_a_study_that_was_finished_in_the_last_moment_is_not_drafted_again(
    tmp_path: Path, studies: Path, undisturbed: Path
) -> None:
    left = tmp_path / "studies" / ".unfinished-0123"
    left.mkdir(parents=True)
    (left / "report.json").write_text("{")
    with pytest.raises(KeyboardInterrupt):
        drafted(tmp_path, studies, Here(stop_after=1))
    assert (entries(tmp_path)["one"].state, entries(tmp_path)["one"].digest) == ("running", None)
    rest = Here()
    drafted(tmp_path, studies, rest)
    assert rest.done == ["two", "three", "four"]
    _same(undisturbed, tmp_path)
    assert not left.exists(), "what killed processes had begun is removed"


def test_a_draft_that_was_removed_is_made_again(tmp_path: Path, studies: Path, undisturbed: Path) -> None:
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "studies" / "one")
    again = Here()
    drafted(tmp_path, studies, again)
    assert again.done == ["one"]
    _same(undisturbed, tmp_path)


def test_two_runs_into_one_folder_are_kept_apart(tmp_path: Path, studies: Path) -> None:
    work = draft_cohort(tmp_path, study_rows(studies), Here(), SETTINGS)
    next(work)
    with pytest.raises(Conflict, match="being edited by a cohort run"):
        drafted(tmp_path, studies, Here())
    work.close()


def test_the_digest_tells_content_and_not_time(tmp_path: Path, undisturbed: Path) -> None:
    shutil.copytree(undisturbed / "studies" / "one", tmp_path / "one")
    path = tmp_path / "one" / "report.json"
    was = digest_of(path.parent)
    report = json.loads(path.read_bytes())
    for name, value, same in (
        ("created_at", "2027-01-01T00:00:00+00:00", True),
        ("id", "0123456789abcdef", True),
        ("writer", "another", False),
    ):
        path.write_text(json.dumps({**report, name: value}), encoding="utf-8")
        assert (digest_of(path.parent) == was) is same, name


def test_processes_give_the_same_as_one(tmp_path: Path, studies: Path, undisturbed: Path) -> None:
    told: list[str] = []
    work = draft_cohort(tmp_path, study_rows(studies), LocalEngine(2), SETTINGS)
    finish(work, lambda progress: told.append(progress.stage))
    assert told[-1].startswith("2 of 4, 2 failed")
    _same(undisturbed, tmp_path)


def test_ray_gives_the_same_as_one(tmp_path: Path, studies: Path, undisturbed: Path) -> None:
    drafted(tmp_path, studies, RayEngine(2))
    _same(undisturbed, tmp_path)


def _same(one: Path, other: Path) -> None:
    first, second = entries(one), entries(other)
    assert {k: (e.state, e.digest, e.reason) for k, e in first.items()} == {
        k: (e.state, e.digest, e.reason) for k, e in second.items()
    }
    for entry in first.values():
        for name in ("report.json", "segmentation.seg.nrrd", "measurements.json", "report.html", "report.txt"):
            if entry.state == "done":
                assert (one / entry.folder / name).read_bytes() == (other / entry.folder / name).read_bytes(), name


def test_a_killed_process_costs_nothing_but_time(tmp_path: Path, studies: Path, undisturbed: Path) -> None:
    killed: list[int] = []

    def kill(progress: object) -> None:
        if not killed and (workers := _workers()):
            killed.append(workers[0].pid)
            workers[0].kill()

    finish(draft_cohort(tmp_path, study_rows(studies), LocalEngine(2), SETTINGS), kill)
    assert killed
    _same(undisturbed, tmp_path)


def test_a_study_that_ends_its_process_twice_is_blamed(tmp_path: Path, studies: Path) -> None:
    order = Order(next(study_rows(studies)), str(tmp_path / "one"), SETTINGS)
    outcomes = list(LocalEngine(1, limit_s=-1.0).run(iter([order])))  # each is late as soon as it begins
    assert [(o.id, o.kind) for o in outcomes if isinstance(o, Failed)] == [("one", "died")]
    assert not any(isinstance(o, Done) for o in outcomes)


def test_closing_the_run_ends_its_processes(tmp_path: Path, studies: Path) -> None:
    work = draft_cohort(tmp_path, study_rows(studies), LocalEngine(2), SETTINGS)
    while not _workers():
        next(work)
    mine = _workers()
    work.close()
    _, alive = psutil.wait_procs(mine, timeout=20)
    assert not alive
    assert not list((tmp_path / "studies").glob(".unfinished-*"))


def _workers() -> list[psutil.Process]:
    """The drafting processes of this one; not the one that watches shared memory."""
    return [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
