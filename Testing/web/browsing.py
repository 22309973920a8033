"""What tests of the page share: opening a report, waiting for pictures or for the session, drawing with the mouse."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROW = ".one[data-id]"


def opened(page: Page, server: Any, report: Path) -> None:
    """Open a report in the page and wait until its sentences are there."""
    server.open(report)
    page.goto(server.url)
    page.wait_for_selector(ROW, timeout=30_000)


def settled(page: Page) -> None:
    """Wait until no new picture has come for a while, counted from now."""
    page.evaluate("() => { window.since = performance.now(); }")
    page.wait_for_function(
        """() => { const now = [...document.querySelectorAll('.view img')].map(i => i.dataset.frame).join();
        if (now !== window.before) { window.before = now; window.since = performance.now(); }
        return performance.now() - window.since > 350; }""",
        timeout=20_000,
    )


def pixels(page: Page, view: int) -> Any:
    """Return the picture that a view of the page shows now, as grey values."""
    data = page.evaluate(
        """async (view) => { const image = document.querySelector(`.view[data-view="${view}"] img`);
        // A picture that is just being exchanged for the next one has no pixels.
        while (!image.complete || !image.naturalWidth) await new Promise((done) => setTimeout(done, 10));
        const canvas = document.createElement('canvas'); canvas.width = image.naturalWidth;
        canvas.height = image.naturalHeight; canvas.getContext('2d').drawImage(image, 0, 0);
        return canvas.toDataURL('image/png').split(',')[1]; }""",
        view,
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"), dtype=float)


def sentences(server: Any) -> Any:
    """Return the sentences of the open report."""
    return server.do(lambda door: door.desk.session.report.sentences)


def until(page: Page, server: Any, true: Any) -> None:
    """Wait until something is true of the session."""
    for _ in range(200):
        if server.do(lambda door: true(door.desk.session)):
            return
        page.wait_for_timeout(25)
    pytest.fail("the session did not get there")


def within(page: Page, true: Any) -> None:
    """Wait until something is true of what the page or the door shows."""
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(50)
    pytest.fail("the page did not get there")


def pull(page: Page, view: int, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the left button in a view, from one place to another, both as parts of it from the upper left."""
    box = page.locator(f".view[data-view='{view}']").bounding_box()
    assert box is not None
    (x0, y0), (x1, y1) = ((box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end))
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=4)
    page.mouse.up()


def window_of(server: Any) -> tuple[float, float]:
    """Return the CT window of the scene."""
    return tuple(server.do(lambda door: door.desk.window))  # type: ignore[return-value]


def answer_flags(page: Page) -> None:
    """Override each blocking flag with a reason."""
    buttons = page.locator("text=keep with a reason")
    while left := buttons.count():
        buttons.first.click()
        page.fill("#why", "seen and accepted")
        page.click("#reason button[data-value=yes]")
        within(page, lambda before=left: buttons.count() < before)


def exported(page: Page, name: str) -> Path:
    """Export a format from the menu and return the file that the browser took."""
    page.click("#export")
    with page.expect_download(timeout=60_000) as download:
        page.click(f"#exporting button[data-offer={name}]")
    return Path(download.value.path())
