"""Runs the orders of a cohort in processes of this machine.

A process that dies (most often killed for want of memory) breaks the pool with all that it holds. Whose fault it was
cannot be told then, so each order in flight is tried again, alone, and blamed only if its process dies again.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

from ..cores import usable_cores
from ..draft.region_token_asking import Ask
from .local_process import Clock, Share, begin
from .local_servers import LocalServers, Proxy
from .order import Failed, Order, Outcome
from .text_server import Together, asking

# Reading ahead by one order per process keeps them busy; more would only be lost when the pool breaks.
_AHEAD = 1
_TICK_S = 1.0


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """`workers` processes, each on its share of so many `cores` (None: all that this process may use); a study that
    lasts longer than `limit_s` is given up.

    With `gpus` the processes share that many of them in turn. With `together` further processes, one or one for each
    GPU, hold the model and write for the others.
    """

    workers: int
    limit_s: float = 3600.0
    gpus: int = 0
    together: Together | None = None
    cores: int | None = None

    def __post_init__(self) -> None:
        for what, count in (("workers", self.workers), ("cores", self.cores)):
            if count is not None and count < 1:
                raise ValueError(f"{what} must be at least 1, got {count}")

    def share(self, processes: int) -> Share:
        """Return what each of so many processes may use."""
        cores = self.cores or usable_cores()
        return Share(max(1, cores // processes), self.gpus, self.limit_s)

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        """See `engine.Engine.run`."""
        broken: list[Order] = []
        while True:
            yield from self._run(orders, self.workers, broken)
            if not broken:
                return
            suspects, broken = broken, []
            for order in suspects:
                yield from self._alone(order)

    def _alone(self, order: Order) -> Iterator[Outcome | None]:
        died: list[Order] = []
        yield from self._run(iter([order]), 1, died)
        if died:
            reason = "its process ended without a word, twice: most likely killed for want of memory, or out of time"
            yield Failed(order.row.id, "died", reason)

    def _run(self, orders: Iterator[Order], workers: int, broken: list[Order]) -> Iterator[Outcome | None]:
        """Run orders until they end or the pool breaks; what was in flight then is left in `broken`."""
        flying: dict[Future[Outcome], Order] = {}
        with _Pool(workers, self) as pool:
            while True:
                while not broken and len(flying) < workers + _AHEAD and (order := next(orders, None)) is not None:
                    try:
                        flying[pool.submit(order)] = order
                    except BrokenProcessPool:
                        broken.append(order)
                if not flying:
                    return
                done, _ = wait(flying, timeout=_TICK_S, return_when=FIRST_COMPLETED)
                if not done:
                    yield None
                for future in done:
                    order = flying.pop(future)
                    try:
                        outcome = future.result()
                    except BrokenProcessPool:
                        broken.append(order)
                    else:
                        yield outcome


class _Pool:
    """A pool of processes that end with it, even if this process is killed: each holds the far end of a pipe."""

    def __init__(self, workers: int, engine: LocalEngine) -> None:
        # Spawned, never forked: a fork would share locks of threads that do not run in it.
        context = multiprocessing.get_context("spawn")
        self._far, self._lifeline = context.Pipe(duplex=False)
        share = engine.share(engine.workers)
        self._servers: LocalServers | None = None
        if engine.together is not None:
            # Those that draft mostly wait while a server writes on the processor, so it may have all cores then.
            count = min(max(1, engine.gpus), workers)
            self._servers = LocalServers(context, engine.together, count, engine.share(count), self._far)
        proxies = self._servers.proxies if self._servers is not None else ()
        given = (self._far, context.Value("i", 0), share, proxies)
        self._pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=given)

    def submit(self, order: Order) -> Future[Outcome]:
        return self._pool.submit(_work, order)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._lifeline.close()
        self._pool.shutdown(cancel_futures=True)
        if self._servers is not None:
            self._servers.close()
        self._far.close()


class _Process:
    """How this process asks the one that writes, None where each writes for itself."""

    ask: Ask | None = None


def _begin(lifeline: Connection, count: Synchronized[int], share: Share, servers: tuple[Proxy, ...]) -> None:
    """Set a fresh process up; those that draft share the servers in turn."""
    with count.get_lock():
        number, count.value = count.value, count.value + 1
    begin(number, lifeline, share)
    if servers:
        _Process.ask = asking(servers[number % len(servers)].write)


def _work(order: Order) -> Outcome:
    from .study import draft_study  # here, so that it is loaded after `_begin` has set the number of threads

    Clock.started = time.monotonic()
    try:
        return draft_study(order, _Process.ask)
    finally:
        Clock.started = None
