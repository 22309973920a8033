"""A scripted module's file, unchanged, lives on the stand-in as it would in 3D Slicer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parent / "sample" / "StandInSample.py"


@pytest.fixture
def sample(load_module: Callable[[Path], Any]) -> Any:
    return load_module(FILE)


@pytest.fixture
def ct(clean_scene: Any) -> Any:
    import slicer

    from scene_host import chest

    volume, _ = chest()
    return slicer.util.addVolumeFromArray(volume.hu, ijkToRAS=volume.grid.affine, name="CT")


def test_the_panel_binds_its_widgets_to_the_parameter_node_both_ways(sample: Any, ct: Any, user: Any) -> None:
    node, ui = sample._parameterNode, sample.ui
    assert ui.threshold.value == 100
    assert ui.note.text == "a note"
    assert (ui.manner.count, ui.manner.currentText) == (2, "QUICK")
    node.threshold = 12.5
    assert ui.threshold.value == 12.5
    user.click(ui.invert, at=(8, ui.invert.height // 2))
    assert node.invert is True
    ui.rounds.value = 7
    assert node.rounds == 7
    ui.note.setFocus()
    ui.note.selectAll()
    user.type("typed")
    assert node.note == "typed"
    ui.manner.setCurrentIndex(1)
    assert node.manner.name == "THOROUGH"


def test_the_selector_lists_the_nodes_of_its_class_and_follows_them(sample: Any, user: Any) -> None:
    import slicer

    selector = sample.ui.inputSelector
    assert selector.nodeCount() == 0
    assert not sample.ui.applyButton.enabled
    first = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "first")
    assert selector.currentNode() is first
    assert sample.ui.applyButton.enabled
    second = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "second")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    hidden = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
    hidden.UnRegister(None)
    hidden.SetHideFromEditors(1)
    slicer.mrmlScene.AddNode(hidden)
    assert [selector.nodeFromIndex(n).GetName() for n in range(selector.nodeCount())] == ["first", "second"]
    user.choose(selector, second)
    assert sample._parameterNode.inputVolume is second
    second.SetName("renamed")
    assert selector._combo.currentText == "renamed"
    slicer.mrmlScene.RemoveNode(second)
    assert selector.currentNode() is first


def test_a_click_reaches_the_slot_with_the_arguments_it_declares(sample: Any, ct: Any, user: Any) -> None:
    user.click(sample.ui.applyButton)
    assert sample.applied == [("CT", 100.0)]


def test_a_link_in_the_text_can_be_clicked(sample: Any, user: Any) -> None:
    user.settle()
    browser = sample.ui.sentences
    place = next(
        (x, y) for y in range(2, 40, 3) for x in range(2, 80, 4) if browser.anchorAt(_point(x, y)) == "sentence:1"
    )
    user.click(browser.viewport(), at=place)
    assert sample.applied == ["sentence:1"]


def _point(x: int, y: int) -> Any:
    import qt

    return qt.QPoint(x, y)


def test_shortcuts_live_from_enter_to_exit(sample: Any, user: Any) -> None:
    user.key("Ctrl+Z")
    assert sample.undone == 1
    user.window.leave(sample)
    user.key("Ctrl+Z")
    assert sample.undone == 1
    user.window.enter_again(sample)
    user.key("Ctrl+Z")
    assert sample.undone == 2


def test_a_click_in_a_slice_view_tells_where_in_the_patient_it_was(sample: Any, ct: Any, user: Any) -> None:
    import slicer

    from scene_host import awkward_grid, center_of

    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    user.settle()
    x, y, z = center_of("lung_right", awkward_grid())
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, x, y, z, slicer.vtkMRMLSliceNode.CenteredJumpSlice)
    user.settle()
    user.click_in_view("Red", (x, y, z))
    assert sample.clickedRas == pytest.approx((x, y, z), abs=1.5)
    red = user.window.views.widgets["Red"]
    lung = red.rgb_at(*red.pixel_of((x, y, z)))
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *center_of("bone", awkward_grid()), 0)
    user.settle()
    bone = red.rgb_at(*red.pixel_of(center_of("bone", awkward_grid())))
    assert min(bone) > max(lung) + 100


def test_the_wheel_scrolls_and_the_views_are_drawn_once_for_many_changes(sample: Any, ct: Any, user: Any) -> None:
    import slicer

    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    user.settle()
    red = user.window.views.widgets["Red"]
    offset = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset()
    user.wheel(red, 2)
    assert slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceOffset() != offset
    user.settle()
    frames = red.frames
    display = ct.GetDisplayNode()
    for level in range(50):
        display.SetAutoWindowLevel(False)
        display.SetWindowLevel(400, level)
    user.settle()
    assert 1 <= red.frames - frames <= 3


def test_closing_the_scene_resets_the_parameters_and_the_panel(sample: Any, ct: Any) -> None:
    import slicer

    before = sample._parameterNode
    before.note = "old"
    slicer.mrmlScene.Clear(0)
    assert sample._parameterNode is not before
    assert sample._parameterNode.note == "a note"
    assert sample.ui.note.text == "a note"
    assert sample.ui.inputSelector.currentNode() is None


def test_parameters_survive_saving_and_loading_the_scene(sample: Any, ct: Any, user: Any, tmp_path: Path) -> None:
    import slicer

    sample._parameterNode.note = "für später"
    sample._parameterNode.threshold = -500.25
    sample._parameterNode.inputVolume = ct
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(path)
    user.window.leave(sample)
    user.window.enter_again(sample)
    assert sample._parameterNode.note == "für später"
    assert sample._parameterNode.threshold == -500.25
    assert sample._parameterNode.inputVolume.GetName() == "CT"
    assert sample.ui.inputSelector.currentNode().GetName() == "CT"


def test_a_reload_executes_the_file_again_and_the_old_panel_is_gone(sample: Any, slicer_app: Any) -> None:
    import slicer

    again = slicer_app.reload(sample)
    assert again is not sample
    assert type(again) is not type(sample)
    assert again is slicer.modules.StandInSampleWidget
    assert again.ui.note.text == "a note"


def test_the_panel_beside_the_views_can_be_looked_at(sample: Any, ct: Any, user: Any, tmp_path: Path) -> None:
    import slicer

    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    folder = Path(os.environ.get("REGIONREPORT_PICTURES", tmp_path))
    image = user.picture(folder / "sample.png")
    assert (image.width(), image.height()) == (1366, 768)
    assert (folder / "sample.png").stat().st_size > 10_000
