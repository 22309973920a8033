"""Long work: progress is handed on, and closing it cancels it."""

from __future__ import annotations

import pytest

from RegionReportLib.progress import Progress, Work, finish, part


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
