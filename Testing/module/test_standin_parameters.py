"""The stand-in's parameter nodes keep types and refuse what 3D Slicer's refuse."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import pytest


class Pace(enum.Enum):
    SLOW = 1
    FAST = 2


def wrapped(clean_scene: Any, kind: type[Any]) -> Any:
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    return parameterNodeWrapper(kind)(clean_scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_fields_keep_their_types_and_refuse_others(clean_scene: Any) -> None:
    from slicer import vtkMRMLTextNode
    from slicer.parameterNodeWrapper import WithinRange

    class Fields:
        number = 3
        pace = Pace.FAST
        folder = Path("/models")

    Fields.__annotations__ = {
        "number": Annotated[int, WithinRange(0, 10)],
        "pace": Pace,
        "maybe": str | None,
        "folder": Path,
        "text": vtkMRMLTextNode,
    }
    node = wrapped(clean_scene, Fields)
    assert (node.number, node.pace, node.maybe, node.text) == (3, Pace.FAST, None, None)
    node.number, node.pace, node.maybe, node.folder = 7, Pace.SLOW, "", Path("/a b")
    node.text = clean_scene.AddNewNodeByClass("vtkMRMLTextNode", "report")
    again = type(node)(node.parameterNode)
    assert (again.number, again.pace, again.maybe, again.folder) == (7, Pace.SLOW, "", Path("/a b"))
    assert again.text.GetName() == "report"
    for name, value, error in (
        ("number", "7", TypeError),
        ("number", 11, ValueError),
        ("pace", "SLOW", TypeError),
        ("nunber", 1, AttributeError),
    ):
        with pytest.raises(error):
            setattr(node, name, value)
    with pytest.raises(AttributeError):
        _ = node.nunber


def test_a_field_of_an_unknown_type_is_refused_when_it_is_declared(clean_scene: Any) -> None:
    class Fields:
        table = None

    Fields.__annotations__ = {"table": dict[str, bytes]}
    with pytest.raises(TypeError, match="table"):
        wrapped(clean_scene, Fields)


def test_a_widget_bound_to_no_field_is_named(clean_scene: Any, qt: Any) -> None:
    class Fields:
        number = 3

    Fields.__annotations__ = {"number": int}
    panel = qt.QWidget()
    box = qt.QSpinBox(panel)
    box.setObjectName("box")
    box.setProperty("SlicerParameterName", "nunber")
    with pytest.raises(ValueError, match="nunber"):
        wrapped(clean_scene, Fields).connectGui(panel)
    box.setProperty("SlicerParameterName", "number")
    node = wrapped(clean_scene, Fields)
    tag = node.connectGui(panel)
    box.value = 5
    node.disconnectGui(tag)
    box.value = 6
    assert node.number == 5
    node.number = 9
    assert box.value == 6
