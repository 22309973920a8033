"""The server: addresses, the socket of a page, start and stop.

Nothing of it is for the open internet: one reader, on this computer or, with a token, on a network that is trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from ..errors import Conflict, InputRefused, RegionReportError
from ..export.text import report_text
from .arrivals import Place
from .conversation import Conversation
from .door import Door
from .drafting import Wish
from .hub import LARGEST_MESSAGE, Hub, Page
from .safety import Guard, add_headers
from .uploads import keep, unpacked
from .views import FourViews

_STATIC = Path(__file__).parent / "static"
_LONGEST_REPORT = 2_000_000
_WISHES = ("writer", "segmenter", "model", "device")


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
        self._conversation = Conversation(self.door, self.hub)
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
        app.router.add_post("/masks", self._masks)
        app.router.add_post("/draft", self._draft)
        app.router.add_get("/export/report.txt", self._text)
        app.router.add_get("/export/{key}/{name}", self._export)
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
                    await self._conversation.hear(page, message.data)
        finally:
            self.hub.left(page)
        return socket

    # Scans and reports ----------------------------------------------------------------------------------------------

    async def _scan(self, request: web.Request) -> web.Response:
        """Take a scan as the body of the request and draft it."""
        return await self._answer(self._take_scan(request))

    async def _take_scan(self, request: web.Request) -> None:
        name = request.query.get("name", "")
        if self.door.works.busy is not None:
            raise Conflict("wait for what is being done, or cancel it first")
        wish = Wish(
            **{key: request.query[key] for key in _WISHES if request.query.get(key)}, masks=self._sent_masks(request)
        )
        path = await keep(self.door.place.scans, name, _chunks(request))
        scan = await asyncio.to_thread(unpacked, path)
        self.door.start(self.door.draft_sent(scan, wish))

    async def _masks(self, request: web.Request) -> web.Response:
        """Keep masks as the body of the request, for the scan that follows; the answer names them."""
        try:
            path = await keep(self.door.place.scans, request.query.get("name", ""), _chunks(request))
        except RegionReportError as problem:
            return web.json_response({"problem": str(problem)}, status=409)
        return web.json_response({"masks": path.name})

    def _sent_masks(self, request: web.Request) -> Path | None:
        name = request.query.get("masks", "")
        if not name:
            return None
        path = self.door.place.scans / Path(name).name
        if not path.is_file():
            raise InputRefused("the regions that were sent are no longer there; send them again")
        return path

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

    # Files ------------------------------------------------------------------------------------------------------------

    async def _text(self, request: web.Request) -> web.Response:
        """Give the report as text for the clipboard."""
        try:
            report = self.door.open_report()[0].report
        except Conflict as problem:
            raise web.HTTPNotFound(text=f"{problem}\n") from problem
        return web.Response(text=report_text(report), content_type="text/plain", charset="utf-8")

    async def _export(self, request: web.Request) -> web.FileResponse:
        """Give a file that was made for a page."""
        file = self.door.exports.find(request.match_info["key"], request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound(text="This file is no longer there; export it again.\n")
        return web.FileResponse(file, headers={"Content-Disposition": f'attachment; filename="{file.name}"'})


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
