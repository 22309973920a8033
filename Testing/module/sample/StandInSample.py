"""A small scripted module, written as one for 3D Slicer, that uses everything the stand-in offers."""

import enum
from typing import Annotated, Optional

import ctk
import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import *  # noqa: F403
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Manner(enum.Enum):
    QUICK = "quick"
    THOROUGH = "thorough"


@parameterNodeWrapper
class StandInSampleParameterNode:
    """What the user chose."""

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: Optional[vtkMRMLSegmentationNode]  # noqa: UP045
    threshold: Annotated[float, WithinRange(-1024, 3071)] = 100
    rounds: int = 3
    invert: bool = False
    note: str = "a note"
    manner: Manner = Manner.QUICK


class StandInSample(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Stand-in sample")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Examples")]
        self.parent.dependencies = []
        self.parent.contributors = ["RegionReport contributors"]
        self.parent.helpText = _("Exercises the stand-in.")


class StandInSampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None
        self.applied = []
        self.undone = 0
        self.clickedRas = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/StandInSample.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = StandInSampleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        self.ui.sentences.setOpenLinks(False)
        self.ui.sentences.connect("anchorClicked(QUrl)", self.onLink)
        self.ui.sentences.setHtml('<p><a href="sentence:1">First sentence.</a></p>')
        self.header = ctk.ctkCollapsibleButton()
        self.header.text = _("Made in code")
        self.layout.addWidget(self.header)
        self.shortcuts = []
        self.initializeParameterNode()

    def cleanup(self):
        self.removeObservers()
        self.removeShortcuts()
        self.setParameterNode(None)

    def enter(self):
        self.initializeParameterNode()
        shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+Z"), slicer.util.mainWindow())
        shortcut.connect("activated()", self.onUndo)
        self.shortcuts.append(shortcut)
        interactor = slicer.app.layoutManager().sliceWidget("Red").sliceView().interactor()
        self.addObserver(interactor, vtk.vtkCommand.LeftButtonPressEvent, self.onSliceClick)

    def exit(self):
        self.removeShortcuts()
        interactor = slicer.app.layoutManager().sliceWidget("Red").sliceView().interactor()
        self.removeObserver(interactor, vtk.vtkCommand.LeftButtonPressEvent, self.onSliceClick)
        self.setParameterNode(None)

    def removeShortcuts(self):
        for shortcut in self.shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self.shortcuts = []

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isVisible():
            self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first:
                self._parameterNode.inputVolume = first

    def setParameterNode(self, node):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
        self._parameterNode = node
        if node:
            self._guiTag = node.connectGui(self.ui)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.checkCanApply)
            self.checkCanApply()

    def checkCanApply(self, caller=None, event=None):
        self.ui.applyButton.enabled = bool(self._parameterNode and self._parameterNode.inputVolume)
        self.ui.applyButton.toolTip = _("Apply") if self.ui.applyButton.enabled else _("Choose a volume")

    def onApply(self):
        with slicer.util.tryWithErrorDisplay(_("Failed."), waitCursor=True):
            self.applied.append((self.ui.inputSelector.currentNode().GetName(), self.ui.threshold.value))

    def onLink(self, url):
        self.applied.append(url.toString())

    def onUndo(self):
        self.undone += 1

    def onSliceClick(self, caller, event):
        crosshair = slicer.util.getNode("Crosshair")
        ras = [0.0, 0.0, 0.0]
        if crosshair.GetCursorPositionRAS(ras):
            self.clickedRas = tuple(ras)


class StandInSampleLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return StandInSampleParameterNode(super().getParameterNode())


class StandInSampleTest(ScriptedLoadableModuleTest):
    def runTest(self):
        slicer.mrmlScene.Clear()
