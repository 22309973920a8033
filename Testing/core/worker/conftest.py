"""Fixtures: a client of the small worker, and a watch that nothing of it outlives a test."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from RegionReportLib.worker.client import Told, WorkerClient
from RegionReportLib.worker.messages import Draft, Drafted, Failed, JobCancelled, ScanFile, Timeouts

FAKE = Path(__file__).with_name("fake_worker.py")
REPOSITORY = Path(__file__).parents[3]


class Driver:
    """A client with a loop around it, as a viewer has one."""

    def __init__(self, folder: Path, command: tuple[str, ...], timeouts: Timeouts) -> None:
        self.folder = folder
        # Inherited by all descendants, so that none can hide.
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "REGIONREPORT_TEST": str(folder)}
        self.client = WorkerClient(command, environment, timeouts=timeouts)
        self.count = 0

    def job(self, act: str = "", **more: object) -> Draft:
        self.count += 1
        name = f"job{self.count}"
        values = {"scan": ScanFile("scan.nii"), "output": str(self.folder / name), "segmenter": act, **more}
        return Draft(job=name, created_at="2026-01-01T00:00:00+00:00", **values)  # type: ignore[arg-type]

    def until(self, done: Callable[[list[Told]], bool]) -> list[Told]:
        """Poll until `done`; the limit only keeps a broken test from running for ever."""
        told: list[Told] = []
        for _ in range(30000):
            told += self.client.poll()
            if done(told):
                return told
            time.sleep(0.001)
        raise AssertionError(f"this did not happen; told so far: {told[-5:]}")

    def finish(self, act: str = "", **more: object) -> list[Told]:
        """Run a job to its end, which is the last thing told."""
        self.client.start(self.job(act, **more))
        return self.until_end()

    def until_end(self) -> list[Told]:
        return self.until(_ended)

    def until_stage(self, stage: str) -> list[Told]:
        return self.until(lambda told: _ended(told) or any(getattr(one, "stage", "") == stage for one in told))

    def left_over(self) -> list[psutil.Process]:
        """Processes of this worker, its own descendants and those it left to others, told by the folder's name."""
        for _ in range(100):  # a killed process takes a moment to vanish
            if not self.living():
                break
            time.sleep(0.02)
        return self.living()

    def living(self) -> list[psutil.Process]:
        found = []
        for one in psutil.process_iter(["cmdline", "environ", "status"]):
            mine = self.folder.name in " ".join(one.info["cmdline"] or ()) or (one.info["environ"] or {}).get(
                "REGIONREPORT_TEST"
            ) == str(self.folder)
            if mine and one.info["status"] != psutil.STATUS_ZOMBIE and one.pid != os.getpid():
                found.append(one)
        return found


def _ended(told: list[Told]) -> bool:
    return any(isinstance(one, Drafted | Failed | JobCancelled) for one in told)


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Makes a client of a command (default: the small worker); after the test no process of it lives."""
    made: list[Driver] = []

    def make(command: tuple[str, ...] = (sys.executable, str(FAKE)), **limits: float) -> Driver:
        made.append(Driver(tmp_path, command, Timeouts(**{"cancel_s": 0.5, **limits})))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
    assert all(one.left_over() == [] for one in made)


@pytest.fixture
def driver(drive: Callable[..., Driver]) -> Driver:
    """A client of the small worker."""
    return drive()
