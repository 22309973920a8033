"""Runs the orders of a cohort as actors of a Ray cluster; the cohort's folder must be on storage all nodes share."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from ..draft.region_token_asking import ManyTexts
from ..errors import NeedMissing
from .order import Failed, Order, Outcome
from .text_server import TextServer, Together, asking

_TICK_S = 1.0
# A node may go for reasons of its own (preempted, restarted), so a death is not the study's fault the first time.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class RayEngine:
    """`workers` actors of one CPU each, wherever the cluster at `address` has room; None starts one on this machine.

    With `gpus` each actor is given its fraction of so many. A study that lasts longer than `limit_s` is given up. With
    `together` further actors, one or one for each GPU, hold the model and write for the others.
    """

    workers: int
    address: str | None = None
    gpus: float = 0
    limit_s: float = 3600.0
    together: Together | None = None

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
        # A server needs its GPU for itself but for what a segmenter takes of it.
        drafting = engine.gpus if engine.together is None else engine.gpus / 2
        self._kind = ray.remote(num_cpus=1, num_gpus=drafting / engine.workers, max_restarts=0)(_Drafter)
        self._servers = self._serving(engine.together) if engine.together is not None else []
        self._begun = 0
        self._flying: dict[Any, tuple[Any, Order, float]] = {}
        self._tries: dict[str, int] = {}
        self._again: list[Order] = []

    def _serving(self, together: Together) -> list[Any]:
        engine = self._engine
        gpu = {"num_gpus": 0.5} if engine.gpus else {}
        kind = self._ray.remote(num_cpus=0, max_restarts=-1, max_concurrency=engine.workers, **gpu)(_Server)
        return [kind.remote(together) for _ in range(max(1, int(engine.gpus)))]

    def _fresh(self) -> Any:
        """Return a new actor that drafts; they share the servers in turn."""
        self._begun += 1
        return self._kind.remote(self._servers[self._begun % len(self._servers)] if self._servers else None)

    def run(self, orders: Iterator[Order]) -> Generator[Outcome | None, None, None]:
        idle = [self._fresh() for _ in range(self._engine.workers)]
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
            idle.append(self._fresh())
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
                idle.append(self._fresh())
                return Failed(order.row.id, "late", f"not done within {limit_s:g} s")
        return None


class _Drafter:
    """The actor: a process that keeps its models from study to study, or asks the server that has them."""

    def __init__(self, server: Any) -> None:
        self._ask = None if server is None else asking(_call(server))

    def draft(self, order: Order) -> Outcome:
        """Draft one study."""
        from .study import draft_study  # here, so that the driver does not load what only the actors need

        return draft_study(order, self._ask)


def _call(server: Any) -> Callable[[bytes], bytes]:
    ray = _ray()

    def call(question: bytes) -> bytes:
        try:
            answer: bytes = ray.get(server.write.remote(question))
        except ray.exceptions.RayActorError as gone:
            raise ConnectionError(str(gone)) from gone
        return answer

    return call


class _Server:
    """The actor that holds the model; Ray starts it anew should it end."""

    def __init__(self, together: Together) -> None:
        self._server = TextServer(ManyTexts(together.writer), together.most)

    def write(self, question: bytes) -> bytes:
        """See `TextServer.write`."""
        return self._server.write(question)
