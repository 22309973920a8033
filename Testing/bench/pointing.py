"""From the choice of a sentence to the new image: how long a click takes on a large scan, drawn in software.

A phantom of 512 × 512 × 300 voxels with its own masks, one axial view and one 3D view in memory. Usage:
`python Testing/bench/pointing.py [--clicks 20] [--rows 512] [--slices 300] [--size 512]`; needs the `scene` extra.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
sys.path.insert(0, str(Path(__file__).parents[1] / "scene"))

from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence
from RegionReportLib.review.highlight import Highlight, highlight_of
from RegionReportLib.scene.pointing import SceneViewer
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.segmentation_reading import masks_of
from RegionReportLib.scene.surfaces import make_surfaces
from RegionReportLib.scene.volume_nodes import volume_of, volume_to_node

from view_host import Views

T = TypeVar("T")


def main() -> None:
    """Measure and print the table."""
    options = arguments()
    volume, masks = phantom(options.rows, options.slices)
    size = " × ".join(str(n) for n in volume.grid.shape_kji[::-1])
    print(f"phantom {size}, {len(masks.structures)} structures; views {options.size} × {options.size} pixels")
    places = finish(places_of(masks))
    shown = [highlight_of(sentence(place), places) for place in spread(places, options.clicks)]
    views = Views((options.size, options.size))
    volume_node = told("volume into the scene", lambda: volume_to_node(views.scene, volume, "CT"))
    node = told("masks into the scene", lambda: masks_to_node(views.scene, volume_node, masks))
    told("surfaces for 3D, all", lambda: finish(make_surfaces(node)))
    told("volume out of the scene", lambda: volume_of(volume_node))
    told("masks out of the scene", lambda: masks_of(node, volume_node))
    views.show(volume_node)
    told("first picture of each view", lambda: [view.render() for view in views.all])
    viewer = SceneViewer(views.scene, volume_node, node, masks.grid)
    table(viewer, views, shown)


def table(viewer: SceneViewer, views: Views, shown: list[Highlight]) -> None:
    """Point at each place, draw the axial view and then the 3D view, and print what each took.

    Processor time, summed over threads, tells what a busy machine does not.
    """
    axial, space = views.slices["axial"], views.space
    for warm in shown[:2]:
        viewer.point_at(warm)
        axial.render()
        space.render()
    steps = ("choosing, nothing drawn", "drawing the slice view", "drawing the 3D view")
    wall: dict[str, list[float]] = {name: [] for name in steps}
    busy: dict[str, list[float]] = {name: [] for name in steps}
    for here in shown:
        for name, act in zip(steps, (lambda here=here: viewer.point_at(here), axial.render, space.render), strict=True):
            start = time.perf_counter(), time.process_time()
            act()
            wall[name].append((time.perf_counter() - start[0]) * 1000)
            busy[name].append((time.process_time() - start[1]) * 1000)
    choose, flat, deep = (wall[name] for name in steps)
    wall["click to slice image"] = [a + b for a, b in zip(choose, flat, strict=True)]
    wall["click to 3D image"] = [a + b for a, b in zip(choose, deep, strict=True)]
    print(f"\n{f'{len(shown)} clicks':26}{'median ms':>12}{'worst ms':>12}{'processor ms':>14}")
    for name, times in wall.items():
        used = f"{statistics.median(busy[name]):14.1f}" if name in busy else ""
        print(f"{name:26}{statistics.median(times):12.1f}{max(times):12.1f}{used}")


def phantom(rows: int, slices: int) -> tuple[Volume, RegionMasks]:
    """Make the scan: whole lungs at about one millimetre."""
    case = told("phantom", lambda: finish(make_case(Recipe(seed=7, scan=Scan(rows=rows, step_mm=1.1, slices=slices)))))
    return case.volume, case.masks


def spread(places: tuple[Place, ...], clicks: int) -> list[Place]:
    """Choose places so that neighbours in the list belong to different regions, as a reader's next sentence may."""
    by_region: dict[str, list[Place]] = {}
    for place in places:
        by_region.setdefault(place.region_id, []).append(place)
    turns = [group[n % len(group)] for n in range(clicks) for group in by_region.values()]
    return turns[:clicks]


def sentence(place: Place) -> Sentence:
    """Return a sentence that is tied to a place."""
    anchor = Anchor(place, AnchorSource.MEASUREMENT)
    return Sentence("s", place.name, (place.region_id,), (anchor,), Polarity.PRESENT, Origin(Author.MEASURED))


def told(what: str, work: Callable[[], T]) -> T:
    """Do something once and print how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"{what:30}{time.perf_counter() - start:8.2f} s")
    return result


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512, help="pixels of each view")
    return parser.parse_args()


if __name__ == "__main__":
    main()
