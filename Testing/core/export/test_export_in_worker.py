"""An export in the worker's process, as the doors ask for it: files, progress, reasons, cancelling, death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.export.dicom_sr_reading import segment_links
from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.report.edits import Accept
from RegionReportLib.report.store import create_draft, open_draft
from RegionReportLib.worker.client import Told, WorkerClient, worker_command
from RegionReportLib.worker.lines import to_line, to_worker
from RegionReportLib.worker.messages import (
    ErrorKind,
    Export,
    Exported,
    Failed,
    JobCancelled,
    StageProgress,
    Timeouts,
)


@pytest.fixture
def draft(dicom_case: Any, tmp_path: Path) -> Path:
    create_draft(tmp_path / "draft", dicom_case.report, actor="writer")
    write_segmentation(dicom_case.masks, tmp_path / "draft" / "segmentation.seg.nrrd", segments="structure")
    return tmp_path / "draft"


@pytest.fixture(scope="module")
def client() -> Iterator[WorkerClient]:
    """The real worker; it stays warm from test to test."""
    made = WorkerClient(worker_command(sys.executable), timeouts=Timeouts(cancel_s=30.0))
    yield made
    made.close()


def until(client: WorkerClient, done: Callable[[Told], bool]) -> list[Told]:
    """Poll until something is told; the limit only keeps a broken test from running for ever."""
    told: list[Told] = []
    for _ in range(60_000):
        told += client.poll()
        if any(done(one) for one in told):
            return told
        time.sleep(0.001)
    raise AssertionError(f"this did not happen; told so far: {told[-5:]}")


def run(client: WorkerClient, job: Export) -> list[Told]:
    client.start(job)
    return until(client, lambda one: isinstance(one, Exported | Failed | JobCancelled))


def job(draft: Path, output: Path, *formats: str, **more: Any) -> Export:
    return Export(f"export-{time.monotonic_ns()}", str(draft), str(output), formats, **more)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_report_leaves_with_its_links_while_a_door_holds_it_open(
    client: WorkerClient, dicom_case: Any, draft: Path, tmp_path: Path
) -> None:
    with open_draft(draft, actor="reader") as held:
        held.apply(Accept("s2"))
        told = run(client, job(draft, tmp_path / "out", "text", "dicom", "fhir", organization="General Hospital"))
    last = told[-1]
    assert isinstance(last, Exported), last
    assert set(last.files) == {"report.txt", "report.dcm", "segmentation.dcm", "report.fhir.json"}
    assert set(last.files) == names_in(tmp_path / "out")
    assert last.seconds > 0
    fractions = [one.fraction for one in told if isinstance(one, StageProgress)]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    links = segment_links(tmp_path / "out" / "report.dcm")
    assert {name for name, numbers in links.items() if numbers} == {"s1", "s2", "s3", "s6"}
    assert "5 of 5 sentences judged" in (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")


def test_the_viewers_process_loads_nothing_that_writes_dicom(draft: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from RegionReportLib.export.offers import offers\n"
        "from RegionReportLib.worker.client import WorkerClient, worker_command\n"
        "from RegionReportLib.worker.messages import Export, Exported\n"
        "folder, out = sys.argv[1:]\n"
        "assert all(o.reason is None for o in offers(Path(folder)))\n"
        "client = WorkerClient(worker_command(sys.executable))\n"
        "client.start(Export('one', folder, out, ('dicom',)))\n"
        "told = []\n"
        "while client.job is not None:\n    told += client.poll()\n    time.sleep(0.01)\n"
        "client.close()\n"
        "assert isinstance(told[-1], Exported), told[-1]\n"
        "print(*sorted(n for n in ('highdicom', 'torch', 'transformers', 'fhir') if n in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(draft), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == ""
    assert names_in(tmp_path / "out") == {"report.dcm", "segmentation.dcm"}


def test_files_of_others_stay_and_those_of_the_same_name_are_replaced(
    client: WorkerClient, draft: Path, tmp_path: Path
) -> None:
    out = tmp_path / "Ausgabe für Müller"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    (out / "report.txt").write_text("old")
    assert isinstance(run(client, job(draft, out, "text"))[-1], Exported)
    assert names_in(out) == {"mine.txt", "report.txt"}
    assert (out / "mine.txt").read_text() == "mine" and (out / "report.txt").read_text(encoding="utf-8") != "old"


def test_segments_by_structure_are_asked_for_in_the_message(client: WorkerClient, draft: Path, tmp_path: Path) -> None:
    assert isinstance(run(client, job(draft, tmp_path / "out", "seg", structures=True))[-1], Exported)
    seg = pydicom.dcmread(tmp_path / "out" / "segmentation.dcm")
    assert "aorta" in {s.TrackingID for s in seg.SegmentSequence}


def test_a_reason_comes_back_in_one_line_and_nothing_is_left(client: WorkerClient, draft: Path, tmp_path: Path) -> None:
    (draft / "segmentation.seg.nrrd").unlink()
    failed = run(client, job(draft, tmp_path / "out", "text", "dicom"))[-1]
    assert isinstance(failed, Failed) and failed.kind is ErrorKind.REFUSED
    assert "has no segmentation.seg.nrrd" in failed.reason
    assert not (tmp_path / "out").exists()
    unknown = run(client, job(draft, tmp_path / "out", "pdf"))[-1]
    assert isinstance(unknown, Failed) and unknown.kind is ErrorKind.REFUSED and "pdf" in unknown.reason
    own = run(client, job(draft, draft, "json"))[-1]
    assert isinstance(own, Failed) and own.kind is ErrorKind.CONFLICT


def test_a_cancelled_export_leaves_nothing_and_the_worker_stays(
    client: WorkerClient, draft: Path, tmp_path: Path
) -> None:
    run(client, job(draft, tmp_path / "warm", "text"))
    pid = client.pid
    client.start(job(draft, tmp_path / "out", "pictures", "dicom", "fhir"))
    client.cancel()
    last = until(client, lambda one: isinstance(one, Exported | Failed | JobCancelled))[-1]
    assert isinstance(last, JobCancelled)
    assert not (tmp_path / "out").exists()
    assert client.pid == pid
    assert isinstance(run(client, job(draft, tmp_path / "out", "text"))[-1], Exported)


def test_an_export_that_was_complete_is_told_as_such_however_late_the_wish_to_stop(
    client: WorkerClient, draft: Path, tmp_path: Path
) -> None:
    client.start(job(draft, tmp_path / "out", "text"))
    for _ in range(60_000):  # the files are there before the client has read that they are
        if (tmp_path / "out" / "report.txt").exists():
            break
        time.sleep(0.001)
    client.cancel()
    last = until(client, lambda one: isinstance(one, Exported | Failed | JobCancelled))[-1]
    assert isinstance(last, Exported if (tmp_path / "out" / "report.txt").exists() else JobCancelled)


def test_a_worker_that_is_killed_leaves_no_half_written_file(draft: Path, tmp_path: Path) -> None:
    client = WorkerClient(worker_command(sys.executable))
    (tmp_path / "out").mkdir()
    client.start(job(draft, tmp_path / "out", "pictures", "dicom"))
    until(client, lambda one: isinstance(one, StageProgress))
    assert client.pid is not None
    os.kill(client.pid, signal.SIGSTOP)
    assert len(names_in(tmp_path / "out")) == 1  # it grows there
    os.kill(client.pid, signal.SIGKILL)
    last = until(client, lambda one: isinstance(one, Exported | Failed | JobCancelled))[-1]
    assert isinstance(last, Failed) and last.kind is ErrorKind.KILLED
    assert names_in(tmp_path / "out") == set()
    client.close()


def test_an_export_crosses_the_border_as_it_is() -> None:
    message = Export("e", "/a b/Ü", "/c", ("text", "fhir"), None, True, "Häus\u2028er", "https://x")
    assert to_worker(to_line(message)) == message
