"""Starts the processes of this machine that hold a model and write for those that draft: one, or one for each GPU."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from multiprocessing.managers import BaseManager
from typing import Any, Protocol

from ..draft.region_token_asking import ManyTexts
from .local_process import Share, begin
from .text_server import TextServer, Together


class Proxy(Protocol):
    """A server as another process sees it."""

    def write(self, question: bytes) -> bytes:
        """See `TextServer.write`; EOFError or OSError if its process has ended."""
        ...


class LocalServers:
    """So many processes that write; `proxies` are for those that draft. They end with `close`, or with the driver."""

    def __init__(
        self, context: SpawnContext, together: Together, count: int, share: Share, lifeline: Connection
    ) -> None:
        self._managers = [_Manager(ctx=context) for _ in range(count)]
        proxies: list[Proxy] = []
        for number, manager in enumerate(self._managers):
            manager.start(_begin, (number, lifeline, share, together))
            made: Any = manager
            proxies.append(made.server())
        self.proxies = tuple(proxies)

    def close(self) -> None:
        """End the processes."""
        for manager in self._managers:
            manager.shutdown()


class _Here:
    """The server of this process."""

    server: TextServer | None = None


def _begin(number: int, lifeline: Connection, share: Share, together: Together) -> None:
    begin(number, lifeline, share)
    _Here.server = TextServer(ManyTexts(together.writer), together.most)


def _server() -> TextServer | None:
    return _Here.server


class _Manager(BaseManager):
    """A process that other processes may call over a private pipe."""


_Manager.register("server", _server, exposed=("write",))
