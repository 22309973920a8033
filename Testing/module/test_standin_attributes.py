"""The stand-in's attributes are PythonQt's; else the panel's tests would pass what fails in 3D Slicer."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_property_is_an_attribute_and_calling_it_is_an_error(qt: Any) -> None:
    label = qt.QLabel("words")
    assert label.text == "words"
    label.text = "others"
    assert label.text == "others"
    label.setText("more")
    assert label.text == "more"
    with pytest.raises(TypeError):
        label.text()
    assert (label.visible, label.enabled, qt.QSpinBox().maximum) == (False, True, 99)
    assert label.isVisible() is False


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("QLabel", "txt"),  # unknown
        ("QLabel", "setText"),  # a method
        ("QLabel", "hasSelectedText"),  # read only
        ("QPushButton", "clicked"),  # a signal
        ("QTimer", "singleShot"),  # a static function in PythonQt
        ("QVBoxLayout", "margin"),  # Qt 5 only
        ("QWidget", "_mine"),  # nobody's
    ],
)
def test_what_cannot_be_written_raises(qt: Any, make: str, name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        setattr(getattr(qt, make)(), name, True)


def test_what_is_not_there_cannot_be_read(qt: Any) -> None:
    with pytest.raises(AttributeError, match="toolTop"):
        _ = qt.QLabel().toolTop
    for name in ("QRegExp", "QDesktopWidget", "QWebEngineView", "Signal", "Slot", "Property", "nonsense"):
        with pytest.raises(AttributeError, match=name):
            getattr(qt, name)


def test_a_python_subclass_may_have_attributes_of_its_own_and_keeps_its_name(qt: Any) -> None:
    class Mine(qt.QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.mine = 3

    made = Mine()
    made.more = 4
    assert (made.mine, made.more, made.className()) == (3, 4, "Mine")
    with pytest.raises(AttributeError):
        made.setVisible = 1


def test_children_and_dynamic_properties_are_found_by_name_last(qt: Any) -> None:
    parent = qt.QWidget()
    child = qt.QLabel("x", parent)
    child.setObjectName("title")
    parent.setProperty("SlicerParameterName", "volume")
    assert parent.title is child
    assert child.name == "title"
    assert parent.SlicerParameterName == "volume"
    assert parent.property("nothing") is None


def test_text_takes_anything_and_enums_are_flat_numbers(qt: Any) -> None:
    label = qt.QLabel()
    label.text = None
    assert label.text == "None"
    assert int(qt.Qt.AlignRight) == 2
    assert qt.Qt.UserRole + 1 == 257
    label.alignment = int(qt.Qt.AlignRight)
    assert int(label.alignment) & 2


def test_lists_are_read_back_as_tuples(qt: Any, slicer_app: Any) -> None:
    import slicer

    settings = slicer.app.settings()
    settings.setValue("RegionReport/list", ["a", "b"])
    assert settings.value("RegionReport/list") == ("a", "b")
    combo = qt.QComboBox()
    combo.addItem("x", ["a", "b"])
    assert combo.itemData(0) == ("a", "b")
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLTextNode"]
    assert selector.nodeTypes == ("vtkMRMLTextNode",)


def test_the_interpreter_outlives_many_calls_that_return_nothing(qt: Any) -> None:
    label = qt.QLabel("words")
    for _ in range(200_000):
        label.update()
    assert label.text == "words"
