"""Stands in for `slicer.ScriptedLoadableModule`: the four base classes, by their published manners.

Same names and life cycle (`setup`, `enter`, `exit`, `cleanup`, `onReload`); no Reload & Test section is drawn.
"""

from __future__ import annotations

import inspect
import unittest
from pathlib import Path
from typing import Any

import qt
import slicer

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


class ModuleDescription:
    """What a module tells of itself on `self.parent`; other names raise."""

    __slots__ = (
        "acknowledgementText",
        "associatedNodeTypes",
        "categories",
        "contributors",
        "dependencies",
        "helpText",
        "hidden",
        "icon",
        "name",
        "path",
        "title",
        "widgetRepresentationCreationEnabled",
    )

    def __init__(self, name: str, path: str) -> None:
        self.name = self.title = name
        self.path = path
        self.categories: list[str] = []
        self.contributors: list[str] = []
        self.dependencies: list[str] = []
        self.helpText = self.acknowledgementText = ""
        self.hidden = False


class ScriptedLoadableModule:
    """The module's card; made at every start, also without a main window."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = self.__class__.__name__
        parent.title = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        parent.helpText = parent.acknowledgementText = ""
        setattr(slicer.modules, f"{self.moduleName}Instance", self)

    def resourcePath(self, filename: str) -> str:
        return _resource(type(self), filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        return f'<p>For more information see the <a href="https://example.org">{docPage or self.moduleName}</a>.</p>'

    def runTest(self, msec: int = 100, **keywords: Any) -> None:
        module = inspect.getmodule(type(self))
        getattr(module, f"{self.moduleName}Test")().runTest()


class ScriptedLoadableModuleWidget:
    """The module's panel; `parent` is a widget of 3D Slicer with a layout, or None to show the panel by itself."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = self.__class__.__name__.removesuffix("Widget")
        self.developerMode = False
        self.logic: Any = None
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        else:
            self.parent = parent
        self.layout = self.parent.layout()
        setattr(slicer.modules, f"{self.moduleName}Widget", self)

    def resourcePath(self, filename: str) -> str:
        return _resource(type(self), filename)

    def setup(self) -> None:
        """Build the panel; once."""

    def cleanup(self) -> None:
        """Called before the application ends or the module is reloaded."""

    def enter(self) -> None:
        """Called each time the module is shown."""

    def exit(self) -> None:
        """Called each time another module is shown."""

    def onReload(self) -> None:
        """Execute the module's file again and rebuild the panel."""
        slicer.app.reload(self)


class ScriptedLoadableModuleLogic:
    """Work without a panel; keeps its parameters in the scene, in one node per module."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = self.__class__.__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def createParameterNode(self) -> Any:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node

    def getParameterNode(self) -> Any:
        found = self.getAllParameterNodes()
        return found[0] if found else slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetModuleName() == self.moduleName]


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's own tests; `runTest` calls what the module lists."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.messageDelay = 0

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        slicer.app.processEvents()

    def runTest(self) -> None:
        """Run no test; modules override it."""


def _resource(kind: type[Any], filename: str) -> str:
    source = inspect.getsourcefile(kind)
    assert source is not None
    return str(Path(source).parent / "Resources" / filename)
