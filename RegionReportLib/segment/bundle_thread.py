"""A call that tells its progress from inside, made in a thread of its own, as work that can be closed.

For calls of others that take a function back, such as a sliding window and its predictor. Knows no segmentation.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeAlias, TypeVar

from ..errors import Cancelled
from ..progress import Progress, Work

T = TypeVar("T")
Tell: TypeAlias = Callable[[float, str], None]
"""Told the fraction done and the stage; raises Cancelled when the work has been closed."""

_LOOK_S = 0.4


def told(call: Callable[[Tell], T], first: Progress) -> Work[T]:
    """Make a call in a thread and yield what it tells, `first` until then.

    Closing the work makes the call's next telling raise, and waits for the thread: nothing runs on.
    """
    closed, latest = Event(), [first]
    made: list[T] = []
    raised: list[BaseException] = []

    def tell(fraction: float, stage: str) -> None:
        if closed.is_set():
            raise Cancelled("the work was closed")
        latest[0] = Progress(min(max(fraction, 0.0), 1.0), stage)

    def run() -> None:
        try:
            made.append(call(tell))
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=run, daemon=True, name=first.stage)
    yield first
    thread.start()
    try:
        thread.join(_LOOK_S)
        while thread.is_alive():
            yield latest[0]
            thread.join(_LOOK_S)
    finally:
        closed.set()
        thread.join()
    if raised:
        raise raised[0]
    return made[0]
