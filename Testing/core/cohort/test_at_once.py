"""Studies whose words are written together get the reports that each gets alone, byte by byte."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.cohort.local import LocalEngine
from RegionReportLib.cohort.order import Done, Failed, Order, Outcome, Settings
from RegionReportLib.cohort.ray_engine import RayEngine
from RegionReportLib.cohort.run import draft_cohort
from RegionReportLib.cohort.study import draft_study
from RegionReportLib.cohort.table import study_rows
from RegionReportLib.cohort.text_server import TextServer, Together, asking
from RegionReportLib.draft.choose import WriterChoice
from RegionReportLib.draft.region_token_asking import Asked, ManyTexts, Texts
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.progress import finish
from RegionReportLib.report.report_file import report_from_bytes

FILES = ("report.json", "segmentation.seg.nrrd", "measurements.json", "report.html", "report.txt")
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def choice(random_model: Path) -> WriterChoice:
    return WriterChoice("region-tokens", str(random_model), "cpu")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory, patient: Path) -> Path:
    """One patient in two conditions, so that the words differ, and a scan that is none."""
    folder = tmp_path_factory.mktemp("conditions")
    scan = finish(read_volume(patient / "ct.nii.gz"))
    for number, name in enumerate(NAMES):
        hu = scan.hu.copy()
        hu[:, :, : 16 * number] += np.asarray(150, hu.dtype)
        write_nifti(Volume(hu, scan.grid, scan.provenance), folder / f"{name}.nii.gz")
    (folder / "none.nii.gz").write_bytes(b"no image at all")
    rows = [f"{name},{name}.nii.gz,{patient / 'masks.seg.nrrd'}" for name in (*NAMES, "none")]
    path = folder / "studies.csv"
    path.write_text("\n".join(["study,path,masks", *rows]) + "\n", encoding="utf-8")
    return path


def orders(table: Path, out: Path, choice: WriterChoice) -> list[Order]:
    settings = Settings("2026-01-01T00:00:00+00:00", "classical", choice)
    return [Order(row, str(out / row.id), settings) for row in study_rows(table)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, table: Path, choice: WriterChoice) -> Path:
    """The studies as each is drafted with a network of its own."""
    folder = tmp_path_factory.mktemp("alone")
    states = [type(draft_study(order)) for order in orders(table, folder, choice)]
    assert states == [Done, Done, Failed]
    return folder


def same(folder: Path, other: Path) -> None:
    for name in NAMES:
        for file in FILES:
            assert (folder / name / file).read_bytes() == (other / name / file).read_bytes(), (name, file)


class Gathering:
    """Answers nothing to its first question, a blank one, until two studies wait; these are then one batch."""

    def __init__(self, choice: WriterChoice) -> None:
        self.many, self.batches = ManyTexts(choice), list[Sequence[Asked]]()
        self.server = TextServer(self, 3)

    def write(self, asked: Sequence[Asked]) -> list[Texts | Exception]:
        self.batches.append(asked)
        if len(self.batches) > 1:
            return self.many.write(asked)
        for _ in range(20_000):  # not for ever, should they never ask
            if self.server._waiting.qsize() == len(NAMES):
                break
            time.sleep(0.01)
        return [()]


@pytest.fixture(scope="module")
def together(
    tmp_path_factory: pytest.TempPathFactory, table: Path, choice: WriterChoice
) -> tuple[Path, Gathering, list[Outcome]]:
    """The studies drafted by threads of this process that share a network."""
    folder, writer = tmp_path_factory.mktemp("together"), Gathering(choice)
    ask: Any = asking(writer.server.write)
    with ThreadPoolExecutor(4) as pool:
        pool.submit(ask, None)
        while not writer.batches:
            time.sleep(0.01)
        return folder, writer, list(pool.map(lambda order: draft_study(order, ask), orders(table, folder, choice)))


def test_a_study_written_among_others_gets_the_bytes_that_it_gets_alone(
    together: tuple[Path, Gathering, list[Outcome]], alone: Path
) -> None:
    folder, writer, outcomes = together
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Failed]
    assert [len(batch) for batch in writer.batches] == [1, 2]
    same(folder, alone)


def test_a_study_that_cannot_be_written_leaves_the_others_of_its_batch_as_they_were(
    together: tuple[Path, Gathering, list[Outcome]],
) -> None:
    _, writer, _ = together
    first, second = writer.batches[1]
    whole = writer.many.write([first, second])
    broken = Asked(second.inputs, ("no region",))
    left, error, right = writer.many.write([first, broken, second])
    assert isinstance(error, KeyError)
    for texts, others in ((left, whole[0]), (right, whole[1])):
        assert isinstance(texts, tuple) and isinstance(others, tuple) and len(texts) == 6
        words = [[s.text for s in text.sentences] for text in texts]
        assert words == [[s.text for s in text.sentences] for text in others]


def test_the_comparison_says_something(alone: Path) -> None:
    reports = [report_from_bytes((alone / name / "report.json").read_bytes()) for name in NAMES]
    said = [tuple(s.text for s in report.sentences if s.id.startswith("model-")) for report in reports]
    assert len(set(said)) == len(NAMES), "each scan has words of its own"
    assert all(len(words) > 5 for words in said)
    places = [a.place for report in reports for s in report.sentences for a in s.anchors if "box found" in a.note]
    assert len({str(place.box) for place in places}) > 2, "there are boxes, and they differ"


def drafted(table: Path, out: Path, engine: Any, choice: WriterChoice, watch: Any = None) -> None:
    settings = Settings("2026-01-01T00:00:00+00:00", "classical", choice)
    counts = finish(draft_cohort(out, study_rows(table), engine, settings), watch)
    assert (counts.done, counts.failed) == (2, 1)


@pytest.mark.slow
def test_processes_that_share_a_model_give_the_same(
    tmp_path: Path, table: Path, choice: WriterChoice, alone: Path
) -> None:
    drafted(table, tmp_path, LocalEngine(2, together=Together(choice, 2)), choice)
    same(tmp_path / "studies", alone)
    assert not _children(), "no process is left"


@pytest.mark.slow
def test_actors_of_ray_that_share_a_model_give_the_same(
    tmp_path: Path, table: Path, choice: WriterChoice, alone: Path
) -> None:
    drafted(table, tmp_path, RayEngine(2, together=Together(choice, 2)), choice)
    same(tmp_path / "studies", alone)


@pytest.mark.slow
def test_the_death_of_the_process_that_writes_costs_nothing_but_time(
    tmp_path: Path, table: Path, choice: WriterChoice, alone: Path
) -> None:
    killed: list[int] = []

    def kill(progress: object) -> None:
        # The server is begun first, before the processes that draft.
        if not killed and len(begun := _children()) >= 3:
            server = min(begun, key=lambda child: child.create_time())
            killed.append(server.pid)
            server.kill()

    drafted(table, tmp_path, LocalEngine(2, together=Together(choice, 2)), choice, kill)
    assert killed
    same(tmp_path / "studies", alone)


def _children() -> list[psutil.Process]:
    """The processes that draft or write; not the one that watches shared memory."""
    return [p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]


def test_several_at_once_are_refused_where_they_cannot_be(
    tmp_path: Path, table: Path, choice: WriterChoice, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["batch", str(table), "-o", str(tmp_path / "out"), "--at-once", "4"]
    assert main([*words, "--workers", "4"]) != 0
    assert "the measured writer writes about one study at a time" in capsys.readouterr().err
    model = ["--writer", "region-tokens", "--model", str(choice.model)]
    assert main([*words, *model, "--workers", "2"]) != 0
    assert "--at-once 4 needs at least as many --workers, not 2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
