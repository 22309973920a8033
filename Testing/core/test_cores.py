"""How many cores and threads a process takes for itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from RegionReportLib.cores import threads, usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_a_process_bound_to_one_core_may_use_one() -> None:
    first = min(os.sched_getaffinity(0))
    bound = f"import os; os.sched_setaffinity(0, {{{first}}})"
    asks = "from RegionReportLib.cores import usable_cores; print(usable_cores())"
    done = subprocess.run([sys.executable, "-c", f"{bound}; {asks}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]


@pytest.mark.parametrize(("told", "number"), [("3", 3), ("5,2", 5), (" 1 ", 1)])
def test_threads_are_as_many_as_the_environment_tells(monkeypatch: pytest.MonkeyPatch, told: str, number: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads() == number


@pytest.mark.parametrize("told", [None, "", "0", "many", "-2"])
def test_without_a_word_there_is_one_for_each_core(monkeypatch: pytest.MonkeyPatch, told: str | None) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if told is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert threads() == usable_cores()
