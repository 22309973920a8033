"""How long work tells its progress: it is a generator that yields `Progress` and returns its result.

Cancelling is closing the generator, so a step needs no flag to poll; it only has to yield often enough
(at least once a second) and to leave nothing behind when it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from threading import Thread
from typing import TypeAlias, TypeVar

T = TypeVar("T")

_LOOK_S = 0.4


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


def aside(call: Callable[[], T], progress: Progress) -> Work[T]:
    """Make one call that cannot be taken apart in a thread of its own; yield `progress` while it lasts.

    For the calls of others that take more than a second. Closing the work returns at once, while the call runs on to
    its end unheard: it must not matter then, such as reading, computing, or writing into a folder that is thrown away.
    """
    made: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            made.append(call())
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=work, daemon=True, name=progress.stage)
    yield progress
    thread.start()
    thread.join(_LOOK_S)
    while thread.is_alive():
        yield progress
        thread.join(_LOOK_S)
    if raised:
        raise raised[0]
    return made[0]
