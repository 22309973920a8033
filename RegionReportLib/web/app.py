"""The server: addresses, the socket of a page, start and stop.

Nothing of it is for the open internet: one reader, on this computer or, with a token, on a network that is trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from ..errors import Conflict, InputRefused, RegionReportError
from ..export.html import report_html
from ..export.text import report_text
from ..report.canonical import canonical
from ..report.document import Report
from ..report.json_form import report_to_dict
from .acts import Message, text_of
from .desk import words_of
from .door import Door, Place, view_of
from .hub import LARGEST_MESSAGE, Hub, Page
from .safety import Guard, add_headers
from .uploads import keep, unpacked
from .views import MOUSE, FourViews

_log = logging.getLogger(__name__)
_STATIC = Path(__file__).parent / "static"
_LONGEST_REPORT = 2_000_000
_LOOKING = ("seen", "size", "mouse", "click", "fit")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and the token it asks for, None for this computer's own page only."""

    host: str
    port: int
    token: str | None = None


class Server:
    """One server with its door; `start` it, then `stop` it."""

    def __init__(self, address: Address, place: Place) -> None:
        self.address = address
        views = FourViews()
        self.hub = Hub(views)
        self.door = Door(views, self.hub, place)
        self._runner = web.AppRunner(self._app(), access_log=None, handle_signals=False)
        self._drawing: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen, and return the port; OSError if that is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self.address.host, self.address.port).start()
        self._drawing = asyncio.get_running_loop().create_task(self.hub.run())
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Save, give the draft free and close all pages."""
        if self._drawing is not None:
            self._drawing.cancel()
        await self.door.close()
        for page in tuple(self.hub.pages):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(page.socket.close(), 1.0)
        await self._runner.cleanup()
        self.door.views.close()

    def _app(self) -> web.Application:
        guard = Guard(self.address.token)

        @web.middleware
        async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
            return await guard.check(request, handler)

        app = web.Application(middlewares=[guarded], client_max_size=4 * _LONGEST_REPORT)
        app.on_response_prepare.append(add_headers)
        app.router.add_get("/", _file(_STATIC / "page.html"))
        for file in sorted(_STATIC.glob("*.*")):
            app.router.add_get(f"/{file.name}", _file(file))
        app.router.add_get("/socket", self._socket)
        app.router.add_post("/scan", self._scan)
        app.router.add_post("/draft", self._draft)
        for name, (content, kind) in _EXPORTS.items():
            app.router.add_get(f"/export/{name}", self._export(name, content, kind))
        app.router.add_get("/export/segmentation.seg.nrrd", self._segmentation)
        return app

    # The socket ---------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, heartbeat=20, compress=False)
        await socket.prepare(request)
        page = Page(socket)
        await self.hub.joined(page, self.door.state())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._hear(page, message.data)
        finally:
            self.hub.left(page)
        return socket

    async def _hear(self, page: Page, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict):
            try:
                await self._do(page, message)
            except RegionReportError as problem:
                self.door.say(str(problem))
            except Exception as error:
                _log.exception("a message of the page failed")
                self.door.say(words_of(error))

    async def _do(self, page: Page, message: Message) -> None:
        kind = message.get("do")
        if kind in _LOOKING:
            await self._look(page, kind, message)
        elif kind == "cancel":
            self.door.cancel()
        elif kind == "trail":
            await page.send(json.dumps(self.door.history()))
        elif kind == "drafts":
            await page.send(json.dumps({"kind": "drafts", "names": [f.name for f in self.door.drafts()]}))
        elif kind == "open":
            self._open(text_of(message, "name"))
        else:
            self.door.act(message)

    async def _look(self, page: Page, kind: str, message: Message) -> None:
        """What a page does with its pictures."""
        view, views = view_of(message.get("view")), self.door.views
        x, y = (_finite(message, n) for n in ("x", "y"))
        if kind == "seen":
            await self.hub.seen(page, view)
        elif kind == "size":
            views.resize(view, *(int(_finite(message, n)) for n in ("w", "h")))
        elif kind == "mouse" and message.get("kind") in MOUSE:
            views.mouse(view, message["kind"], x, y, int(_finite(message, "keys")))
        elif kind == "click":
            self.door.click(view, x, y)
        elif kind == "fit":
            views.fit()

    def _open(self, name: str) -> None:
        folder = next((f for f in self.door.drafts() if f.name == name), None)
        if folder is None:
            raise InputRefused("there is no such draft on this computer")
        self.door.start(self.door.open(folder))

    # Scans and reports ----------------------------------------------------------------------------------------------

    async def _scan(self, request: web.Request) -> web.Response:
        """Take a scan as the body of the request and draft it."""
        return await self._answer(self._take_scan(request))

    async def _take_scan(self, request: web.Request) -> None:
        name = request.query.get("name", "")
        if self.door.busy is not None:
            raise Conflict("wait for what is being done, or cancel it first")
        path = await keep(self.door.place.scans, name, _chunks(request))
        scan = await asyncio.to_thread(unpacked, path)
        self.door.start(self.door.draft_sent(scan))

    async def _draft(self, request: web.Request) -> web.Response:
        """Ground the text that is the body on the scan of the report that is open."""
        return await self._answer(self._take_report(request))

    async def _take_report(self, request: web.Request) -> None:
        try:
            text = (await request.read()).decode("utf-8")
        except UnicodeDecodeError as cause:
            raise InputRefused("the report is no text") from cause
        if len(text) > _LONGEST_REPORT or not text.strip():
            raise InputRefused(f"a report has words, and at most {_LONGEST_REPORT} of their characters are taken")
        self.door.start(self.door.ground(text))

    async def _answer(self, work: Any) -> web.Response:
        try:
            await work
        except RegionReportError as problem:
            return web.json_response({"problem": str(problem)}, status=409)
        return web.json_response({})

    # Exports ----------------------------------------------------------------------------------------------------------

    def _export(self, name: str, content: Callable[[Report], str], kind: str) -> Any:
        async def export(request: web.Request) -> web.Response:
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return web.Response(text=content(self._report()), content_type=kind, charset="utf-8", headers=headers)

        return export

    async def _segmentation(self, request: web.Request) -> web.StreamResponse:
        self._report()
        assert self.door.desk is not None
        assert self.door.desk.folder is not None
        headers = {"Content-Disposition": 'attachment; filename="segmentation.seg.nrrd"'}
        return web.FileResponse(self.door.desk.folder / "segmentation.seg.nrrd", headers=headers)

    def _report(self) -> Report:
        desk = self.door.desk
        if desk is None or desk.session is None:
            raise web.HTTPNotFound(text="There is no report yet.\n")
        return desk.session.report


_EXPORTS: dict[str, tuple[Callable[[Report], str], str]] = {
    "report.txt": (report_text, "text/plain"),
    "report.html": (report_html, "text/html"),
    "report.json": (lambda report: canonical(report_to_dict(report)).decode("utf-8"), "application/json"),
}


async def serve(server: Server, ready: Callable[[int], None]) -> None:
    """Run a server until the process is asked to end; `ready(port)` is called when it listens."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows ends by KeyboardInterrupt
            loop.add_signal_handler(number, stopped.set)
    ready(await server.start())
    try:
        await stopped.wait()
    finally:
        await server.stop()


def _file(path: Path) -> Any:
    async def give(request: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    return give


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(1 << 20):
        yield chunk


def _finite(message: Message, key: str) -> float:
    value = message.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputRefused(f"the page sent no number for {key!r}")
    return max(-1e6, min(1e6, float(value)))
