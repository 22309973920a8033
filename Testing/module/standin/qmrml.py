"""Stands in for the widgets of 3D Slicer that know the scene; `slicer_attributes` puts them on the `slicer` module.

Node selectors are bound to the scene for real: they list its nodes, follow what is added, removed and renamed.
"""

from __future__ import annotations

from typing import Any

import qt
import shiboken6
import vtk
from PySide6.QtCore import Property
from pythonqt import signals

_CREATE = "create a new node"
_DEFAULTS: dict[str, Any] = {
    "nodeTypes": [],
    "noneEnabled": False,
    "noneDisplay": "",
    "addEnabled": True,
    "removeEnabled": True,
    "renameEnabled": False,
    "editEnabled": False,
    "showHidden": False,
    "showChildNodeTypes": True,
    "selectNodeUponCreation": True,
    "baseName": "",
}


def _kept(name: str) -> Property:
    default = _DEFAULTS[name]
    kind = "QStringList" if isinstance(default, list) else type(default)

    def read(self: Any) -> Any:
        value = self._kept[name]
        return tuple(value) if isinstance(value, list) else value

    return Property(kind, read, lambda self, value: self._keep(name, value))


class qMRMLWidget(qt.QWidget):
    """A widget that knows a scene and tells its children when the .ui file connects them."""

    STANDS_FOR_CPP = True
    PYTHON_SIGNALS = ("mrmlSceneChanged(vtkMRMLScene*)",)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            signals.emit(self, "mrmlSceneChanged(vtkMRMLScene*)", scene)


class qSlicerWidget(qMRMLWidget):
    """The same under the name that module panels use."""


class qMRMLNodeComboBox(qt.QWidget):
    """Chooses a node of the scene by class. Without a scene it is disabled, as the real one is."""

    STANDS_FOR_CPP = True
    PYTHON_SIGNALS = (
        "currentNodeChanged(vtkMRMLNode*)",
        "currentNodeChanged(bool)",
        "currentNodeIDChanged(QString)",
        "nodeActivated(vtkMRMLNode*)",
        "nodeAddedByUser(vtkMRMLNode*)",
        "mrmlSceneChanged(vtkMRMLScene*)",
    )

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._observed: list[tuple[Any, int]] = []
        self._nodes: list[Any] = []
        self._current_id = ""
        self._attributes: list[tuple[str, str, str | None]] = []
        self._kept: dict[str, Any] = dict(_DEFAULTS)
        self._combo = qt.QComboBox(self)
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._combo.connect("activated(int)", self._activated)
        self.setEnabled(False)

    # what modules call

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        self._let_go()
        self._scene = scene
        self.setEnabled(scene is not None)
        if scene is not None:
            for event in (
                scene.NodeAddedEvent,
                scene.NodeRemovedEvent,
                scene.EndBatchProcessEvent,
                scene.EndCloseEvent,
            ):
                self._observed.append((scene, scene.AddObserver(event, self._scene_changed)))
        self._fill()

    def currentNode(self) -> Any:
        return None if self._scene is None or not self._current_id else self._scene.GetNodeByID(self._current_id)

    def setCurrentNode(self, node: Any) -> None:
        self._choose("" if node is None else node.GetID() or "")

    def setCurrentNodeID(self, identifier: str) -> None:
        self._choose(identifier or "")

    def setCurrentNodeIndex(self, index: int) -> None:
        self._choose(self._nodes[index].GetID())

    def nodeCount(self) -> int:
        return len(self._nodes)

    def nodeFromIndex(self, index: int) -> Any:
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    def addAttribute(self, kind: str, name: str, value: str | None = None) -> None:
        self._attributes.append((kind, name, value))
        self._fill()

    def removeAttribute(self, kind: str, name: str) -> None:
        self._attributes = [one for one in self._attributes if one[:2] != (kind, name)]
        self._fill()

    def addNode(self, kind: str = "") -> Any:
        """Make a node as the entry "Create new ..." does."""
        kind = kind or self._kept["nodeTypes"][0]
        base = self._kept["baseName"] or self._scene.GetTagByClassName(kind)
        node = self._scene.AddNewNodeByClass(kind, self._scene.GenerateUniqueName(base))
        if self._kept["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        signals.emit(self, "nodeAddedByUser(vtkMRMLNode*)", node)
        return node

    # what happens

    def _let_go(self) -> None:
        for one, tag in self._observed:
            one.RemoveObserver(tag)
        self._observed.clear()

    def _activated(self, index: int) -> None:
        data = self._combo.itemData(index)
        if data == _CREATE:
            self.addNode()
        else:
            self._choose(data)
            signals.emit(self, "nodeActivated(vtkMRMLNode*)", self.currentNode())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _scene_changed(self, scene: Any, event: str, node: Any = None) -> None:
        if not shiboken6.isValid(self):  # destroyed with its parent; in C++ the observers go along
            self._let_go()
            return
        # A scene that is being loaded or closed is shown when that is over.
        if not scene.IsBatchProcessing():
            self._fill()

    def _renamed(self, node: Any, event: str) -> None:
        for index in range(self._combo.count):
            if self._combo.itemData(index) == node.GetID():
                self._combo.setItemText(index, node.GetName() or "")

    def _listed(self) -> list[Any]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(n) for n in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if node is not None and self._fits(node)]

    def _fits(self, node: Any) -> bool:
        exact = not self._kept["showChildNodeTypes"]
        kinds = [k for k in self._kept["nodeTypes"] if (node.GetClassName() == k if exact else node.IsA(k))]
        if not kinds or (node.GetHideFromEditors() and not self._kept["showHidden"]):
            return False
        wanted = [(name, value) for kind, name, value in self._attributes if kind in kinds]
        return all(
            node.GetAttribute(name) is not None if value is None else node.GetAttribute(name) == value
            for name, value in wanted
        )

    def _fill(self) -> None:
        for node in self._nodes:
            for one, tag in [pair for pair in self._observed if pair[0] is node]:
                one.RemoveObserver(tag)
                self._observed.remove((one, tag))
        self._nodes = self._listed()
        self._observed += [
            (node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._renamed)) for node in self._nodes
        ]
        self._combo.clear()
        if self._kept["noneEnabled"]:
            self._combo.addItem(self._kept["noneDisplay"] or "None", "")
        for node in self._nodes:
            self._combo.addItem(node.GetName() or "", node.GetID())
        if self._kept["addEnabled"] and self._scene is not None:
            for kind in self._kept["nodeTypes"][:1]:
                self._combo.addItem(f"Create new {self._scene.GetTagByClassName(kind)}", _CREATE)
        self._choose(self._current_id)

    def _choose(self, identifier: str) -> None:
        known = [node.GetID() for node in self._nodes]
        if identifier not in known:
            identifier = known[0] if known and not self._kept["noneEnabled"] else ""
        changed, self._current_id = identifier != self._current_id, identifier
        self._combo.setCurrentIndex(self._combo.findData(identifier))
        if changed:
            node = self.currentNode()
            signals.emit(self, "currentNodeChanged(vtkMRMLNode*)", node)
            signals.emit(self, "currentNodeChanged(bool)", node is not None)
            signals.emit(self, "currentNodeIDChanged(QString)", identifier)

    def _keep(self, name: str, value: Any) -> None:
        self._kept[name] = list(value) if isinstance(value, tuple) else value
        self._fill()

    nodeTypes = _kept("nodeTypes")
    noneEnabled = _kept("noneEnabled")
    noneDisplay = _kept("noneDisplay")
    addEnabled = _kept("addEnabled")
    removeEnabled = _kept("removeEnabled")
    renameEnabled = _kept("renameEnabled")
    editEnabled = _kept("editEnabled")
    showHidden = _kept("showHidden")
    showChildNodeTypes = _kept("showChildNodeTypes")
    selectNodeUponCreation = _kept("selectNodeUponCreation")
    baseName = _kept("baseName")
    currentNodeID = Property(str, lambda self: self._current_id, setCurrentNodeID)


WIDGETS = (qMRMLWidget, qSlicerWidget, qMRMLNodeComboBox)
