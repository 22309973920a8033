"""What must not get through: strangers, other sites, wrong tokens, texts and files that are too much."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.store import open_draft, view_draft

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("aiohttp", reason="the page needs aiohttp: regionreport[web]")

import aiohttp

from RegionReportLib.web import uploads

T = TypeVar("T")
Start = Callable[..., "tuple[subprocess.Popen[str], str]"]
_ENDS = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
ROW = ".one[data-id]"


def status(url: str, method: str = "GET", **headers: str) -> int:
    """Return what a plain client is answered."""
    request = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_other_sites_and_foreign_names_are_refused(server: Any) -> None:
    own = server.url.rstrip("/")
    host = own.removeprefix("http://")
    assert status(own + "/") == 200
    assert status(own + "/", Host="evil.example") == 403  # a name that was made to lead here
    assert status(own + "/", Origin="http://evil.example") == 403
    assert status(own + "/draft", "POST") == 403  # a form of another site may come without an origin
    assert status(own + "/draft", "POST", Origin="null") == 403
    assert status(own + "/draft", "POST", Origin=f"http://{host}", Content_Type="text/plain") == 409
    assert status(own + "/socket", Upgrade="websocket", Connection="Upgrade") == 403


def test_a_socket_of_another_site_is_refused_and_a_flood_of_nonsense_is_survived(server: Any, report: Path) -> None:
    server.opened(report)

    async def talk() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(server.url + "socket", origin="http://evil.example")
            assert refused.value.status == 403
            own = server.url.rstrip("/")
            async with session.ws_connect(server.url + "socket", origin=own) as socket:
                for text in (
                    "{",
                    "[]",
                    "null",
                    '{"do": 5}',
                    '{"do": "sign"}',
                    '{"do": "retie", "place": 1e9}',
                    "[" * 9000,
                ):
                    await socket.send_str(text)
                for message in (
                    {"do": "size", "view": 99, "w": 1e300, "h": -5},
                    {"do": "size", "view": 0, "w": "x"},
                    {"do": "mouse", "view": 1, "kind": "__class__", "x": 0, "y": 0},
                    {"do": "open", "name": "../../etc"},
                    {"do": "add", "text": "\ud800"},
                    {"do": "add", "text": "x" * 10_001},
                    {"do": "edit", "id": "nobody", "text": "words"},
                    {"do": "answer", "id": None, "n": True, "text": "y"},
                    {"do": ["seen"]},
                    {"do": "box", "region": "__class__"},
                    {"do": "box_take"},
                    {"do": "box_set", "low": [1e99, 0, "x"], "high": None},
                    {"do": "box_drag", "view": 3, "x": 0, "y": 0, "x2": 1, "y2": 1},
                    {"do": "window", "width": -1, "level": 1e308},
                    {"do": "settings", "follow_window": "yes"},
                    {"do": "export", "name": "../report"},
                    {"do": "series", "uid": "1.2.3"},
                    {"do": "addendum"},
                    {"do": "shift", "by": {}},
                ):
                    await socket.send_str(json.dumps(message))
                with contextlib.suppress(ConnectionError):  # it may be closed before all is sent
                    await socket.send_str(json.dumps({"do": "add", "text": "y" * 5_000_000}))
                with contextlib.suppress(ConnectionError):
                    while (got := await socket.receive(timeout=20)).type not in _ENDS:
                        assert got.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
                assert socket.closed

    apart(talk())
    assert status(server.url) == 200
    assert view_draft(report).report.sentences == server.do(lambda door: door.desk.session.report.sentences)
    assert len(view_draft(report).history()) == 1, "nothing of it reached the draft"


def test_paths_lead_nowhere_else(server: Any) -> None:
    for path in (
        "../app.py",
        "%2e%2e/app.py",
        "static/../app.py",
        "export/../../report.json",
        "..%2fdoor.py",
        "export/x",
    ):
        assert status(server.url + path) == 404


def test_with_a_token_nothing_is_given_without_it(start: Start, report: Path, page: Page) -> None:
    process, url = start(str(report), "--host", "0.0.0.0", "--port", "0")
    address, _, token = url.partition("?token=")
    assert len(token) >= 43
    address = address.replace("0.0.0.0", "127.0.0.1")
    assert status(address) == 401
    assert status(address + "?token=" + token[:-1]) == 401
    assert status(address + "export/report.txt") == 401
    assert status(address + "socket", Cookie="regionreport_token=nonsense") == 401
    page.goto(f"{address}?token={token}")
    page.wait_for_selector(ROW)
    assert token not in page.url, "the token does not stay in the history"
    assert page.evaluate("document.cookie") == "", "no script can read it"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    with open_draft(report, actor="next"):  # its lock is given back
        pass


def test_a_killed_server_loses_no_act_and_no_typed_word(start: Start, report: Path, page: Page, free_port: int) -> None:
    process, url = start(str(report), "--port", str(free_port))
    page.goto(url)
    page.wait_for_selector(ROW)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    page.wait_for_selector(".one[data-state=accepted]")
    page.keyboard.press("ArrowDown")
    chosen = page.get_attribute(".one[aria-selected=true]", "data-id")
    page.keyboard.press("Enter")
    page.fill("#words", "Half typed when the power")
    process.kill()
    process.wait()
    page.wait_for_selector("#lost:visible")
    page.keyboard.press("Control+Enter")
    assert page.input_value("#words") == "Half typed when the power", "words that cannot be sent stay"
    start(str(report), "--port", str(free_port))
    page.wait_for_selector("#lost", state="hidden")
    page.wait_for_selector(".one[data-state=accepted]")
    page.reload()
    page.wait_for_selector("#editor:visible")
    assert page.input_value("#words") == "Half typed when the power"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(f"#s-{chosen}[data-state=edited]")
    assert view_draft(report).report.sentence(chosen or "").text == "Half typed when the power"


def test_the_page_asks_nobody_but_its_server(server: Any, report: Path, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    server.open(report)
    page.goto(server.url)
    page.wait_for_selector(ROW)
    page.wait_for_timeout(500)
    assert asked
    assert not [url for url in asked if not url.startswith((server.url, f"blob:{server.url}"))]


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_an_upload_is_kept_under_a_name_of_our_own(tmp_path: Path) -> None:
    kept = apart(uploads.keep(tmp_path / "scans", "../../etc/p\u00e4 ss<wd>.nii.gz", _pieces(b"a", b"b")))
    assert kept.parent == tmp_path / "scans"
    assert kept.name.endswith(".nii.gz")
    assert kept.read_bytes() == b"ab"
    assert not set(kept.name) & set("<>/\\ ")


@pytest.mark.parametrize("name", ["scan.exe", "", ".", "nii", "scan.nii.gz.html"])
def test_what_is_no_scan_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputRefused):
        apart(uploads.keep(tmp_path / "scans", name, _pieces(b"a")))


def test_an_upload_that_is_too_large_or_empty_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_UPLOAD", 10)
    for pieces in ((b"12345", b"678901"), ()):
        with pytest.raises(InputRefused):
            apart(uploads.keep(tmp_path / "scans", "a.nii", _pieces(*pieces)))
    assert not list((tmp_path / "scans").iterdir())


def test_an_archive_cannot_write_elsewhere_or_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../../outside.dcm", b"x")
        archive.writestr("/absolute.dcm", b"y")
    folder = uploads.unpacked(evil)
    assert sorted(f.name for f in folder.iterdir()) == ["000000.dcm", "000001.dcm"]
    assert not evil.exists()
    assert not (tmp_path.parent / "outside.dcm").exists()
    monkeypatch.setattr(uploads, "_LARGEST_UNPACKED", 1000)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", b"\0" * 100_000)
    with pytest.raises(InputRefused, match="unpacks to more"):
        uploads.unpacked(bomb)
    assert not (tmp_path / "bomb").exists()
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(InputRefused, match="cannot be unpacked"):
        uploads.unpacked(broken)
