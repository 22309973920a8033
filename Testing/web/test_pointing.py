"""What is pointed at is shown: slices at the place, the box, the camera; the mouse looks on its own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import opened, pixels, pull, sentences, settled, until, window_of, within
from PIL import Image

from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_each_sentence_brings_its_place_into_all_views(page: Page, server: Any, report: Path, scan: Path) -> None:
    opened(page, server, report)
    settled(page)
    volume = finish(read_volume(scan))
    tied = [s for s in sentences(server) if s.anchors]
    assert len(tied) > 10
    regions = set()
    for sentence in tied:
        page.click(f"#s-{sentence.id} .text")
        until(page, server, lambda session, wanted=sentence.id: session.chosen and session.chosen.id == wanted)
        point = sentence.anchors[0].place.point_mm
        offsets = server.do(lambda door: door.views.offsets())
        assert offsets["axial"] == pytest.approx(point[2], abs=0.1)
        assert abs(offsets["coronal"]) == pytest.approx(abs(point[1]), abs=0.1)
        assert abs(offsets["sagittal"]) == pytest.approx(abs(point[0]), abs=0.1)
        if sentence.regions[0] not in regions:
            regions.add(sentence.regions[0])
            window = window_of(server)
            for view, name in enumerate(("axial", "coronal", "sagittal")):
                within(page, lambda v=view, n=name, w=window: _is_there(server, n, pixels(page, v), (volume, w)))
    assert len(regions) >= 4
    assert all(s.viewed for s in sentences(server) if s.anchors)


def _is_there(server: Any, name: str, picture: Any, scan: tuple[Any, tuple[float, float]]) -> bool:
    """Tell whether a picture shows the voxels where the view says that it looks, and not those 25 mm beside them."""
    here, below, above = (_likeness(server, name, picture, scan, away) for away in (0.0, -25.0, 25.0))
    return here > 0.75 and here > max(below, above)


def _likeness(server: Any, name: str, picture: Any, scan: tuple[Any, tuple[float, float]], away_mm: float) -> float:
    """Correlate a picture with the scan's voxels in the plane of its view, or in a parallel one."""
    volume, (width, level) = scan
    steps = np.linspace(0.12, 0.88, 40)
    grid = [(x, y) for y in steps for x in steps]
    world = np.array(server.do(lambda door: [door.views.point_at(name, x, y) for x, y in grid]))
    world[:, ("sagittal", "coronal", "axial").index(name)] += away_mm
    index = np.rint(np.c_[world, np.ones(len(world))] @ np.linalg.inv(volume.grid.affine).T)[:, 2::-1].astype(int)
    inside = ((index >= 0) & (index < volume.grid.shape_kji)).all(axis=1)
    if inside.sum() < 300:
        return -1.0
    expected = np.clip((volume.hu[tuple(index[inside].T)].astype(float) - level) / width + 0.5, 0, 1)
    rows, columns = picture.shape
    shown = np.array([picture[int(y * rows), int(x * columns)] for x, y in grid])[inside]
    return float(np.corrcoef(shown, expected)[0, 1])


def test_the_left_nodule_is_shown_left_and_boxed(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    settled(page)
    left = next(s for s in sentences(server) if s.text.startswith("Dense lung") and "left lung" in s.text)
    before = pixels(page, 3)
    page.click(f"#s-{left.id} .text")
    until(page, server, lambda session: session.chosen is not None)
    assert left.anchors[0].place.point_mm[0] < 0  # RAS: left is negative x
    within(page, lambda: np.abs(pixels(page, 3) - before).mean() > 2)  # the 3D view turned to it
    with Image.open(io.BytesIO(page.locator(".view[data-view='0']").screenshot())) as shot:
        colours = np.asarray(shot.convert("RGB"), dtype=int)
    yellow = (colours[..., 0] > 150) & (colours[..., 1] > 140) & (colours[..., 2] < 110)
    assert yellow.sum() > 30, "the box is drawn"
    assert np.nonzero(yellow)[1].mean() > colours.shape[1] / 2, "the patient's left is on the right of the picture"


def test_the_wheel_scrolls_and_a_drag_is_no_click(page: Page, server: Any, report: Path) -> None:
    opened(page, server, report)
    settled(page)
    before = server.do(lambda door: door.views.offsets())["axial"]
    box = page.locator(".view[data-view='0']").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -240)
    within(page, lambda: abs(server.do(lambda door: door.views.offsets())["axial"] - before) > 1)
    window = window_of(server)
    pull(page, 0, (0.5, 0.5), (0.65, 0.5))
    within(page, lambda: window_of(server) != window)  # a drag sets the CT window
    settled(page)
    assert server.do(lambda door: door.desk.session.found) == ()
    width, level = (str(round(value)).replace("-", "\N{MINUS SIGN}") for value in window_of(server))
    page.wait_for_function(
        "(told) => document.querySelector('.view[data-view=\"0\"] .look').textContent.endsWith(told)",
        arg=f"W {width} L {level}",
    )
