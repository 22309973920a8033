"""What can only be shown inside 3D Slicer: the module loads, drafts, points, and survives the scene.

Run by Slicer's own test runner (`ctest`), not by pytest. One small phantom is drafted; no data is downloaded.
"""

import tempfile
import unittest
from pathlib import Path

import qt
import slicer

DRAFTS = "RegionReport/DraftsFolder"


class RegionReportInSlicerTest(unittest.TestCase):
    """Each test starts with an empty scene and leaves the user's drafts alone."""

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
        slicer.mrmlScene.Clear()

    def test_the_module_is_loaded_with_what_it_needs(self):
        module = slicer.modules.regionreport
        self.assertEqual(module.title, "RegionReport")
        self.assertIn("Informatics", list(module.categories))
        for resource in ("UI/RegionReport.ui", "Icons/RegionReport.png", "requirements.txt"):
            self.assertTrue(Path(slicer.modules.RegionReportInstance.resourcePath(resource)).is_file(), resource)

    def test_the_panel_outlives_the_closing_of_the_scene(self):
        widget = slicer.modules.regionreport.widgetRepresentation().self()
        widget.enter()
        slicer.mrmlScene.Clear()
        widget.enter()
        self.assertIs(widget.logic.getParameterNode().inputVolume, None)
        widget.exit()

    def test_a_volume_keeps_its_voxels_and_its_place(self):
        from RegionReportLib.scene.volume_nodes import volume_of

        volume = self.phantom(orientation="LAS", tilt_deg=(8.0, -5.0, 12.0))
        node = self.shown(volume)
        again = volume_of(node)
        self.assertLess(abs(again.grid.affine - volume.grid.affine).max(), 1e-6)
        self.assertTrue((again.hu == volume.hu).all())
        self.assertTrue((slicer.util.arrayFromVolume(node) == volume.hu).all())

    def test_a_draft_points_and_returns_with_the_scene(self):
        from RegionReportSlicer import packages

        from RegionReport import RegionReportLogic
        from RegionReportLib.review.highlight import highlight_of
        from RegionReportLib.scene.pointing import SceneViewer
        from RegionReportLib.scene.storage import files_of, report_nodes, report_of, segmentation_node_of

        if packages.missing():
            self.skipTest(f"not installed in this Slicer: {', '.join(packages.missing())}")
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
