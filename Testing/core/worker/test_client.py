"""The client against real worker processes: the good course of a job, and everything that can go wrong with it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from RegionReportLib import __version__
from RegionReportLib.errors import Conflict
from RegionReportLib.worker.client import worker_command
from RegionReportLib.worker.messages import (
    PROTOCOL,
    Drafted,
    ErrorKind,
    Failed,
    Hello,
    JobCancelled,
    Log,
    ScanFile,
    SentenceWritten,
    StageProgress,
    Stalled,
)

STAGES = ["read", "segment", "measure", "write"]
LIBRARY = Path(__file__).parents[3] / "RegionReportLib"


def texts(told: list[Any]) -> list[str]:
    return [one.text for one in told if isinstance(one, Log)]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# the good course


def test_a_job_says_hello_then_advances_then_writes_then_is_drafted(driver: Any) -> None:
    told = driver.finish(writer="words")
    assert isinstance(told[0], Hello)
    assert (told[0].protocol, told[0].version, told[0].pid) == (PROTOCOL, __version__, driver.client.pid)
    steps = [one for one in told if isinstance(one, StageProgress)]
    assert list(dict.fromkeys(one.stage for one in steps)) == STAGES
    assert [one.fraction for one in steps] == sorted(one.fraction for one in steps)
    assert steps[0].elapsed_s >= 0
    sentences = [one.sentence for one in told if isinstance(one, SentenceWritten)]
    assert sentences == [{"id": f"s{n}", "text": "words"} for n in range(3)]
    assert isinstance(told[-1], Drafted)
    assert told[-1].seconds == {"read": 0.5}
    assert files(driver.folder) == {"job1", *(f"job1/{stage}.txt" for stage in STAGES)}
    assert driver.client.job is None


def test_the_same_worker_does_the_next_job_without_another_hello(driver: Any) -> None:
    driver.finish()
    pid = driver.client.pid
    told = driver.finish()
    assert isinstance(told[-1], Drafted)
    assert not [one for one in told if isinstance(one, Hello)]
    assert driver.client.pid == pid


def test_a_second_job_at_once_is_refused_and_the_first_goes_on(driver: Any) -> None:
    driver.client.start(driver.job("slow"))
    with pytest.raises(Conflict, match="job1"):
        driver.client.start(driver.job())
    assert driver.until_end()[-1].job == "job1"


def test_the_time_left_follows_from_the_pace_and_is_unknown_at_first() -> None:
    assert StageProgress("j", 0.25, "measure", 10.0).left_s == pytest.approx(30.0)
    assert StageProgress("j", 0.01, "measure", 10.0).left_s is None


def test_stray_prints_of_python_libraries_and_children_become_log_lines(driver: Any) -> None:
    told = driver.finish("print")
    assert isinstance(told[-1], Drafted)
    heard = " ".join(texts(told))
    for stray in ("a stray print", "a line of C", "a line of a child", "a warning"):
        assert stray in heard


def test_words_and_paths_of_any_script_and_length_cross_the_border(driver: Any) -> None:
    long = "Pleuraerguß »links« 胸水 \u2028 \U0001fac1 " * 4000
    assert len(long.encode()) > 100_000
    output = driver.folder / "Bericht für Müller, 胸部 (neu)" / "a b"
    told = driver.finish(writer=long, output=str(output), scan=ScanFile("/data/Ärzte 1/ct.nii"))
    assert [one.sentence["text"] for one in told if isinstance(one, SentenceWritten)] == [long] * 3
    assert (output / "write.txt").is_file()


def test_an_output_folder_that_holds_something_is_not_touched(driver: Any) -> None:
    kept = driver.folder / "job1" / "signed.json"
    kept.parent.mkdir()
    kept.write_text("mine")
    told = driver.finish()
    assert told[-1].kind is ErrorKind.CONFLICT
    assert kept.read_text() == "mine"
    assert isinstance(driver.finish()[-1], Drafted)


def test_polling_does_not_make_the_viewer_wait(driver: Any) -> None:
    # The machine may be busy; what is asked is that a poll never waits for the worker, whose steps take minutes.
    driver.client.start(driver.job("sleep"))
    driver.until_stage("measure")
    spent = []
    for _ in range(100):
        began = time.thread_time(), time.monotonic()
        driver.client.poll()
        spent.append(time.monotonic() - began[1])
    assert sorted(spent)[50] < 0.05


def test_polling_alone_feeds_the_reading_threads(driver: Any) -> None:
    # In 3D Slicer the event loop keeps the interpreter's lock; other threads run only while a poll lets go of it.
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)
    try:
        driver.client.start(driver.job(writer="x" * 500_000))
        told: list[Any] = []
        for _ in range(100_000):
            told += driver.client.poll()
            if driver.client.job is None:
                break
            sum(range(20_000))  # busy, as an event loop that never lets go
    finally:
        sys.setswitchinterval(before)
    assert isinstance(told[-1], Drafted)
    assert len([one for one in told if isinstance(one, SentenceWritten)]) == 3


def test_a_flood_of_output_is_taken_in_pieces(driver: Any) -> None:
    driver.client.start(driver.job("flood"))
    most = 0
    told: list[Any] = []
    while driver.client.job is not None:
        some = driver.client.poll()
        most = max(most, len(some))
        told += some
    assert isinstance(told[-1], Drafted)
    assert texts(told).count("again") == 20_000
    assert most < 5000


# cancelling


def test_a_job_closed_on_request_leaves_nothing_and_the_worker_stays_warm(driver: Any) -> None:
    driver.client.start(driver.job("slow", labels=str(driver.folder / "labels.npy")))
    driver.until_stage("measure")
    pid = driver.client.pid
    driver.client.cancel()
    driver.client.cancel()
    assert driver.until_end()[-1] == JobCancelled("job1")
    assert files(driver.folder) == set()
    assert isinstance(driver.finish()[-1], Drafted)
    assert driver.client.pid == pid


def test_a_job_that_does_not_stop_is_killed_with_all_it_started(driver: Any) -> None:
    driver.client.start(driver.job("children-sleep"))
    driver.until_stage("measure")
    driver.until(lambda told: len(driver.living()) == 3)
    driver.client.cancel()
    assert driver.until_end()[-1] == JobCancelled("job1")
    assert driver.left_over() == []
    assert files(driver.folder) == set()
    assert isinstance(driver.finish()[-1], Drafted)


def test_a_cancel_before_the_worker_is_up_counts(driver: Any) -> None:
    driver.client.start(driver.job("slow"))
    driver.client.cancel()
    assert driver.until_end()[-1] == JobCancelled("job1")
    assert files(driver.folder) == set()


def test_a_cancel_without_a_job_is_nothing(driver: Any) -> None:
    driver.client.cancel()
    assert driver.client.poll() == ()
    assert isinstance(driver.finish()[-1], Drafted)


def cancel_at_random_moments(driver: Any, times: int) -> None:
    chance = random.Random(times)
    ends = set()
    for n in range(times):
        job = driver.job(chance.choice(["slow", "slow", "children", ""]), labels=str(driver.folder / "labels.npy"))
        driver.client.start(job)
        for _ in range(chance.randrange(60)):
            driver.client.poll()
        driver.client.cancel()
        last = driver.until(lambda told: driver.client.job is None)
        ends.add(type(last[-1]) if last else None)
        if Path(job.output).exists():  # it was done before the request
            assert files(Path(job.output)) == {f"{stage}.txt" for stage in STAGES}
        if n % 10 == 9:
            driver.client.close()
            assert driver.left_over() == []
    assert JobCancelled in ends
    assert not [name for name in files(driver.folder) if "unfinished" in name]


def test_thirty_jobs_cancelled_at_random_moments_leave_no_process_and_no_half_file(driver: Any) -> None:
    cancel_at_random_moments(driver, 30)


@pytest.mark.slow
def test_a_hundred_jobs_cancelled_at_random_moments_leave_no_process_and_no_half_file(driver: Any) -> None:
    cancel_at_random_moments(driver, 100)


# dying and hanging


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_worker_is_told_with_its_last_stage_and_the_next_job_is_done(driver: Any, stage: str) -> None:
    told = driver.finish(f"kill@{stage}", labels=str(driver.folder / "labels.npy"))
    failed = told[-1]
    assert (failed.kind, failed.stage) == (ErrorKind.KILLED, stage)
    assert "memory" in failed.reason
    assert files(driver.folder) == set()
    assert isinstance(driver.finish()[-1], Drafted)


@pytest.mark.parametrize(("act", "word"), [("segfault", "SIGSEGV"), ("leave", "exit code 7")])
def test_a_crash_is_told_with_how_it_ended(driver: Any, act: str, word: str) -> None:
    failed = driver.finish(act)[-1]
    assert (failed.kind, failed.stage) == (ErrorKind.CRASHED, "measure")
    assert word in failed.reason
    if act == "segfault":
        assert "fake_worker.py" in failed.detail  # where it happened
    assert files(driver.folder) == set()


def test_the_children_of_a_crashed_worker_do_not_outlive_it(driver: Any) -> None:
    driver.client.start(driver.job("children-sleep"))
    driver.until(lambda told: len(driver.living()) == 3)
    os.kill(driver.client.pid, 9)
    assert driver.until_end()[-1].kind is ErrorKind.KILLED
    assert driver.left_over() == []


def test_a_frozen_worker_gives_no_sign_of_life_and_is_ended(drive: Callable[..., Any]) -> None:
    driver = drive(frozen_s=0.6)
    failed = driver.finish("stop")[-1]
    assert (failed.kind, failed.stage) == (ErrorKind.FROZEN, "measure")
    assert driver.left_over() == []
    assert isinstance(driver.finish()[-1], Drafted)


def test_a_stalled_worker_is_alive_and_only_told_of_once(drive: Callable[..., Any]) -> None:
    driver = drive(stalled_s=0.2, frozen_s=2.0)
    driver.client.start(driver.job("sleep"))
    told = driver.until(lambda told: any(isinstance(one, Stalled) for one in told))
    assert told[-1] == Stalled("job1", "measure", told[-1].seconds)
    assert told[-1].seconds >= 0.2
    more: list[object] = []
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        more += driver.client.poll()
    assert more == []
    assert driver.client.job is not None


def test_time_in_which_nobody_polled_is_not_the_workers(drive: Callable[..., Any]) -> None:
    driver = drive(frozen_s=1.5, stalled_s=1.5)
    driver.client.start(driver.job("slow"))
    driver.until_stage("read")
    time.sleep(2.0)
    assert isinstance(driver.until_end()[-1], Drafted)


# errors of the job itself


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        ("defect", ErrorKind.DEFECT, "ZeroDivisionError: a / b"),
        ("missing", ErrorKind.NEED_MISSING, "No module named 'torch'"),
        ("disk", ErrorKind.FILES, "No space left on device"),
        ("memory", ErrorKind.MEMORY, "of 3 GB"),
    ],
)
def test_what_a_job_raises_is_told_by_kind(driver: Any, act: str, kind: ErrorKind, words: str) -> None:
    failed = driver.finish(act)[-1]
    assert (failed.kind, failed.stage) == (kind, "measure")
    assert words in failed.reason
    assert "Traceback" in failed.detail
    assert files(driver.folder) == set()
    assert (driver.client.pid is None) == (kind is ErrorKind.MEMORY)
    assert isinstance(driver.finish()[-1], Drafted)


# a wrong partner


def test_an_interpreter_that_does_not_exist_is_named(drive: Callable[..., Any]) -> None:
    failed = drive(("/nowhere/python 3", "-c", "")).finish()[-1]
    assert (failed.kind, failed.stage) == (ErrorKind.NOT_STARTED, "starting the worker")
    assert "/nowhere/python 3" in failed.reason


def test_an_interpreter_without_the_library_is_named_with_its_own_words(drive: Callable[..., Any]) -> None:
    failed = drive((sys.executable, "-c", "import no_such_library")).finish()[-1]
    assert failed.kind is ErrorKind.NOT_STARTED
    assert "No module named 'no_such_library'" in failed.reason
    assert "Traceback" in failed.detail


def test_a_program_that_stays_silent_is_given_up(drive: Callable[..., Any]) -> None:
    failed = drive((sys.executable, "-c", "import time; time.sleep(600)"), hello_s=0.3).finish()[-1]
    assert failed.kind is ErrorKind.NOT_STARTED
    assert "hello" in failed.reason


HELLO = '{{"type": "Hello", "protocol": {}, "version": "9.9", "python": "3.12", "pid": 1}}'


def test_another_protocol_is_refused_with_both_versions(drive: Callable[..., Any]) -> None:
    code = f"import time; print({HELLO.format(PROTOCOL + 1)!r}, flush=True); time.sleep(600)"
    failed = drive((sys.executable, "-c", code)).finish()[-1]
    assert failed.kind is ErrorKind.WRONG_VERSION
    assert str(PROTOCOL + 1) in failed.reason
    assert "9.9" in failed.reason


def test_a_banner_before_the_hello_is_only_logged(drive: Callable[..., Any]) -> None:
    code = f"print('activating the environment'); import runpy; runpy.run_path({str(fake())!r}, run_name='__main__')"
    told = drive((sys.executable, "-c", code)).finish()
    assert "activating the environment" in texts(told)
    assert isinstance(told[-1], Drafted)


@pytest.mark.parametrize(
    "code",
    [
        "import sys; [print(line, end='') for line in sys.stdin]",  # an echo
        "while True: print('y')",
        "import sys; sys.stdout.write('x' * 20_000_000); sys.stdout.flush(); sys.stdin.read()",
        f"print({HELLO.format(PROTOCOL)!r}); print('noise', flush=True); import time; time.sleep(600)",
        f"print({HELLO.format(PROTOCOL)!r}); print('{{}}', flush=True); import time; time.sleep(600)",
    ],
    ids=["echo", "yes", "endless line", "noise after hello", "empty message"],
)
def test_another_program_is_found_out(drive: Callable[..., Any], code: str) -> None:
    driver = drive((sys.executable, "-u", "-c", code))
    failed = driver.finish()[-1]
    assert failed.kind is ErrorKind.GARBAGE
    assert driver.left_over() == []


def test_garbage_in_the_middle_of_a_job_ends_it(driver: Any) -> None:
    failed = driver.finish("garbage")[-1]
    assert failed.kind is ErrorKind.GARBAGE
    assert files(driver.folder) == set()
    assert isinstance(driver.finish()[-1], Drafted)


# ends


def test_closing_in_the_middle_of_a_job_leaves_nothing(driver: Any) -> None:
    driver.client.start(driver.job("children-sleep"))
    driver.until_stage("measure")
    driver.client.close()
    assert driver.left_over() == []
    assert files(driver.folder) == set()


def test_an_idle_worker_that_dies_is_replaced_without_a_failure(driver: Any) -> None:
    driver.finish()
    os.kill(driver.client.pid, 9)
    told = driver.finish()
    assert isinstance(told[-1], Drafted)
    assert not [one for one in told if isinstance(one, Failed)]


PARENT = """
import sys, time
from RegionReportLib.worker.client import WorkerClient
from RegionReportLib.worker.messages import Draft, ScanFile
client = WorkerClient((sys.executable, {fake!r}))
client.start(Draft("j", ScanFile("x"), {output!r}, "now", segmenter={act!r}))
while not any(getattr(one, "stage", "") == "measure" for one in client.poll()):
    pass
print(client.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("act", ["slow", "children-sleep"])
def test_a_worker_ends_with_its_viewer_and_takes_its_children_along(driver: Any, act: str) -> None:
    code = PARENT.format(fake=str(fake()), output=str(driver.folder / "out"), act=act)
    environment = {
        **os.environ,
        "PYTHONPATH": str(LIBRARY.parent),
        "REGIONREPORT_TEST": str(driver.folder),
        "ORPHAN_S": "0.3",
    }
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as viewer:
        assert viewer.stdout is not None
        worker = psutil.Process(int(viewer.stdout.readline()))
        viewer.kill()
    worker.wait(20)
    assert driver.left_over() == []
    assert not [name for name in files(driver.folder) if "unfinished" in name]


def test_the_real_worker_says_hello_from_a_library_that_is_not_installed(drive: Callable[..., Any]) -> None:
    isolated = (sys.executable, "-I", "-S", *worker_command("python")[1:])  # no site-packages at all
    driver = drive(isolated)
    told = driver.finish()
    assert isinstance(told[0], Hello)
    assert told[-1].kind is ErrorKind.NEED_MISSING
    assert sys.executable in told[-1].reason


def fake() -> Path:
    return Path(__file__).with_name("fake_worker.py")
