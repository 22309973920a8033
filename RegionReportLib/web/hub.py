"""The pages that are open: each gets the state whenever it changes, and the newest picture of each view when it can.

A page answers each picture; until then it gets no other of that view, so a slow line never queues old pictures.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .views import NAMES, FourViews

LARGEST_MESSAGE = 256 * 1024
"""Bytes of one message of a page; an act is far smaller, and a longer one closes the connection."""
_GATHER_S = 0.004
_BETWEEN_SPACE_S = 0.05
"""The 3D view takes a tenth of a second to draw in software; slices that change meanwhile come first."""


class Page:
    """One open page: what it has not seen yet."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.waiting: set[str] = set()  # views of which a picture is on its way
        self.behind: set[str] = set()  # views of which it has not the newest picture
        self.hidden: set[str] = set()  # views that it does not show
        self._lock = asyncio.Lock()

    async def send(self, content: str | bytes) -> None:
        """Send text or a picture; a page that has gone is no error."""
        async with self._lock:
            with contextlib.suppress(ConnectionError, RuntimeError):
                if isinstance(content, str):
                    await self.socket.send_str(content)
                else:
                    await self.socket.send_bytes(content)


class Hub:
    """All open pages of one server."""

    def __init__(self, views: FourViews) -> None:
        self.views = views
        self.pages: set[Page] = set()
        self.look: Callable[[], dict[str, Any] | None] = lambda: None
        """What is written into the corners of the views; pages are told when it changed."""
        self._looked: dict[str, Any] | None = None
        self._newest: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        views.changed = self._wake.set

    async def run(self) -> None:
        """Draw what is out of date, one view at a time, for as long as the server runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(_GATHER_S)
            while self.pages and (name := self.views.next_stale(self._hidden())) is not None:
                self._newest[name] = self.views.picture(name)
                for page in tuple(self.pages):
                    page.behind.add(name)
                    await self._give(page, name)
                await self._tell_look()
                # Clicks that came meanwhile are heard first; pictures of them may make this one's successor needless.
                await asyncio.sleep(0 if name != NAMES[-1] else _BETWEEN_SPACE_S)

    async def joined(self, page: Page, state: dict[str, Any]) -> None:
        """Take in a new page: it gets the state and all pictures."""
        self.pages.add(page)
        await page.send(json.dumps(state))
        if self._looked is not None:
            await page.send(json.dumps(self._looked))
        for name in self._newest:
            page.behind.add(name)
            await self._give(page, name)
        self._wake.set()

    def shows(self, page: Page, name: str, shown: bool) -> None:
        """A page shows a view or hides it; what nobody sees is not drawn."""
        (page.hidden.discard if shown else page.hidden.add)(name)
        self._wake.set()

    def left(self, page: Page) -> None:
        """Forget a page that was closed."""
        self.pages.discard(page)

    async def tell(self, state: dict[str, Any]) -> None:
        """Give all pages the state."""
        text = json.dumps(state)
        await asyncio.gather(*(page.send(text) for page in tuple(self.pages)))

    async def seen(self, page: Page, name: str) -> None:
        """A page shows a picture of a view and can take the next."""
        page.waiting.discard(name)
        if name in page.behind:
            await self._give(page, name)

    def _hidden(self) -> set[str]:
        return set.intersection(*(page.hidden for page in self.pages)) if self.pages else set()

    async def _tell_look(self) -> None:
        look = self.look()
        if look is not None and look != self._looked:
            self._looked = look
            await self.tell(look)

    async def _give(self, page: Page, name: str) -> None:
        if name in page.waiting:
            return
        page.waiting.add(name)
        page.behind.discard(name)
        await page.send(bytes([NAMES.index(name)]) + self._newest[name])
