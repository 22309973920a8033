"""Stands in for `slicer.parameterNodeWrapper`: a class of typed fields over a parameter node of the scene.

Fields: int, float, str, bool, Path, Enum (kept by name), classes of MRML nodes (kept as node references), and Optional
of these; limits by `Annotated` with the names below. Strict: other types and unknown attributes raise.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import slicer
import vtk

__all__ = ["Choice", "Decimals", "Default", "Maximum", "Minimum", "SingleStep", "WithinRange", "parameterNodeWrapper"]

_MISSING = object()
_NONE = "@none"  # how an Optional field without a value is kept


@dataclass(frozen=True)
class Default:
    """The value of a field that was never set."""

    value: Any


@dataclass(frozen=True)
class Minimum:
    """The smallest value."""

    minimum: float

    def check(self, value: Any) -> bool:
        return bool(value >= self.minimum)


@dataclass(frozen=True)
class Maximum:
    """The largest value."""

    maximum: float

    def check(self, value: Any) -> bool:
        return bool(value <= self.maximum)


@dataclass(frozen=True)
class WithinRange:
    """The smallest and the largest value."""

    minimum: float
    maximum: float

    def check(self, value: Any) -> bool:
        return bool(self.minimum <= value <= self.maximum)


class Choice:
    """The allowed values."""

    def __init__(self, choices: Any) -> None:
        self.choices = tuple(choices)

    def check(self, value: Any) -> bool:
        return value in self.choices


@dataclass(frozen=True)
class SingleStep:
    """The step of a spin box."""

    step: float


@dataclass(frozen=True)
class Decimals:
    """The decimals of a spin box."""

    value: int


class Field:
    """One typed field of a wrapper, kept in the node under its own name."""

    def __init__(self, name: str, hint: Any, default: Any) -> None:
        self.name = name
        base, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        self.limits = [one for one in extras if hasattr(one, "check")]
        self.optional = get_origin(base) in (types.UnionType, Union)
        kinds = [one for one in get_args(base) if one is not types.NoneType] if self.optional else [base]
        if len(kinds) != 1 or not _supported(kinds[0]):
            raise TypeError(f"{name}: the stand-in knows no fields of type {hint}")
        self.kind = kinds[0]
        self.is_node = issubclass(self.kind, slicer.vtkMRMLNode)
        given = [one.value for one in extras if isinstance(one, Default)]
        self.default = given[0] if given else default
        if self.default is _MISSING:
            self.default = self._implied()

    def _implied(self) -> Any:
        if self.optional or self.is_node:
            return None
        return next(iter(self.kind)) if issubclass(self.kind, enum.Enum) else self.kind()

    def read(self, node: Any) -> Any:
        if self.is_node:
            return node.GetNodeReference(self.name)
        if not node.HasParameter(self.name):
            return self.default
        text = node.GetParameter(self.name)
        if self.optional and text == _NONE:
            return None
        if self.kind is bool:
            return text == "True"
        return self.kind[text] if issubclass(self.kind, enum.Enum) else self.kind(text)

    def write(self, node: Any, value: Any) -> None:
        value = self._checked(value)
        if self.is_node:
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
        elif value is None:
            node.SetParameter(self.name, _NONE)
        else:
            node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))

    def _checked(self, value: Any) -> Any:
        if value is None and (self.optional or self.is_node):
            return None
        if self.kind is float and type(value) is int:
            value = float(value)
        if self.kind is Path and isinstance(value, str):
            value = Path(value)
        if not isinstance(value, self.kind) or (self.kind is int and isinstance(value, bool)):
            raise TypeError(f"{self.name} takes {self.kind.__name__}, got {value!r}")
        if not all(limit.check(value) for limit in self.limits):
            raise ValueError(f"{self.name} does not allow {value!r}")
        return value


def _supported(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, (int, float, str, bool, Path, enum.Enum, slicer.vtkMRMLNode))


def parameterNodeWrapper(kind: type[Any]) -> type[Any]:
    """Make a class of annotated fields a wrapper of a parameter node."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: Field(name, hint, getattr(kind, name, _MISSING)) for name, hint in hints.items()}
    methods = {name: one for name, one in vars(kind).items() if not name.startswith("__") and name not in fields}
    return type(kind.__name__, (_Wrapper,), {"FIELDS": fields, "__doc__": kind.__doc__, **methods})


class _Wrapper:
    FIELDS: dict[str, Field]

    def __init__(self, parameterNode: Any) -> None:
        if not isinstance(parameterNode, slicer.vtkMRMLScriptedModuleNode):
            raise TypeError(f"a wrapper needs a vtkMRMLScriptedModuleNode, got {parameterNode!r}")
        self.__dict__.update(parameterNode=parameterNode, _tags={}, _last=0)

    def __getattr__(self, name: str) -> Any:
        if name in type(self).FIELDS:
            return type(self).FIELDS[name].read(self.parameterNode)
        if name in _FORWARDED:
            return getattr(self.parameterNode, name)
        raise AttributeError(f"{type(self).__name__} has no field {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in type(self).FIELDS:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        type(self).FIELDS[name].write(self.parameterNode, value)

    def setValue(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def getValue(self, name: str) -> Any:
        return getattr(self, name)

    def default(self, name: str) -> Any:
        return type(self).FIELDS[name].default

    def isCached(self, name: str) -> bool:
        return False

    def connectGui(self, gui: Any) -> int:
        """Bind widgets that carry SlicerParameterName, both ways; returns the tag to undo it."""
        if isinstance(gui, dict):
            named = list(gui.items())
        else:
            # Either a widget, or what slicer.util.childWidgetVariables gives.
            widgets = slicer.util.findChildren(gui) if hasattr(gui, "children") else list(vars(gui).values())
            names = [(one.property("SlicerParameterName"), one) for one in widgets]
            named = [(str(name), one) for name, one in names if name]
        bindings = [_Binding(self, name, one) for name, one in named]
        self.__dict__["_last"] += 1
        self._tags[self._last] = bindings
        return int(self._last)

    def disconnectGui(self, tag: int) -> None:
        for binding in self._tags.pop(tag):
            binding.undo()


_FORWARDED = {
    "AddObserver", "RemoveObserver", "HasObserver", "Modified", "InvokeEvent", "StartModify", "EndModify", "GetID",
    "GetName", "GetScene", "GetAttribute", "SetAttribute", "GetMTime", "GetParameter", "SetParameter",
    "GetNodeReference", "SetNodeReferenceID", "GetNodeReferenceID", "GetSingletonTag", "HasParameter",
}  # fmt: skip

# class of widget: signal, how to read, how to write
_WIDGETS: tuple[tuple[str, str, Callable[[Any], Any], Callable[[Any, Any], Any]], ...] = (
    (
        "qMRMLNodeComboBox",
        "currentNodeChanged(vtkMRMLNode*)",
        lambda w: w.currentNode(),
        lambda w, v: w.setCurrentNode(v),
    ),
    ("ctkPathLineEdit", "currentPathChanged(QString)", lambda w: w.currentPath, lambda w, v: w.setCurrentPath(str(v))),
    ("ctkSliderWidget", "valueChanged(double)", lambda w: w.value, lambda w, v: w.setValue(v)),
    ("QDoubleSpinBox", "valueChanged(double)", lambda w: w.value, lambda w, v: w.setValue(v)),
    ("QSpinBox", "valueChanged(int)", lambda w: w.value, lambda w, v: w.setValue(v)),
    ("QAbstractSlider", "valueChanged(int)", lambda w: w.value, lambda w, v: w.setValue(v)),
    ("QAbstractButton", "toggled(bool)", lambda w: w.checked, lambda w, v: w.setChecked(v)),
    ("QLineEdit", "textChanged(QString)", lambda w: w.text, lambda w, v: w.setText(v)),
    ("QPlainTextEdit", "textChanged()", lambda w: w.toPlainText(), lambda w, v: w.setPlainText(v)),
    ("QTextEdit", "textChanged()", lambda w: w.toPlainText(), lambda w, v: w.setPlainText(v)),
    ("QComboBox", "currentIndexChanged(int)", lambda w: w.currentText, lambda w, v: w.setCurrentText(v)),
)


class _Binding:
    """One widget bound to one field."""

    def __init__(self, wrapper: _Wrapper, name: str, widget: Any) -> None:
        if name not in type(wrapper).FIELDS:
            raise ValueError(f"widget {widget.name} is bound to {name!r}, which is no field")
        self._wrapper, self._field, self._widget = wrapper, type(wrapper).FIELDS[name], widget
        found = next((one for one in _WIDGETS if widget.inherits(one[0])), None)
        if found is None:
            raise TypeError(f"a {widget.className()} cannot be bound to a field")
        _, self._signal, self._read, self._write = found
        self._is_enum = issubclass(self._field.kind, enum.Enum)
        if self._is_enum and widget.count == 0:
            widget.addItems([one.name for one in self._field.kind])
        self._busy = False
        self._to_gui()
        widget.connect(self._signal, self._to_node)
        self._tag = wrapper.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._to_gui)

    def undo(self) -> None:
        self._widget.disconnect(self._signal, self._to_node)
        self._wrapper.parameterNode.RemoveObserver(self._tag)

    def _to_gui(self, *_: Any) -> None:
        value = self._field.read(self._wrapper.parameterNode)
        shown = value.name if self._is_enum else value
        if not self._busy and self._read(self._widget) != shown:
            self._busy = True
            try:
                self._write(self._widget, "" if shown is None and not self._field.is_node else shown)
            finally:
                self._busy = False

    def _to_node(self, *_: Any) -> None:
        if self._busy:
            return
        value = self._read(self._widget)
        self._busy = True
        try:
            self._field.write(self._wrapper.parameterNode, self._field.kind[value] if self._is_enum else value)
        finally:
            self._busy = False
