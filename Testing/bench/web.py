"""The browser door: how soon the page is usable, how soon a click is a picture, how much memory fifty drafts leave.

Needs the `web` extra, Playwright and Chromium. `python Testing/bench/web.py [--rows 512 --slices 300 --clicks 20
--drafts 50]`; a draft of a phantom of that size is made first, and copies of a small one for the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from playwright.sync_api import Page, sync_playwright

CLI = [sys.executable, "-m", "RegionReportLib.cli.main"]
WORDS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
WATCH = """() => { window.came = {}; for (const image of document.querySelectorAll('.view img'))
image.addEventListener('load', () => { window.came[image.parentNode.dataset.view] ??= performance.now(); }); }"""
CLICK = """async (id) => { const still = () => new Promise(done => setTimeout(done, 2)); window.came = {};
const start = performance.now(); document.getElementById(`s-${id}`).click();
while (performance.now() < start + 4000 && Object.keys(window.came).length < 4) await still();
return Object.fromEntries(Object.entries(window.came).map(([view, time]) => [view, time - start])); }"""


def main() -> None:
    """Measure and print."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="regionreport-bench-") as temporary:
        root = Path(temporary)
        large = drafted(root / "large", options.rows, options.slices)
        server, url, started = serve(large, root / "none")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=WORDS)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(url)
            page.wait_for_selector(".one[data-id]", timeout=120_000)
            print(f"page usable after start             {time.perf_counter() - started:8.1f} s")
            print(f"  of which the server computed      {cpu_s(server):8.1f} s")
            page.wait_for_timeout(4000)  # the surfaces
            clicks(page, options.clicks)
            print(f"memory of the server                {rss_mb(server):8.0f} MB")
            browser.close()
        server.terminate()
        server.wait()
        small = drafted(root / "small", 112, 80)
        for number in range(options.drafts):
            shutil.copytree(small, root / "many" / f"draft-{number:03}")
        server, url, _ = serve(None, root / "many")
        asyncio.run(in_turn(server, url, options.drafts))
        server.terminate()
        server.wait()


def clicks(page: Page, count: int) -> None:
    """Click sentence after sentence and print when the first picture of each view came."""
    page.evaluate(WATCH)
    ids = page.evaluate("[...document.querySelectorAll('.one[data-id]')].map(one => one.dataset.id)")
    times: dict[str, list[float]] = {}
    for number in range(count):
        came: dict[str, float] = page.evaluate(CLICK, ids[(number * 7) % len(ids)])
        slices = [came[view] for view in came if view != "3"]
        if slices:
            times.setdefault("click to first slice picture", []).append(min(slices))
        if len(slices) == 3:
            times.setdefault("click to all slice pictures", []).append(max(slices))
        if "3" in came:
            times.setdefault("click to 3D picture", []).append(came["3"])
        page.wait_for_timeout(150)
    for name, values in times.items():
        print(f"{name:36}{statistics.median(values):8.0f} ms median, {max(values):.0f} worst of {len(values)}")


async def in_turn(server: subprocess.Popen[str], url: str, count: int) -> None:
    """Open drafts one after the other and print the server's memory on the way."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url + "socket", origin=url.rstrip("/"), max_msg_size=0) as socket,
    ):
        for number in range(count):
            name = f"draft-{number:03}"
            await socket.send_json({"do": "open", "name": name})
            await opened(socket, name)
            for _ in range(3):
                await socket.send_json({"do": "step", "by": 1})
            await asyncio.sleep(0.7)
            if number in (0, 4, 9, 19, 29, 39, 49, count - 1):
                print(f"memory after {number + 1:3} drafts             {rss_mb(server):8.0f} MB")


async def opened(socket: Any, name: str) -> None:
    """Wait until a draft is on the desk, answering pictures as a page does."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            await socket.send_json({"do": "seen", "view": message.data[0]})
        elif message.type is aiohttp.WSMsgType.TEXT:
            told = json.loads(message.data)
            if told["kind"] == "state" and told["report"] and told["busy"] is None and told["name"].endswith(name):
                return


def drafted(folder: Path, rows: int, slices: int) -> Path:
    """Make a phantom and its draft and return the report folder."""
    step = str(round(330 / slices, 2))
    words = ["phantom", "--seed", "7", "--rows", str(rows), "--slices", str(slices), "--step", step]
    subprocess.run([*CLI, *words, "-o", str(folder / "p")], check=True, capture_output=True)
    words = ["draft", str(folder / "p" / "ct.nii.gz"), "-o", str(folder / "r")]
    subprocess.run([*CLI, *words], check=True, capture_output=True)
    return folder / "r"


def serve(report: Path | None, drafts: Path) -> tuple[subprocess.Popen[str], str, float]:
    """Start the server; return it, its address and the moment of the start."""
    started = time.perf_counter()
    words = ["review", *([str(report)] if report else []), "--no-open", "--port", "0", "--drafts", str(drafts)]
    server = subprocess.Popen([*CLI, *words], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    print(f"server listens after                {time.perf_counter() - started:8.1f} s")
    return server, url, started


def rss_mb(server: subprocess.Popen[str]) -> float:
    """Return the resident memory of a process."""
    return float(psutil.Process(server.pid).memory_info().rss) / 1e6


def cpu_s(server: subprocess.Popen[str]) -> float:
    """Return the seconds of computing of a process and its children that have ended, whatever else was running."""
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--drafts", type=int, default=50)
    return parser.parse_args()


if __name__ == "__main__":
    main()
