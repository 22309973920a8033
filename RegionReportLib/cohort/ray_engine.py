"""Runs the orders of a cohort as actors of a Ray cluster; the cohort's folder must be on storage all nodes share."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import NeedMissing
from .order import Failed, Order, Outcome

_TICK_S = 1.0
# A node may go for reasons of its own (preempted, restarted), so a death is not the study's fault the first time.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class RayEngine:
    """`workers` actors of one CPU each, wherever the cluster at `address` has room; None starts one on this machine.

    With `gpus` each actor is given its fraction of so many. A study that lasts longer than `limit_s` is given up.
    """

    workers: int
    address: str | None = None
    gpus: float = 0
    limit_s: float = 3600.0

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        """See `engine.Engine.run`; NeedMissing if ray is not installed or the cluster cannot be reached."""
        ray = _ray()
        self._join(ray)
        try:
            yield from _Flight(ray, self).run(orders)
        finally:
            ray.shutdown()

    def _join(self, ray: Any) -> None:
        here: dict[str, Any] = {"num_cpus": self.workers, "include_dashboard": False} if self.address is None else {}
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level="error", **here)
        except ConnectionError as cause:
            raise NeedMissing(f"no Ray cluster answers at {self.address}: {cause}") from cause


def _ray() -> Any:
    try:
        import ray
    except ImportError as cause:
        raise NeedMissing("the engine ray needs Ray: pip install 'regionreport[cluster]'") from cause
    return ray


class _Flight:
    """The actors of one run, and which order each of them works on."""

    def __init__(self, ray: Any, engine: RayEngine) -> None:
        self._ray, self._engine = ray, engine
        self._kind = ray.remote(num_cpus=1, num_gpus=engine.gpus / engine.workers, max_restarts=0)(_Drafter)
        self._flying: dict[Any, tuple[Any, Order, float]] = {}
        self._tries: dict[str, int] = {}
        self._again: list[Order] = []

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        idle = [self._kind.remote() for _ in range(self._engine.workers)]
        while True:
            while idle and (order := self._again.pop() if self._again else next(orders, None)) is not None:
                actor = idle.pop()
                self._flying[actor.draft.remote(order)] = (actor, order, time.monotonic())
            if not self._flying:
                return
            done, _ = self._ray.wait(list(self._flying), num_returns=1, timeout=_TICK_S)
            if not done:
                yield self._late(idle)
            for reference in done:
                yield self._landed(reference, idle)

    def _landed(self, reference: Any, idle: list[Any]) -> Outcome | None:
        actor, order, _ = self._flying.pop(reference)
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayActorError:
            idle.append(self._kind.remote())
            self._tries[order.row.id] = tries = self._tries.get(order.row.id, 0) + 1
            if tries < _TRIES:
                self._again.append(order)
                return None
            return Failed(order.row.id, "died", f"its process ended without a word, {tries} times")
        idle.append(actor)
        return outcome

    def _late(self, idle: list[Any]) -> Outcome | None:
        """Give the study up that has lasted too long, if there is one."""
        now, limit_s = time.monotonic(), self._engine.limit_s
        for reference, (actor, order, started) in self._flying.items():
            if now - started > limit_s:
                self._ray.kill(actor)
                del self._flying[reference]
                idle.append(self._kind.remote())
                return Failed(order.row.id, "late", f"not done within {limit_s:g} s")
        return None


class _Drafter:
    """The actor: a process that keeps its models from study to study."""

    def draft(self, order: Order) -> Outcome:
        """Draft one study."""
        from .study import draft_study  # here, so that the driver does not load what only the actors need

        return draft_study(order)
