"""What is to be shown inside 3D Slicer: the module loads, drafts, points, is worked on, and survives the scene.

Run by Slicer's own test runner (`ctest`, `--testing`). One small phantom is drafted; no data is downloaded. pytest runs
the same file on the stand-in of `Testing/module`, which proves the tests, not Slicer.
"""

import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

import qt
import slicer

DRAFTS = "RegionReport/DraftsFolder"


class RegionReportInSlicerTest(unittest.TestCase):
    """Each test starts with an empty scene and leaves the user's drafts and settings alone."""

    def setUp(self):
        slicer.mrmlScene.Clear()
        folder = tempfile.TemporaryDirectory(prefix="regionreport-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        settings = qt.QSettings()
        before = settings.value(DRAFTS)
        self.addCleanup(lambda: settings.setValue(DRAFTS, before) if before else settings.remove(DRAFTS))
        settings.setValue(DRAFTS, str(self.folder / "drafts"))

    def tearDown(self):
        if slicer.util.mainWindow():
            slicer.util.selectModule("Welcome")
        slicer.mrmlScene.Clear()

    # The module

    def test_the_module_is_loaded_with_what_it_needs(self):
        module = slicer.modules.regionreport
        self.assertEqual(module.title, "RegionReport")
        self.assertIn("Informatics", list(module.categories))
        for resource in ("UI/RegionReport.ui", "Icons/RegionReport.png", "requirements.txt"):
            self.assertTrue(Path(slicer.modules.RegionReportInstance.resourcePath(resource)).is_file(), resource)

    def test_opening_the_module_loads_nothing_heavy(self):
        import sys

        before = set(sys.modules)
        self.opened()
        heavy = {"torch", "transformers", "monai", "highdicom"}
        self.assertEqual({name.partition(".")[0] for name in set(sys.modules) - before} & heavy, set())

    def test_every_widget_of_the_panel_is_of_the_class_that_its_file_names(self):
        import xml.etree.ElementTree as ElementTree

        widget = slicer.modules.regionreport.widgetRepresentation().self()
        file = slicer.modules.RegionReportInstance.resourcePath("UI/RegionReport.ui")
        for element in ElementTree.parse(file).iter("widget"):
            if element.get("name") != "RegionReport":
                made = getattr(widget.ui, element.get("name"))
                self.assertEqual(made.className(), element.get("class"), element.get("name"))

    def test_the_panel_outlives_the_closing_of_the_scene(self):
        widget = slicer.modules.regionreport.widgetRepresentation().self()
        widget.enter()
        slicer.mrmlScene.Clear()
        widget.enter()
        self.assertIs(widget.logic.getParameterNode().inputVolume, None)
        widget.exit()

    # The scene

    def test_a_volume_keeps_its_voxels_and_its_place(self):
        from RegionReportLib.scene.volume_nodes import volume_of

        volume = self.phantom(orientation="LAS", tilt_deg=(8.0, -5.0, 12.0))
        node = self.shown(volume)
        again = volume_of(node)
        self.assertLess(abs(again.grid.affine - volume.grid.affine).max(), 1e-6)
        self.assertTrue((again.hu == volume.hu).all())
        self.assertTrue((slicer.util.arrayFromVolume(node) == volume.hu).all())

    def test_a_draft_points_and_returns_with_the_scene(self):
        from RegionReport import RegionReportLogic
        from RegionReportLib.review.highlight import highlight_of
        from RegionReportLib.scene.pointing import SceneViewer
        from RegionReportLib.scene.storage import files_of, report_nodes, report_of, segmentation_node_of

        self.needs_packages()
        volume = self.phantom()
        volume_node = self.shown(volume)
        report_node = RegionReportLogic().draft(volume_node)
        report, masks = report_of(report_node), segmentation_node_of(report_node)
        self.assertIsNotNone(masks.GetSegmentation().GetSegment("airways"))

        placed = next(s for s in report.sentences if s.anchors and s.anchors[0].place.point_mm)
        highlight = highlight_of(placed, report.places)
        viewer = SceneViewer(slicer.mrmlScene, volume_node, masks, volume.grid)
        self.assertEqual(viewer.point_at(highlight), ())
        for name in slicer.app.layoutManager().sliceViewNames():
            self.assertLess(self.distance_mm(name, highlight.point_ras_mm), 0.01, name)
        viewer.clear()

        before = files_of(report_node)
        scene_file = str(self.folder / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(scene_file))
        slicer.mrmlScene.Clear()
        slicer.util.loadScene(scene_file)
        (returned,) = report_nodes(slicer.mrmlScene)
        self.assertEqual(files_of(returned), before)
        self.assertIsNotNone(segmentation_node_of(returned))

    # The panel

    def test_a_report_is_drafted_read_and_signed_in_the_panel(self):
        self.needs_packages()
        widget = self.opened()
        volume_node = self.shown(self.phantom())
        widget.ui.inputVolumeSelector.setCurrentNode(volume_node)
        window = volume_node.GetDisplayNode().GetWindow()
        widget.ui.draftButton.click()
        self.assertEqual(widget.ui.draftButton.text, "Cancel")
        self.wait(lambda: not widget.panel.drafting.running)
        review = widget.panel.reviewing
        self.assertIsNotNone(review.session, widget.ui.statusLabel.text)
        for sentence in review.session.report.sentences:
            self.assertIn(sentence.text, widget.ui.sentenceBrowser.toPlainText())

        widget.ui.filterComboBox.setCurrentIndex(1)  # "open": what is judged leaves the list
        for sentence in review.session.report.sentences:
            review.act("choose", sentence.id)
            if sentence.anchors:
                for name in slicer.app.layoutManager().sliceViewNames():
                    self.assertLess(self.distance_mm(name, sentence.anchors[0].place.point_mm), 0.01, name)
            else:
                review.act("mark_placeless")
            widget.ui.acceptButton.click()
        widget.ui.undoButton.click()
        self.assertFalse(widget.ui.signButton.enabled)
        widget.ui.redoButton.click()
        self.assertTrue(widget.ui.signButton.enabled, widget.ui.signButton.toolTip)
        # In testing mode Slicer answers its questions by itself, not always with yes.
        with unittest.mock.patch.object(slicer.util, "confirmOkCancelDisplay", return_value=True):
            widget.ui.signButton.click()
            self.assertEqual(review.session.report.signature.name, review.reader())
            widget.ui.signButton.click()
        self.assertIsNotNone(review.session.report.predecessor)
        widget.exit()
        self.assertEqual(volume_node.GetDisplayNode().GetWindow(), window)

    def test_a_cancelled_draft_leaves_no_node_and_no_file(self):
        self.needs_packages()
        widget = self.opened()
        widget.ui.inputVolumeSelector.setCurrentNode(self.shown(self.phantom()))
        self.settle()
        before = slicer.mrmlScene.GetNumberOfNodes()
        widget.ui.draftButton.click()
        self.wait(lambda: widget.ui.draftProgressBar.value > 100)
        widget.ui.draftButton.click()
        self.assertFalse(widget.panel.drafting.running)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        drafts = self.folder / "drafts"
        self.assertEqual(list(drafts.iterdir()) if drafts.is_dir() else [], [])

    def test_the_export_menu_enables_or_explains_each_format(self):
        self.needs_packages()
        widget = self.opened()
        widget.ui.inputVolumeSelector.setCurrentNode(self.shown(self.phantom()))
        widget.ui.draftButton.click()
        self.wait(lambda: not widget.panel.drafting.running)
        menu = widget.ui.exportButton.menu()
        widget.panel.reviewing.finishing.export.fill()
        lines = [(action.text, action.enabled, action.toolTip) for action in menu.actions()]
        self.assertTrue(any(text.startswith("Plain text") and enabled for text, enabled, _ in lines))
        for text, enabled, tip in lines:
            self.assertTrue(enabled or len(tip) > 10, text)

    # What the tests share

    def needs_packages(self):
        """Skip where the packages of requirements.txt are not installed; testing mode installs none."""
        from RegionReportSlicer import packages

        if packages.missing():
            self.skipTest(f"not installed in this Slicer: {', '.join(packages.missing())}")

    def opened(self):
        """Show the module, as its user does; return its widget object."""
        if slicer.util.mainWindow() is None:
            self.skipTest("the panel needs a main window")
        slicer.util.selectModule("RegionReport")
        return slicer.modules.regionreport.widgetRepresentation().self()

    def wait(self, done, limit_s=600.0):
        """Run the event loop until `done`; the limit only keeps a broken test from running for ever."""
        end = time.monotonic() + limit_s
        while not done():
            self.assertLess(time.monotonic(), end, "this did not happen in time")
            slicer.app.processEvents()
            time.sleep(0.002)

    def settle(self):
        """Let happen what is due."""
        for _ in range(5):
            slicer.app.processEvents()

    def phantom(self, **geometry):
        """Make a small patient who is known."""
        from RegionReportLib.phantom.case import make_case
        from RegionReportLib.phantom.recipe import Recipe, Scan
        from RegionReportLib.progress import finish

        return finish(make_case(Recipe(5, scan=Scan(rows=96, step_mm=5.0, **geometry)))).volume

    def shown(self, volume):
        """Put a volume into the scene and into the slice views."""
        from RegionReportLib.scene.volume_nodes import volume_to_node

        node = volume_to_node(slicer.mrmlScene, volume, "phantom")
        slicer.util.setSliceViewerLayers(background=node, fit=True)
        return node

    def distance_mm(self, view, point):
        """Return how far a point lies from the plane that a slice view shows."""
        to_ras = slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode().GetSliceToRAS()
        return abs(sum((point[n] - to_ras.GetElement(n, 3)) * to_ras.GetElement(n, 2) for n in range(3)))
