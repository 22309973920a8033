"""What runs the orders of a cohort; the processes of this machine and a Ray cluster are two of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

from .order import Order, Outcome


class Engine(Protocol):
    """Runs orders at the same time, each in a process that keeps its models from study to study."""

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        """Yield one outcome for each order, as they come, and None about each second in which none came.

        Orders are taken only as fast as they can be worked on, so that any number of them needs the same memory. An
        order whose process dies is tried again before it is told as failed. Closing the iterator ends all processes.
        """
        ...
