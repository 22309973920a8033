"""RegionReport: drafts a chest CT report whose every sentence is tied to its place; the module of 3D Slicer.

The four classes that Slicer looks for, and their wiring. What happens is told in RegionReportSlicer and, without
Slicer, in RegionReportLib.
"""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class RegionReport(ScriptedLoadableModule):
    """What Slicer lists: title, category, help."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("RegionReport")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Informatics")]
        self.parent.dependencies = ["Segmentations", "Volumes", "Markups", "Texts"]
        self.parent.contributors = ["RegionReport contributors"]
        self.parent.helpText = _(
            "Drafts the report of a chest CT, shows six anatomical regions, and ties every sentence to its place. "
            "Choose a sentence to see its place; click into a slice to find the sentences about it; edit, accept or "
            "reject each sentence; sign. Everything runs on this computer. For research, not for patient care."
        )
        self.parent.acknowledgementText = _("Open source under the Apache License 2.0.")
        # In a source tree the library lies beside this folder; an installed extension has both in one.
        library = Path(__file__).resolve().parents[1]
        if (library / "RegionReportLib").is_dir() and str(library) not in sys.path:
            sys.path.append(str(library))


@parameterNodeWrapper
class RegionReportParameterNode:
    """What the scene remembers of the panel."""

    inputVolume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    report: slicer.vtkMRMLTextNode
    followWindow: bool = True
    center: bool = False
    turn3d: bool = True


class RegionReportWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel's life: made, entered, left, its scene closed, removed."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._entered = False
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        """Build the panel; nothing heavy is loaded yet."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/RegionReport.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = RegionReportLogic()
        self.ui.reportSelector.addAttribute("vtkMRMLTextNode", "RegionReport.kind", "report")
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.draftButton.connect("clicked()", self.onDraft)
        self.ui.reportSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onReportChosen)
        self.initializeParameterNode()

    def enter(self):
        """Take up the parameter node and the keys when the user opens the module."""
        self._entered = True
        self.initializeParameterNode()
        if self.ensurePanel(ask=False):
            self.panel.enter()

    def exit(self):
        """Give the keys, the views and the parameter node back when the user leaves the module."""
        self._entered = False
        if self.panel:
            self.panel.exit()
        self.setParameterNode(None)

    def cleanup(self):
        """End everything when the application closes or the module is reloaded."""
        if self.panel:
            self.panel.close()
            self.panel = None
        self.setParameterNode(None)
        self.removeObservers()

    def onReload(self):
        """Forget the library too, so that the reload button of the developer mode reloads all of it."""
        for name in tuple(sys.modules):
            if name.partition(".")[0] in ("RegionReportSlicer", "RegionReportLib"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Let go of all nodes before they vanish; a draft in progress is cancelled, a draft under review is saved."""
        if self.panel:
            self.panel.leave()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Start anew if the module is shown."""
        if self._entered:
            self.initializeParameterNode()

    def onDraft(self):
        """Draft, or cancel the draft in progress; packages are asked for at the first time."""
        with slicer.util.tryWithErrorDisplay(_("RegionReport cannot draft."), waitCursor=False):
            if self.ensurePanel(ask=True):
                self.panel.draft_or_cancel()

    def onReportChosen(self, node):
        """Open the chosen report."""
        with slicer.util.tryWithErrorDisplay(_("The report cannot be opened."), waitCursor=False):
            if self.ensurePanel(ask=False):
                self.panel.open_report(node)

    def ensurePanel(self, ask):
        """Load the working parts; without their packages ask for these, or stay without a panel if not `ask`."""
        if self.panel is None:
            from RegionReportSlicer import packages

            if packages.missing() and not ask:
                return False
            try:
                packages.ensure(Path(self.resourcePath("requirements.txt")))
            except packages.Declined as declined:
                self.ui.statusLabel.text = f"{declined} Press Draft report to be asked again."
                return False
            from RegionReportSlicer.panel import Panel

            self.panel = Panel(self.ui, lambda: self._parameterNode, self.layout.parentWidget())
            self.panel.enter()
        return True

    def initializeParameterNode(self):
        """Take the parameter node of the scene; an empty volume selector gets the first volume."""
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first:
                self._parameterNode.inputVolume = first

    def setParameterNode(self, parameterNode):
        """Connect the widgets to another parameter node, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)


class RegionReportLogic(ScriptedLoadableModuleLogic):
    """Drafting without the panel, for scripts and tests."""

    def getParameterNode(self):
        """Return the typed parameter node of the scene."""
        return RegionReportParameterNode(super().getParameterNode())

    def draft(self, volumeNode, writer="measured", segmentationNode=None, text=None):
        """Draft the report of a volume node and return its report node; blocks until it is done.

        Errors of the library (a scan that is no chest CT, a worker that fails) are raised with their reason.
        """
        import time

        from RegionReportSlicer.run import new_draft

        from RegionReportLib.worker.doing import Waiting

        work = new_draft(volumeNode, writer=writer, segmentation_node=segmentationNode, text=text)
        try:
            while True:
                if isinstance(next(work), Waiting):
                    time.sleep(0.02)
        except StopIteration as stop:
            return stop.value.report_node


class RegionReportTest(ScriptedLoadableModuleTest):
    """The self test behind Reload and Test: a phantom is drafted and its first sentence points somewhere."""

    def setUp(self):
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """Run all self tests."""
        self.setUp()
        self.test_phantom()

    def test_phantom(self):
        """Draft a phantom patient and look at the result."""
        from RegionReportLib.phantom.case import make_case
        from RegionReportLib.phantom.recipe import Recipe, Scan
        from RegionReportLib.progress import finish
        from RegionReportLib.scene.storage import report_of, segmentation_node_of
        from RegionReportLib.scene.volume_nodes import volume_to_node

        case = finish(make_case(Recipe(5, scan=Scan(rows=96, step_mm=5.0))))
        volumeNode = volume_to_node(slicer.mrmlScene, case.volume, "phantom")
        reportNode = RegionReportLogic().draft(volumeNode)
        self.assertGreater(len(report_of(reportNode).sentences), 5)
        self.assertIsNotNone(segmentation_node_of(reportNode))
        self.delayDisplay("RegionReport self test passed")
