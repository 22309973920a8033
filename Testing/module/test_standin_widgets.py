"""The stand-in loads .ui files and binds node selectors to the scene as 3D Slicer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Take = Callable[[], list[str]]


UI = """<ui version="4.0"><class>P</class>
<widget class="qMRMLWidget" name="P"><layout class="QVBoxLayout" name="v">
<item><widget class="{kind}" name="selector">{types}</widget></item>
<item><widget class="QCheckBox" name="box"/></item><item><widget class="QLabel" name="label"/></item>
</layout></widget>
<customwidgets>
<customwidget><class>qMRMLWidget</class><extends>QWidget</extends><header>q.h</header><container>1</container></customwidget>
<customwidget><class>{kind}</class><extends>QWidget</extends><header>q.h</header></customwidget>
</customwidgets>
<connections>{connections}
<connection><sender>box</sender><signal>toggled(bool)</signal><receiver>label</receiver><slot>setVisible(bool)</slot></connection>
</connections></ui>"""
TYPES = '<property name="nodeTypes"><stringlist><string>vtkMRMLTextNode</string></stringlist></property>'
CONNECTION = """<connection><sender>P</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>selector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>"""


def loaded(folder: Path, kind: str, connections: str) -> Any:
    import slicer

    file = folder / "panel.ui"
    file.write_text(UI.format(kind=kind, types=TYPES if "Node" in kind else "", connections=connections))
    return slicer.util.loadUI(str(file))


def test_a_selector_without_its_connection_stays_disabled_and_empty(clean_scene: Any, tmp_path: Path) -> None:
    import slicer

    clean_scene.AddNewNodeByClass("vtkMRMLTextNode", "text")
    for connections, works in ((CONNECTION, True), ("", False)):
        panel = loaded(tmp_path, "qMRMLNodeComboBox", connections)
        ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(clean_scene)
        assert ui.selector.enabled is works
        assert (ui.selector.currentNode() is not None) is works
        panel.setMRMLScene(None)


def test_ordinary_connections_of_the_file_work(slicer_app: Any, tmp_path: Path) -> None:
    panel = loaded(tmp_path, "qMRMLNodeComboBox", CONNECTION)
    panel.show()
    panel.box.checked = True
    panel.box.checked = False
    assert not panel.label.visible
    panel.close()


def test_a_class_that_the_standin_lacks_is_named(slicer_app: Any, tmp_path: Path, no_problem_is_left: Take) -> None:
    with pytest.raises(RuntimeError, match="ctkNoSuchThing"):
        loaded(tmp_path, "ctkNoSuchThing", "")
    assert no_problem_is_left()
    import ctk
    import slicer

    for owner, name in ((ctk, "ctkNoSuchThing"), (slicer, "qMRMLNoSuchThing"), (slicer.modules, "nosuchmodule")):
        with pytest.raises(AttributeError, match=name):
            getattr(owner, name)


def heard_of(selector: Any) -> list[object]:
    heard: list[object] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    return heard


@pytest.fixture(name="selector")
def _selector(clean_scene: Any) -> Any:
    import slicer

    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    yield made
    made.setMRMLScene(None)


def test_without_none_the_first_node_is_chosen_and_its_removal_told(selector: Any, clean_scene: Any) -> None:
    heard = heard_of(selector)
    selector.setMRMLScene(clean_scene)
    one = clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "two")
    clean_scene.RemoveNode(one)
    clean_scene.Clear(0)
    assert heard == ["one", "two", None]


def test_with_none_nothing_is_chosen_until_somebody_does(selector: Any, clean_scene: Any, user: Any) -> None:
    selector.noneEnabled = True
    selector.noneDisplay = "New segmentation"
    selector.setMRMLScene(clean_scene)
    node = clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    assert selector.currentNode() is None
    assert selector._combo.currentText == "New segmentation"
    heard = heard_of(selector)
    user.choose(selector, node)
    user.choose(selector, None)
    selector.setCurrentNodeID(node.GetID())
    assert heard == ["one", None, "one"]
    assert selector.currentNodeID == node.GetID()


def test_child_classes_and_attributes_narrow_the_list(selector: Any, clean_scene: Any) -> None:
    selector.setMRMLScene(clean_scene)
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "plain").SetAttribute("kind", "ct")
    clean_scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert selector.nodeCount() == 2
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 1
    selector.addAttribute("vtkMRMLScalarVolumeNode", "kind", "mr")
    assert selector.nodeCount() == 0
    selector.removeAttribute("vtkMRMLScalarVolumeNode", "kind")
    selector.addAttribute("vtkMRMLScalarVolumeNode", "kind", "ct")
    assert selector.nodeCount() == 1


def test_a_batch_is_listed_when_it_is_over(selector: Any, clean_scene: Any) -> None:
    selector.setMRMLScene(clean_scene)
    clean_scene.StartState(clean_scene.BatchProcessState)
    clean_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "one")
    assert selector.nodeCount() == 0
    clean_scene.EndState(clean_scene.BatchProcessState)
    assert selector.nodeCount() == 1
