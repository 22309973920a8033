"""Pictures of the Slicer module beside four views: drafting, all regions, a chosen sentence, a flag, a signed report.

The module runs unchanged on the stand-in of `Testing/module`. Usage:
`python Testing/screenshots.py [--ct FILE] [-o DIR] [--size 1366x768] [--scale 1] [--dark]`; without `--ct` a phantom.
Needs the extras `dev` and `scene`. Pictures of a real patient do not belong into the repository.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from RegionReportLib.imaging.volume import Volume

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent


def main() -> None:
    """Draft, act as a reader would, and take the pictures."""
    options = arguments()
    # Read by Qt and VTK when they are loaded, so before anything else.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    os.environ["QT_SCALE_FACTOR"] = f"{options.scale:g}"
    sys.path[:0] = [str(ROOT), str(HERE / "module" / "standin"), str(HERE / "scene")]
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        take(options, Path(folder))


def take(options: argparse.Namespace, folder: Path) -> None:
    """Start the stand-in, show a scan and take one picture after the other."""
    from slicer_attributes import start

    app, window = start(folder)
    import qt
    import slicer
    from user import User

    from RegionReportLib.scene.volume_nodes import volume_to_node

    settings = qt.QSettings()
    settings.setValue("RegionReport/DraftsFolder", str(folder / "drafts"))
    settings.setValue("RegionReport/Reader", "Dr. A. Reader")
    if options.dark:
        app.setPalette(dark_palette())
    width, height = (round(int(n) / options.scale) for n in options.size.split("x"))
    window.resize(width, height)
    window.show()
    app.processEvents()
    node = volume_to_node(slicer.mrmlScene, scan(options.ct), "CT chest")
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevel(400.0, 40.0)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    module = app.load(ROOT / "RegionReport" / "RegionReport.py")
    user = User(app)
    try:
        for name, act in STEPS:
            act(module, user)
            user.picture(options.out / f"{name}.png")
            small(options.out / f"{name}.png")
    finally:
        app.unload_all()


def dark_palette() -> Any:
    """Return the colours of a dark desktop, about as 3D Slicer's dark style has them."""
    import qt

    palette = qt.QPalette()
    for role, colour in (
        (qt.QPalette.Window, "#353535"),
        (qt.QPalette.WindowText, "#ffffff"),
        (qt.QPalette.Base, "#232323"),
        (qt.QPalette.AlternateBase, "#353535"),
        (qt.QPalette.Text, "#ffffff"),
        (qt.QPalette.Button, "#353535"),
        (qt.QPalette.ButtonText, "#ffffff"),
        (qt.QPalette.Link, "#6cb0ff"),
        (qt.QPalette.Highlight, "#2a82da"),
        (qt.QPalette.PlaceholderText, "#9a9a9a"),
        (qt.QPalette.ToolTipBase, "#353535"),
        (qt.QPalette.ToolTipText, "#ffffff"),
    ):
        palette.setColor(role, qt.QColor(colour))
    for role in (qt.QPalette.WindowText, qt.QPalette.Text, qt.QPalette.ButtonText):
        palette.setColor(qt.QPalette.Disabled, role, qt.QColor("#7f7f7f"))
    return palette


def small(path: Path) -> None:
    """Write a picture with a palette of 128 greys and 128 of its own colours, which takes a third of the room."""
    import numpy as np
    from PIL import Image

    picture = Image.open(path).convert("RGB")
    pixels = np.asarray(picture)
    coloured = pixels[np.ptp(pixels, axis=2) > 12]
    own = Image.fromarray(coloured[None]).quantize(128).getpalette() or []
    greys = [value for grey in np.linspace(0, 255, 128).round() for value in (int(grey),) * 3]
    palette = Image.new("P", (1, 1))
    palette.putpalette((greys + own)[: 256 * 3])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def scan(path: Path | None) -> Volume:
    """Read a scan, or make a phantom with fluid and a consolidation."""
    from RegionReportLib.anatomy.regions import Side
    from RegionReportLib.imaging.read import read_volume
    from RegionReportLib.phantom.case import make_case
    from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe, Scan
    from RegionReportLib.progress import finish

    if path is not None:
        return finish(read_volume(path))
    findings = (
        Finding(FindingKind.EFFUSION, 350.0, Side.LEFT),
        Finding(FindingKind.CONSOLIDATION, 60.0, Side.RIGHT),
    )
    return finish(make_case(Recipe(11, findings=findings, scan=Scan(rows=320, step_mm=2.0)))).volume


def drafting(module: Any, user: Any) -> None:
    """Begin a draft and stop looking when the first regions are written; the draft goes on."""
    user.click(module.ui.draftButton)
    heard = module.panel.drafting._heard
    user.wait(lambda: not module.panel.drafting.running or len(module.panel.drafting._heard) > 12, 600.0)
    assert heard is not None


def regions(module: Any, user: Any) -> None:
    """Wait for the end of the draft and show all regions, nothing chosen."""
    user.wait(lambda: not module.panel.drafting.running, 600.0)
    session = module.panel.reviewing.session
    assert session is not None, module.ui.statusLabel.text
    for node in user.window.views.widgets.values():
        node.draw()
    slicer_views_reset()


def chosen(module: Any, user: Any) -> None:
    """Choose the sentence with the smallest box, with two verdicts given before."""
    session = module.panel.reviewing.session
    for _ in range(2):
        user.key("Down")
        user.key("A")
    whole = {p.box for p in session.report.places if p.structure is None and p.zone is None}
    small = [s for s in session.report.sentences if s.anchors and s.anchors[0].place.box not in whole]
    best = min(small, key=lambda s: (s.regions[0] != "lungs", s.anchors[0].place.box.volume_ml))
    module.panel.reviewing.act("choose", best.id)


def flagged(module: Any, user: Any) -> None:
    """Write the wrong side into a sentence and show both sides of the flag."""
    session = module.panel.reviewing.session
    sided = next(
        s for s in session.report.sentences if "right" in s.text.lower() and s.anchors and s.anchors[0].place.side
    )
    module.panel.reviewing.act("choose", sided.id)
    words = sided.text
    for a, b in (("right", "\0"), ("left", "right"), ("\0", "left"), ("Right", "Left")):
        words = words.replace(a, b)
    module.panel.reviewing.act("change_text", words)
    if session.chosen.flags:
        module.panel.reviewing.act("show_both", session.chosen.flags[0])


def signed(module: Any, user: Any) -> None:
    """Take the wrong words back, look at everything, accept it and sign."""
    review = module.panel.reviewing
    review.act("undo")
    session = review.session
    for sentence in session.report.sentences:
        review.act("choose", sentence.id)
        if not sentence.anchors and not sentence.placeless:
            review.act("mark_placeless")
        review.act("accept")
        for flag in session.chosen.flags:
            if flag.blocking and flag.answer is None:
                review.act("answer", flag, "looked at")
    review.act("choose", session.report.sentences[0].id)
    review.act("sign", "Dr. A. Reader")
    user.settle()


def settings(module: Any, user: Any) -> None:
    """Unfold the settings."""
    module.ui.settingsButton.collapsed = False
    user.settle()


STEPS = (
    ("draft", drafting),
    ("regions", regions),
    ("chosen", chosen),
    ("flag", flagged),
    ("signed", signed),
    ("settings", settings),
)


def slicer_views_reset() -> None:
    """Turn the 3D view to the whole patient, as its button does."""
    import slicer

    slicer.app.layoutManager().resetThreeDViews()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ct", type=Path, help="a chest CT: NIfTI, NRRD or a DICOM folder")
    parser.add_argument("-o", "--out", type=Path, default=Path("screenshots"))
    parser.add_argument("--size", default="1366x768", help="pixels of the whole window")
    parser.add_argument("--scale", type=float, default=1.0, help="device pixels per pixel, 2 for a 4K screen")
    parser.add_argument("--dark", action="store_true", help="with the colours of a dark desktop")
    return parser.parse_args()


if __name__ == "__main__":
    main()
