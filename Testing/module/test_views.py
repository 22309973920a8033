"""The four views of the stand-in are real: overlays, surfaces and cursor are where they should be, always."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def scene_with_regions(clean_scene: Any, user: Any) -> Any:
    """A chest of blocks with two segments, in view."""
    import slicer

    from scene_host import STRUCTURES, chest

    volume, masks = chest()
    ct = slicer.util.addVolumeFromArray(volume.hu.copy(), ijkToRAS=volume.grid.affine, name="CT")
    node = clean_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "regions")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(ct)
    for name, colour in (("lung_right", (0.0, 0.0, 1.0)), ("bone", (1.0, 0.0, 0.0))):
        node.GetSegmentation().AddEmptySegment(name, name, colour)
        mask = (masks.labels == STRUCTURES.index(name) + 1).astype("uint8")
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, name, ct)
    node.CreateClosedSurfaceRepresentation()
    slicer.util.setSliceViewerLayers(background=ct, fit=True)
    slicer.app.layoutManager().resetThreeDViews()
    user.settle()
    return node


def test_overlays_lie_on_the_image_and_vanish_with_their_visibility(scene_with_regions: Any, user: Any) -> None:
    import slicer

    from scene_host import awkward_grid, center_of

    lung = center_of("lung_right", awkward_grid())
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *lung, 0)
    display = scene_with_regions.GetDisplayNode()
    for name in ("Red", "Green", "Yellow"):
        widget = user.window.views.widgets[name]
        display.SetSegmentVisibility("lung_right", True)
        user.settle()
        red, _, blue = widget.rgb_at(*widget.pixel_of(lung))
        assert blue > red + 40, name
        display.SetSegmentVisibility("lung_right", False)
        user.settle()
        red, _, blue = widget.rgb_at(*widget.pixel_of(lung))
        assert abs(blue - red) < 10, name


def test_surfaces_are_seen_in_3d_and_translucent_ones_let_through(scene_with_regions: Any, user: Any) -> None:
    space = user.window.views.widgets["3D"]

    def most(channel: int) -> int:
        user.settle()
        places = [(x, y) for x in range(20, space.width, 16) for y in range(24, space.height, 16)]
        colours = [space.rgb_at(*place) for place in places]
        return max(colour[channel] - max(colour[:channel] + colour[channel + 1 :]) for colour in colours)

    assert most(0) > 80
    assert most(2) > 80
    display = scene_with_regions.GetDisplayNode()
    display.SetSegmentOpacity3D("lung_right", 0.0)
    assert most(2) < 60
    display.SetSegmentOpacity3D("lung_right", 0.3)
    assert most(2) > 5


def test_the_cursor_is_in_the_patient_over_a_view_and_nowhere_outside(scene_with_regions: Any, user: Any) -> None:
    import slicer

    from scene_host import awkward_grid, center_of

    bone = center_of("bone", awkward_grid())
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *bone, 0)
    user.settle()
    crosshair = slicer.util.getNode("Crosshair")
    events: list[bool] = []
    ras = [0.0, 0.0, 0.0]
    tag = crosshair.AddObserver(
        slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent,
        lambda node, event: events.append(node.GetCursorPositionRAS(ras)),
    )
    widget = user.window.views.widgets["Green"]
    user.move(widget, widget.pixel_of(bone))
    assert events[-1] is True
    assert ras == pytest.approx(bone, abs=2.0)
    user.move(user.window.statusBar())
    assert events[-1] is False
    crosshair.RemoveObserver(tag)


def test_the_layout_manager_gives_nodes_and_logics_and_keeps_the_layout(scene_with_regions: Any, user: Any) -> None:
    import slicer

    manager = slicer.app.layoutManager()
    assert set(manager.sliceViewNames()) == {"Red", "Green", "Yellow"}
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        assert widget.mrmlSliceNode().GetLayoutName() == name
        assert widget.sliceLogic().GetSliceNode() is widget.mrmlSliceNode()
        assert widget.mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert manager.sliceWidget("Blue") is None
    assert manager.threeDWidget(0).threeDView().cameraNode().IsA("vtkMRMLCameraNode")
    before = manager.layout
    assert before == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert manager.layoutLogic().GetLayoutNode().GetViewArrangement() == manager.layout != before
    manager.setLayout(before)
    with pytest.raises(AttributeError):
        manager.sliceWidgets("Red")


def test_nothing_is_drawn_while_drawing_is_paused(scene_with_regions: Any, user: Any) -> None:
    import slicer

    red = user.window.views.widgets["Red"]
    frames = red.frames
    with slicer.util.RenderBlocker():
        scene_with_regions.GetDisplayNode().SetVisibility(False)
        user.settle()
        assert red.frames == frames
    user.settle()
    assert red.frames > frames


def test_four_views_can_be_looked_at(scene_with_regions: Any, user: Any, tmp_path: Path) -> None:
    folder = Path(os.environ.get("REGIONREPORT_PICTURES", tmp_path))
    image = user.picture(folder / "views.png", size=(1600, 900))
    assert (image.width(), image.height()) == (1600, 900)
    user.window.resize(1366, 768)
