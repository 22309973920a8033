"""How long work tells its progress: it is a generator that yields `Progress` and returns its result.

Cancelling is closing the generator, so a step needs no flag to poll; it only has to yield often enough
(at least once a second) and to leave nothing behind when it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of progress: `fraction` of the whole work in 0..1 and the `stage` in words."""

    fraction: float
    stage: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.fraction <= 1.0:
            raise ValueError(f"fraction must lie in 0..1, got {self.fraction}")


Work: TypeAlias = Generator[Progress, None, T]


def finish(work: Work[T], watch: Callable[[Progress], None] | None = None) -> T:
    """Run `work` to its end and return its result, handing each progress to `watch`.

    If `watch` raises (a door does so to cancel), the work is closed and the exception goes on.
    """
    try:
        while True:
            progress = next(work)
            if watch is not None:
                watch(progress)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        work.close()


def part(work: Work[T], start: float, stop: float) -> Work[T]:
    """Run `work` as the part of a larger one that lasts from fraction `start` to `stop`.

    A kind of progress that says more than `Progress` stays what it is.
    """
    try:
        while True:
            progress = next(work)
            yield replace(progress, fraction=start + (stop - start) * progress.fraction)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        work.close()
