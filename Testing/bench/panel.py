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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_TARGET_MS = 100.0


class Watch:
    """Remembers what took how long: on the clock, and of the processor, which a busy machine does not stretch."""

    def __init__(self) -> None:
        self.took: dict[str, list[tuple[float, float]]] = {}

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Remember one piece of work, in milliseconds of the clock and of this thread."""
        wall, busy = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            spent = (1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - busy))
            self.took.setdefault(what, []).append(spent)

    def steps(self, work: Any) -> Iterator[Any]:
        """Go through a piece of work and remember each step under the stage that it leads to."""
        while True:
            with self.timed("last step"):
                try:
                    progress = next(work)
                except StopIteration as stop:
                    return stop.value
            self.took.setdefault(f"step to {progress.stage!r}", []).append(self.took["last step"].pop())
            try:
                yield progress
            except GeneratorExit:
                work.close()
                raise

    def worst(self, what: str) -> tuple[float, float]:
        """The longest time of the clock and the longest of the processor; not always of the same piece of work."""
        return max(wall for wall, _ in self.took[what]), max(busy for _, busy in self.took[what])

    def table(self) -> None:
        """Print the slowest first."""
        print(f"\n{'':52}{'times':>7}{'worst ms':>10}{'processor':>11}{'in all ms':>11}")
        for what, times in sorted(self.took.items(), key=lambda pair: -self.worst(pair[0])[1]):
            wall, busy = self.worst(what)
            print(f"{what:52}{len(times):7}{wall:10.0f}{busy:11.0f}{sum(w for w, _ in times):11.0f}")


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
    print(f"\ndraft {seconds:.1f} s; longest standstill of the event loop (target {_TARGET_MS:.0f} ms):")
    for what in ("event loop", "event loop without drawing"):
        wall, busy = watch.worst(what)
        print(f"  {what:28} {wall:5.0f} ms, of the processor {busy:5.0f} ms")
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
        with watch.timed("drawing a view"):
            draw(self)

    ViewWidget.draw = timed


def drafted(module: Any, user: Any, watch: Watch) -> float:
    """Draft from the click to the open report; return the seconds."""
    start = time.perf_counter()
    with watch.timed("click on Draft"):
        user.click(module.ui.draftButton)
    after = 20  # turns of the loop in which the open report is drawn
    while after:
        after -= not module.panel.drafting.running
        turn(watch)
        time.sleep(0.001 if module.panel.drafting.running else 0.01)
    assert module.panel.reviewing.session is not None, module.ui.statusLabel.text
    return time.perf_counter() - start


def turn(watch: Watch) -> None:
    """Let the event loop turn once; what the views drew in it is also taken off, for a graphics card would do that."""
    import slicer

    drawn = len(watch.took.get("drawing a view", ()))
    with watch.timed("event loop"):
        slicer.app.processEvents()
    drawing = watch.took.get("drawing a view", [])[drawn:]
    wall, busy = watch.took["event loop"][-1]
    rest = (wall - sum(w for w, _ in drawing), busy - sum(b for _, b in drawing))
    watch.took.setdefault("event loop without drawing", []).append(rest)


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
