"""A job as work: its steps, its result, its reason for failing, and no worker left when nobody wants it any more."""

from __future__ import annotations

import time
from typing import Any

import pytest

from RegionReportLib.progress import Progress, Work
from RegionReportLib.worker.doing import JobFailed, Waiting, do_job
from RegionReportLib.worker.messages import Drafted, ErrorKind, SentenceWritten


def ended(work: Work[Any]) -> tuple[list[Progress], Any]:
    """Go through work as a viewer does, with pauses; return its progress and its result."""
    steps = []
    try:
        while True:
            steps.append(next(work))
            time.sleep(0.001)
    except StopIteration as stop:
        return steps, stop.value


def test_the_progress_of_the_worker_is_passed_on_as_waiting_and_the_result_returned(driver: Any) -> None:
    told: list[Any] = []
    steps, result = ended(do_job(driver.client, driver.job("slow", writer="words"), told.append))
    assert isinstance(result, Drafted) and told[-1] is result
    assert all(isinstance(one, Waiting) for one in steps)
    assert {"starting the worker", "segment", "measure"} <= {one.stage for one in steps}
    assert [one.fraction for one in steps] == sorted(one.fraction for one in steps)
    assert sum(isinstance(one, SentenceWritten) for one in told) == 3


def test_a_failure_is_raised_with_reason_kind_and_stage_and_the_worker_stays_for_the_next_job(driver: Any) -> None:
    with pytest.raises(JobFailed, match=r"torch.*while measure") as failure:
        ended(do_job(driver.client, driver.job("missing")))
    assert failure.value.kind is ErrorKind.NEED_MISSING
    pid = driver.client.pid
    ended(do_job(driver.client, driver.job()))
    assert driver.client.pid == pid


def test_closing_it_ends_the_job_and_its_worker_and_leaves_no_file(driver: Any) -> None:
    work = do_job(driver.client, driver.job("slow"))
    while next(work).stage != "segment":
        time.sleep(0.001)
    work.close()
    assert driver.client.job is None and driver.left_over() == []
    assert list(driver.folder.iterdir()) == []
