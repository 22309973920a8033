"""Long work: progress is handed on, and closing it cancels it."""

from __future__ import annotations

import threading

import pytest

from RegionReportLib.progress import Progress, Work, aside, finish, part


def count(log: list[str]) -> Work[int]:
    try:
        yield Progress(0.0, "one")
        yield Progress(1.0, "two")
    finally:
        log.append("closed")
    return 42


def test_finish_hands_on_progress_and_returns_the_result() -> None:
    seen: list[Progress] = []
    assert finish(count([]), seen.append) == 42
    assert seen == [Progress(0.0, "one"), Progress(1.0, "two")]


def test_an_error_in_the_watcher_closes_the_work() -> None:
    log: list[str] = []

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish(count(log), stop)
    assert log == ["closed"]


def test_a_part_fills_its_share_of_the_whole() -> None:
    seen: list[float] = []
    assert finish(part(count([]), 0.5, 0.75), lambda p: seen.append(p.fraction)) == 42
    assert seen == [0.5, 0.75]


def test_closing_the_whole_closes_the_part() -> None:
    log: list[str] = []
    work = part(count(log), 0.0, 0.5)
    next(work)
    work.close()
    assert log == ["closed"]


def test_a_fraction_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="fraction"):
        Progress(1.5, "too far")


def test_a_part_keeps_the_kind_of_progress() -> None:
    class Waiting(Progress):
        pass

    def wait() -> Work[None]:
        yield Waiting(0.5, "waiting")

    work = part(wait(), 0.0, 0.5)
    assert next(work) == Waiting(0.25, "waiting")


def test_a_call_that_lasts_is_made_aside_while_progress_goes_on() -> None:
    go = threading.Event()
    work = aside(lambda: go.wait(60) and "made", Progress(0.5, "reading"))
    assert [next(work) for _ in range(3)] == [Progress(0.5, "reading")] * 3  # it cannot be done yet
    go.set()
    assert finish(work) == "made"


def test_a_call_made_aside_can_be_left_alone_or_fail() -> None:
    go, left = threading.Event(), threading.Event()
    work = aside(lambda: (go.wait(60), left.set()), Progress(0.0, "reading"))
    next(work), next(work)
    work.close()  # comes back at once, though the call still waits
    assert not left.is_set()
    go.set()
    assert left.wait(60)
    with pytest.raises(ZeroDivisionError):
        finish(aside(lambda: 1 / 0, Progress(0.0, "dividing")))


def test_a_call_that_was_closed_before_it_began_is_not_made() -> None:
    made: list[int] = []
    work = aside(lambda: made.append(1), Progress(0.0, "reading"))
    next(work)
    work.close()
    assert made == []
