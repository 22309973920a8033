"""Reads `.ui` files with classes of ctk and qMRML; a connection to the scene that the file lacks is not made."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from PySide6 import QtCore, QtUiTools

from . import problems, signals


class QUiLoader(QtUiTools.QUiLoader):
    """Qt's loader, which asks the stand-ins of `ctk` and `slicer` for classes that Qt does not have."""

    STANDS_FOR_CPP = True

    def __init__(self) -> None:
        super().__init__()
        self._unknown: list[str] = []

    def load(self, file: Any, parent: Any = None) -> Any:
        if not file.isOpen():
            file.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        tree = ElementTree.fromstring(bytes(file.readAll().data()))
        kept = _take_scene_connections(tree)
        self._unknown.clear()
        buffer = QtCore.QBuffer()
        buffer.setData(QtCore.QByteArray(ElementTree.tostring(tree)))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if self._unknown:
            raise RuntimeError(f"the .ui file needs classes that the stand-in does not have: {self._unknown}")
        if widget is None:
            raise RuntimeError(f"the .ui file cannot be read: {self.errorString()}")
        for sender, signal, receiver, slot in kept:
            target = _named(widget, receiver)
            signals.connect(_named(widget, sender), signal, getattr(target, slot.partition("(")[0]))
        return widget

    def createWidget(self, name: str, parent: Any = None, object_name: str = "") -> Any:
        try:
            if name.startswith(("ctk", "qMRML", "qSlicer")):
                made = _class(name)(parent)
                made.setObjectName(object_name)
                return made
            return super().createWidget(name, parent, object_name)
        except Exception as error:
            self._unknown.append(name)
            problems.record(error)
            return super().createWidget("QWidget", parent, object_name)


def _class(name: str) -> Any:
    import ctk
    import slicer

    return getattr(ctk if name.startswith("ctk") else slicer, name)


def _take_scene_connections(tree: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    """Take out connections whose signals carry VTK objects: they exist in Python only."""
    taken = []
    for block in tree.iter("connections"):
        for one in list(block):
            texts = [one.findtext(part, "") for part in ("sender", "signal", "receiver", "slot")]
            if "vtk" in texts[1]:
                taken.append((texts[0], texts[1], texts[2], texts[3]))
                block.remove(one)
    return taken


def _named(widget: Any, name: str) -> Any:
    found = widget if widget.objectName == name else QtCore.QObject.findChild(widget, QtCore.QObject, name)
    if found is None:
        raise RuntimeError(f"a connection of the .ui file names {name!r}, which is not there")
    return found
