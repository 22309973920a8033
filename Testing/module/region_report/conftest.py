"""Fixtures for the RegionReport module: a phantom, its draft made once, and a reader who clicks and types."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "RegionReport" / "RegionReport.py"
CREATED = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def drafts(tmp_path: Path, slicer_app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of drafts, the settings and the temporary files of one test."""
    import qt

    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    settings = qt.QSettings()
    settings.setValue("RegionReport/DraftsFolder", str(tmp_path / "drafts"))
    settings.setValue("RegionReport/Reader", "Dr Åse Test")
    yield tmp_path / "drafts"
    settings.clear()


@pytest.fixture(scope="session")
def phantom() -> Any:
    """A small patient with fluid on the right, in a tilted scan."""
    from RegionReportLib.anatomy.regions import Side
    from RegionReportLib.phantom.case import make_case
    from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe, Scan
    from RegionReportLib.progress import finish

    fluid = Finding(FindingKind.EFFUSION, 400.0, Side.RIGHT)
    scan = Scan(rows=96, step_mm=5.0, orientation="LAS", tilt_deg=(6.0, -4.0, 8.0))
    return finish(make_case(Recipe(5, findings=(fluid,), scan=scan)))


@pytest.fixture(scope="session")
def draft_of_phantom(phantom: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the phantom's draft, measured on its true masks; tests work on copies."""
    from RegionReportLib.draft.folder import write_draft
    from RegionReportLib.draft.measured_writer import MeasuredWriter
    from RegionReportLib.draft.pipeline import draft
    from RegionReportLib.progress import finish
    from RegionReportLib.segment import choose as segmenters

    made = finish(
        draft(
            phantom.volume,
            segmenters.segmenter("classical"),
            MeasuredWriter(),
            created_at=CREATED,
            masks=phantom.masks,
        )
    )
    folder = tmp_path_factory.mktemp("phantom") / "draft"
    finish(write_draft(folder, phantom.volume, made))
    return folder


@pytest.fixture
def ct(clean_scene: Any, phantom: Any) -> Any:
    """The phantom in the scene and in the slice views."""
    import slicer
    from RegionReportLib.scene.volume_nodes import volume_to_node

    node = volume_to_node(clean_scene, phantom.volume, "CT chest")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


@pytest.fixture
def module(load_module: Callable[[Path], Any], drafts: Path, ct: Any) -> Any:
    """The module's panel, opened on a scene that holds the CT only."""
    return load_module(FILE)


def put_report_into_scene(ct: Any, phantom: Any, draft: Path, drafts: Path) -> Any:
    """Lay a copy of a finished draft on the disk and into the scene, as drafting does; return its node."""
    from RegionReportLib.scene.segmentation_nodes import masks_to_node
    from RegionReportLib.scene.storage import ReportFiles, keep_report

    folder = drafts / "phantom"
    shutil.copytree(draft, folder)
    scene = ct.GetScene()
    regions = masks_to_node(scene, ct, phantom.masks)
    files = ReportFiles(*((folder / name).read_bytes() for name in ("report.json", "audit.jsonl", "draft.json")))
    return keep_report(scene, files, ct, regions)


@pytest.fixture
def report_node(drafts: Path, ct: Any, phantom: Any, draft_of_phantom: Path) -> Any:
    """The phantom's report in the scene and, as the folder `phantom`, on the disk."""
    return put_report_into_scene(ct, phantom, draft_of_phantom, drafts)


@pytest.fixture
def reader(report_node: Any, load_module: Callable[[Path], Any], user: Any) -> Reader:
    """A reader before the open report of the phantom."""
    return Reader(load_module(FILE), user)


@pytest.fixture
def make_reader() -> Callable[[Any, Any], Reader]:
    """Makes a reader for a panel."""
    return Reader


@dataclass
class Reader:
    """Acts on the panel as a person does."""

    module: Any
    user: Any

    @property
    def ui(self) -> Any:
        return self.module.ui

    @property
    def session(self) -> Any:
        """The open review, None if there is none."""
        return self.module.panel.reviewing.session

    @property
    def chosen(self) -> Any:
        return self.session.chosen

    @property
    def text(self) -> str:
        """All that the list of sentences shows."""
        return str(self.ui.sentenceBrowser.toPlainText())

    @property
    def status(self) -> str:
        return str(self.ui.statusLabel.text)

    def sentence(self, words: str) -> Any:
        """The first sentence with these words."""
        return next(s for s in self.session.report.sentences if words in s.text)

    def draft(self) -> None:
        """Draft with the real worker and wait for it."""
        self.user.click(self.ui.draftButton)
        self.user.wait(lambda: not self.module.panel.drafting.running, 120.0)

    def choose(self, words: str) -> Any:
        """Click a sentence; return it as it is then."""
        self.click_link(f"rr:choose/{self.sentence(words).id}")
        return self.chosen

    def click_link(self, href: str) -> None:
        """Click a link in the list where it is seen."""
        import qt
        import slicer

        slicer.app.processEvents()  # a panel just shown has not its size yet
        browser = self.ui.sentenceBrowser
        browser.scrollToAnchor(href.split("/")[1])
        viewport = browser.viewport()
        for y in range(2, viewport.height, 5):
            for x in range(2, viewport.width, 9):
                if browser.anchorAt(qt.QPoint(x, y)) == href:
                    self.user.click(viewport, (x, y))
                    return
        raise AssertionError(f"the list shows no link {href}:\n{browser.toPlainText()}")

    def menu_action(self, *path: str) -> Any:
        """The entry of the re-tie menu that the words lead to."""
        menu = self.ui.retieButton.menu()
        for words in path[:-1]:
            menu = next(a.menu() for a in menu.actions() if a.text == words)
        return next(a for a in menu.actions() if a.text == path[-1])

    def choose_path(self, path: Path) -> None:
        """Type a path into the next file dialog and accept it; say it before the click that opens it."""
        import qt

        def choose(dialog: Any) -> None:
            dialog.setOption(dialog.DontUseNativeDialog, True)
            dialog.findChild(qt.QLineEdit, "fileNameEdit").text = str(path)  # its list may still be loading
            dialog.accept()

        self.user.in_dialog(choose)

    def judge_all(self) -> None:
        """Go through all sentences by key: look, accept."""
        for _ in self.session.report.sentences:
            self.user.key("Down")
            self.user.key("A")

    def regions(self) -> Any:
        return self.module.panel.reviewing.desk.segmentation_node

    def opacities(self) -> dict[str, float]:
        """2D fill of each segment."""
        display = self.regions().GetDisplayNode()
        return {i: display.GetSegmentOpacity2DFill(i) for i in self.regions().GetSegmentation().GetSegmentIDs()}

    def region_of(self, segment_id: str) -> str:
        """The region that a segment shows."""
        from RegionReportLib.anatomy import regions as anatomy
        from RegionReportLib.scene.segmentation_reading import parts_of

        return next(
            anatomy.structure(p.structures[0]).region_id for p in parts_of(self.regions()) if p.segment_id == segment_id
        )

    def away_mm(self, point: Any) -> float:
        """How far the slices are from a point of the scene, at most."""
        import slicer

        far = 0.0
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            matrix = node.GetSliceToRAS()
            normal = [matrix.GetElement(n, 2) for n in range(3)]
            far = max(far, abs(sum((point[n] - matrix.GetElement(n, 3)) * normal[n] for n in range(3))))
        return far

    def box(self) -> Any:
        """The box that is drawn, None if there is none."""
        import slicer

        shown = [n for n in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode") if n.GetDisplayVisibility()]
        return shown[0] if shown else None
