"""Attribute access by PythonQt's rules: unknown names raise on reading and writing, children are found by name.

PySide6 lets any attribute be written on any object, which hides typing errors; PythonQt does not on C++ objects.
"""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from . import signals

_dynamic_names = QtCore.QObject.dynamicPropertyNames
_property = QtCore.QObject.property
_set_property = QtCore.QObject.setProperty
_MISSING = object()


def _bound(function: Any, owner: Any) -> Any:
    def call(*arguments: Any) -> Any:
        return function(owner, *arguments)

    return call


def read_of(kind: type[Any]) -> Any:
    """Return a `__getattribute__` that knows PythonQt's `connect` on objects and leaves the static ones alone."""
    original = kind.__getattribute__

    def read(self: Any, name: str) -> Any:
        if name == "connect":
            return _bound(signals.connect, self)
        if name == "disconnect":
            return _bound(signals.disconnect, self)
        return original(self, name)

    return read


def read_unknown(self: Any, name: str) -> Any:
    """Look where PythonQt looks last: trailing underscore, dynamic properties, children by their object name."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name.endswith("_") and hasattr(type(self), name[:-1]):
        return getattr(self, name[:-1])
    if name in {bytes(one.data()).decode() for one in _dynamic_names(self)}:
        return _property(self, name)
    for child in QtCore.QObject.children(self):
        if child.objectName == name:
            return child
    raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")


def write(self: Any, name: str, value: Any) -> None:
    """Write a property, or an attribute of an object whose class is written in Python; everything else raises."""
    found = _MISSING
    for kind in type(self).__mro__:
        if name in kind.__dict__:
            found = kind.__dict__[name]
            break
    if hasattr(type(found), "__set__"):
        found.__set__(self, value)
    elif isinstance(found, QtCore.Property):
        if found.fset is None:
            raise AttributeError(f"{type(self).__name__}.{name} cannot be written")
        found.fset(self, value)
    elif _may_keep(self, name, found, kind):
        self.__dict__[name] = value
    elif name in {bytes(one.data()).decode() for one in _dynamic_names(self)}:
        _set_property(self, name, value)
    elif isinstance(value, QtCore.QObject) and value.objectName == name:
        return  # PySide's loader names every descendant on the root of a .ui file; PythonQt does not
    else:
        what = "is a method" if found is not _MISSING else "is not an attribute"
        raise AttributeError(f"{name!r} {what} of {type(self).__name__}; PythonQt refuses to write it")


def _may_keep(owner: Any, name: str, found: Any, where: type[Any]) -> bool:
    """Tell whether an object has room for an attribute of its own: its class is written in Python."""
    if name.startswith("_") and any(kind.__dict__.get("STANDS_FOR_CPP") for kind in type(owner).__mro__):
        return True  # what a stand-in keeps for itself
    hides_qt = found is not _MISSING and callable(found) and not _is_python(where)
    return _is_python(type(owner)) and not hides_qt


def _is_python(kind: type[Any]) -> bool:
    """Tell whether a class was written in Python by a module; classes that stand in for C++ count as C++."""
    return not kind.__module__.startswith("PySide6.") and not kind.__dict__.get("STANDS_FOR_CPP", False)
