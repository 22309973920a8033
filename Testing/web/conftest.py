"""A draft to review, a server in a thread or in a process of its own, and a real Chromium to look at it.

Chromium is the system's (`REGIONREPORT_CHROMIUM` names another); without it, or without Playwright or trame-slicer, the
tests are skipped with the reason.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from RegionReportLib.web.app import Server

T = TypeVar("T")

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
CHROMIUM_WORDS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chest phantom with a nodule in the left upper zone and fluid on the right."""
    folder = tmp_path_factory.mktemp("scan")
    words = ("--rows", "112", "--step", "4", "--finding", "nodule:22:left:upper", "--finding", "effusion:300:right")
    command("phantom", "--seed", "7", *words, "-o", str(folder / "p"))
    return folder / "p" / "ct.nii.gz"


@pytest.fixture(scope="session")
def drafted(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its draft; tests work on copies."""
    folder = tmp_path_factory.mktemp("drafted") / "report"
    command("draft", str(scan), "-o", str(folder))
    return folder


@pytest.fixture
def report(drafted: Path, tmp_path: Path) -> Path:
    """A fresh copy of the draft."""
    return Path(shutil.copytree(drafted, tmp_path / "report"))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One browser for all tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: regionreport[dev]")
    names = (os.environ.get("REGIONREPORT_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this computer: on Debian apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("browser")),
            executable_path=found,
            args=CHROMIUM_WORDS,
            viewport={"width": 1280, "height": 720},
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: BrowserContext) -> Iterator[Page]:
    """A new tab; an error of its script fails the test."""
    tab = chromium.new_page()
    tab.set_default_timeout(20_000)
    problems: list[str] = []
    tab.on("pageerror", lambda error: problems.append(str(error)))
    yield tab
    tab.close()
    assert not problems


class InThread:
    """A server in a thread of this process, so that a test can look at its scene."""

    def __init__(self, drafts: Path) -> None:
        self._drafts = drafts
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.server: Server | None = None
        self.port = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(300)  # only keeps a broken start from lasting for ever

    async def _run(self) -> None:
        from RegionReportLib.web.app import Address, Server
        from RegionReportLib.web.arrivals import Place

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.server = Server(Address("127.0.0.1", 0), Place(self._drafts, "Dr Test"))
        self.port = await self.server.start()
        self._ready.set()
        await self._stop.wait()
        await self.server.stop()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def do(self, act: Callable[[Any], T]) -> T:
        """Call `act(door)` in the server's thread and return what it returns."""
        assert self._loop is not None
        assert self.server is not None
        door = self.server.door

        async def call() -> T:
            return act(door)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    def open(self, folder: Path) -> None:
        """Put a report on the desk."""
        self.do(lambda door: door.start(door.open(folder)))

    def opened(self, folder: Path) -> None:
        """Put a report on the desk and wait until it can be worked on."""
        self.open(folder)
        for _ in range(600):
            if self.do(lambda door: door.desk is not None and door.desk.session is not None):
                return
            time.sleep(0.05)
        pytest.fail("the report was not opened")

    def clear(self) -> None:
        """Take it off again, so that the next test starts anew."""

        async def clear() -> None:
            assert self.server is not None
            door = self.server.door
            door.cancel()
            await asyncio.sleep(0.05)
            door._drop()
            door.message = ""
            door.changed()

        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(clear(), self._loop).result(30)

    def close(self) -> None:
        """Stop the server."""
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InThread]:
    """One server for all tests that look at a scene; starting views takes seconds."""
    pytest.importorskip("trame_slicer", reason="the page needs trame-slicer: regionreport[web]")
    pytest.importorskip("aiohttp", reason="the page needs aiohttp: regionreport[web]")
    running = InThread(tmp_path_factory.mktemp("drafts"))
    yield running
    running.close()


@pytest.fixture
def server(one_server: InThread) -> Iterator[InThread]:
    """That server with nothing on its desk."""
    yield one_server
    one_server.clear()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Start `regionreport review` as a user does; returns the process and the address that it printed."""
    pytest.importorskip("trame_slicer", reason="the page needs trame-slicer: regionreport[web]")
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> tuple[subprocess.Popen[str], str]:
        run = [sys.executable, "-m", "RegionReportLib.cli.main", "review", *words, "--no-open"]
        process = subprocess.Popen([*run, "--drafts", str(tmp_path / "drafts")], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
        return number


def command(*words: str) -> None:
    """Run the command line."""
    run = [sys.executable, "-m", "RegionReportLib.cli.main", *words]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
