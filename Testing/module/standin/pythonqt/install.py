"""Makes all of PySide6's object classes behave like PythonQt's; once per process."""

from __future__ import annotations

import functools
import inspect
import sys

if "PySide6" in sys.modules:
    raise RuntimeError("PySide6 was imported before the stand-in: its enums cannot be made int-like any more")
# Flat, int-like enums, as PythonQt has them; must be said before the first import of PySide6.
sys.pyside6_option_python_enum = 0x0F  # type: ignore[attr-defined]

from typing import Any  # noqa: E402

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets  # noqa: E402

from . import problems, properties, references, signals, strict  # noqa: E402

MODULES = (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools)


def _object_classes() -> list[type[Any]]:
    """All QObject classes, bases first; `dir` makes PySide6 load what it loads on demand."""
    found = {
        one
        for module in MODULES
        for name in dir(module)
        if isinstance(one := getattr(module, name), type) and issubclass(one, QtCore.QObject)
    }
    return sorted(found, key=lambda kind: len(kind.__mro__))


def _install() -> None:
    references.spare_none()
    classes = _object_classes()
    reads = {kind: strict.read_of(kind) for kind in classes if "__getattribute__" in kind.__dict__ or kind is _ROOT}
    for kind in classes:
        properties.install(kind)
        for name, one in list(vars(kind).items()):
            if type(one) is QtCore.Signal:  # isinstance would spoil the count of False in PySide6 6.12
                setattr(kind, name, signals.SignalAttribute(one, name))
    _ROOT.__init_subclass__ = classmethod(_guard_overrides)
    _ROOT.name = vars(_ROOT)["objectName"]
    _ROOT.className = lambda self: self.metaObject().className().rpartition(".")[2]
    _ROOT.delete = QtCore.QObject.deleteLater
    for kind in classes:
        if "exec_" in vars(kind):
            kind.exec_ = kind.exec  # PythonQt's name for it, of which PySide6 warns
    for kind, name in _LISTS:
        setattr(kind, name, _as_tuple(getattr(kind, name)))
    for kind in classes:
        if kind in reads:
            kind.__getattribute__ = reads[kind]
        kind.__getattr__ = strict.read_unknown
        kind.__setattr__ = strict.write
    problems.listen()


def _guard_overrides(kind: type[Any], **keywords: Any) -> None:
    """Keep exceptions of virtual functions written in Python from reaching PySide6, which may not survive them."""
    super(_ROOT, kind).__init_subclass__(**keywords)
    if vars(kind).get("STANDS_FOR_CPP"):
        return
    for name, one in list(vars(kind).items()):
        if (
            inspect.isfunction(one)
            and not name.startswith("__")
            and any(name in vars(base) for base in _qt_bases(kind))
        ):
            setattr(kind, name, _guarded(one, name))


def _qt_bases(kind: type[Any]) -> list[type[Any]]:
    return [base for base in kind.__mro__ if base.__module__.startswith("PySide6.")]


def _guarded(function: Any, name: str) -> Any:
    @functools.wraps(function)
    def call(self: Any, *arguments: Any) -> Any:
        try:
            return function(self, *arguments)
        except Exception as error:
            problems.record(error)
            return False if name in ("event", "eventFilter") else None

    return call


def _as_tuple(original: Any) -> Any:
    def read(self: Any, *arguments: Any) -> Any:
        value = original(self, *arguments)
        return tuple(value) if isinstance(value, list) else value

    return read


_ROOT: Any = QtCore.QObject
# Methods whose lists arrive as tuples in PythonQt.
_LISTS: tuple[tuple[Any, str], ...] = (
    (QtCore.QSettings, "value"),
    (QtWidgets.QComboBox, "itemData"),
    (QtWidgets.QListWidgetItem, "data"),
    (QtWidgets.QTableWidgetItem, "data"),
    (QtWidgets.QTreeWidgetItem, "data"),
    (QtGui.QStandardItem, "data"),
)
_install()
