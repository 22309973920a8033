"""Qt properties as attributes: `label.text` is a string and `label.text = "x"` sets it; `label.text()` is an error."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

# Static or overloaded functions of the same name as a property: PythonQt offers the function only.
_FUNCTIONS_FIRST = {("QTimer", "singleShot")}


class PropertyAttribute:
    """A data descriptor over one Qt property; on the class it stays what PySide6 has there."""

    def __init__(self, name: str, meta: QtCore.QMetaProperty, original: Any) -> None:
        self.name = name
        self.original = original
        # A static getter (QCoreApplication has some) does not take the object.
        self._getter = original if inspect.ismethoddescriptor(original) else None
        self._meta = meta
        self._writable = meta.isWritable()
        self._is_string = meta.typeName() == "QString"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            if self.original is None:
                raise AttributeError(self.name)
            return self.original
        value = _property(instance, self.name) if self._getter is None else self._getter(instance)
        return tuple(value) if isinstance(value, list) else value

    def __set__(self, instance: Any, value: Any) -> None:
        if not self._writable:
            raise AttributeError(f"{type(instance).__name__}.{self.name} cannot be written")
        if not _set_property(instance, self.name, str(value) if self._is_string else value):
            raise ValueError(f"{type(instance).__name__}.{self.name} does not take {value!r}")


_property: Callable[[Any, str], Any] = QtCore.QObject.property
_set_property: Callable[[Any, str, Any], bool] = QtCore.QObject.setProperty


def install(kind: type[Any]) -> None:
    """Put the properties that a class declares, and the getters it declares anew, on the class."""
    meta = kind.staticMetaObject
    inherited = {meta.property(n).name(): meta.property(n) for n in range(meta.propertyOffset())}
    for n in range(meta.propertyOffset(), meta.propertyCount()):
        _install_one(kind, meta.property(n))
    for name, one in inherited.items():
        if callable(kind.__dict__.get(name)) and not isinstance(kind.__dict__[name], PropertyAttribute):
            _install_one(kind, one)


def _install_one(kind: type[Any], meta: QtCore.QMetaProperty) -> None:
    name = meta.name()
    if (kind.__name__, name) in _FUNCTIONS_FIRST:
        return
    original = getattr(kind, name, None)
    if type(original) in (
        QtCore.Signal,
        staticmethod,
    ):  # isinstance with Signal spoils the count of False in PySide6 6.12
        return
    setattr(kind, name, PropertyAttribute(name, meta, original))
