"""How long the panel keeps a user waiting: the longest standstill of its event loop during a draft of a large scan.

The module runs unchanged on the stand-in of `Testing/module`; its four views are drawn in software, which is counted
by itself. Usage: `python Testing/bench/panel.py [--rows 512] [--slices 300] [--ct FILE]`; needs `dev` and `scene`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TARGET_MS = 100.0


class Watch:
    """Remembers what took how long, in milliseconds."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = {}

    def add(self, what: str, seconds: float) -> None:
        """Remember one piece of work."""
        self.took.setdefault(what, []).append(1000 * seconds)

    def steps(self, work: Any) -> Iterator[Any]:
        """Go through a piece of work and remember each step under the stage that it told."""
        stage = "beginning"
        while True:
            start = time.perf_counter()
            try:
                progress = next(work)
            except StopIteration as stop:
                self.add(f"step after {stage!r}", time.perf_counter() - start)
                return stop.value
            self.add(f"step to {progress.stage!r}", time.perf_counter() - start)
            stage = progress.stage
            try:
                yield progress
            except GeneratorExit:
                work.close()
                raise

    def table(self) -> None:
        """Print the slowest first."""
        print(f"\n{'':60}{'times':>7}{'worst ms':>10}{'in all ms':>11}")
        for what, times in sorted(self.took.items(), key=lambda pair: -max(pair[1])):
            print(f"{what:60}{len(times):7}{max(times):10.0f}{sum(times):11.0f}")


def main() -> None:
    """Draft once and print what kept the event loop."""
    options = arguments()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    sys.path[:0] = [
        str(ROOT),
        str(ROOT / "RegionReport"),
        str(ROOT / "Testing/module/standin"),
        str(ROOT / "Testing/scene"),
    ]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measure(options, Path(folder))


def measure(options: argparse.Namespace, folder: Path) -> None:
    """Show the scan, draft, and let a timer tell each standstill of the event loop."""
    watch = Watch()
    watch_views(watch)
    from slicer_attributes import start

    app, window = start(folder)
    import qt
    import slicer
    from user import User

    from RegionReportLib.scene.volume_nodes import volume_to_node

    qt.QSettings().setValue("RegionReport/DraftsFolder", str(folder / "drafts"))
    window.resize(1366, 768)
    window.show()
    volume = scan(options)
    print(" × ".join(str(n) for n in volume.grid.shape_kji[::-1]), "voxels")
    node = volume_to_node(slicer.mrmlScene, volume, "CT")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    module = app.load(ROOT / "RegionReport" / "RegionReport.py")
    watch_draft(watch)
    user = User(app)
    user.settle()
    watch.took.clear()
    seconds = drafted(module, user, watch)
    watch.table()
    loop = max(watch.took["event loop"])
    print(f"\ndraft {seconds:.1f} s; longest standstill {loop:.0f} ms (target {_TARGET_MS:.0f} ms)")
    app.unload_all()


def watch_draft(watch: Watch) -> None:
    """Time the steps of the draft."""
    from RegionReportSlicer import drafting

    new_draft = drafting.new_draft
    drafting.new_draft = lambda *given, **named: watch.steps(new_draft(*given, **named))


def watch_views(watch: Watch) -> None:
    """Time the drawing of the views, which are made later."""
    from four_up import ViewWidget

    draw = ViewWidget.draw

    def timed(self: Any) -> None:
        start = time.perf_counter()
        draw(self)
        watch.add("drawing a view", time.perf_counter() - start)

    ViewWidget.draw = timed


def drafted(module: Any, user: Any, watch: Watch) -> float:
    """Draft from the click to the open report; return the seconds."""
    import slicer

    start = before = time.perf_counter()
    user.click(module.ui.draftButton)
    watch.add("click on Draft", time.perf_counter() - start)
    while module.panel.drafting.running:
        slicer.app.processEvents()
        now = time.perf_counter()
        watch.add("event loop", now - before)
        before = now
        time.sleep(0.001)
    for _ in range(20):
        before = time.perf_counter()
        slicer.app.processEvents()
        watch.add("event loop", time.perf_counter() - before)
        time.sleep(0.01)
    assert module.panel.reviewing.session is not None, module.ui.statusLabel.text
    return time.perf_counter() - start


def scan(options: argparse.Namespace) -> Any:
    """Read the scan or make a phantom of the wanted size."""
    from RegionReportLib.imaging.read import read_volume
    from RegionReportLib.phantom.case import make_case
    from RegionReportLib.phantom.recipe import Recipe, Scan
    from RegionReportLib.progress import finish

    if options.ct is not None:
        return finish(read_volume(options.ct))
    return finish(make_case(Recipe(7, scan=Scan(rows=options.rows, step_mm=1.1, slices=options.slices)))).volume


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--ct", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
