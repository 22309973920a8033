"""Pointing changes display nodes, slices and cameras as it should, puts all back, and never reads a voxel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.review.highlight import Highlight
from RegionReportLib.review.viewer import Viewer
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer

from pointing_stage import BOX, LEFT_LUNG, POINT, SHOWN, Stage, center_of_view
from scene_host import saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = ("lung_right", "lung_left", "airways", "mediastinum", "bones", "upper_abdomen")


def test_the_scene_viewer_is_a_viewer(stage: Stage) -> None:
    viewer: Viewer = stage.viewer()
    assert viewer.point_at(SHOWN) == ()


def test_the_chosen_region_is_clear_and_the_others_are_faint(stage: Stage) -> None:
    stage.viewer().point_at(SHOWN)
    display = stage.display
    chosen = "heart_great_vessels"
    assert display.GetSegmentOpacity3D(chosen) == display.GetSegmentOpacity2DOutline(chosen) == 1.0
    for other in OTHERS:
        assert 0 < display.GetSegmentOpacity3D(other) <= 0.1
        assert 0 < display.GetSegmentOpacity2DOutline(other) <= 0.3
        assert display.GetSegmentOpacity2DFill(other) < 0.1 < display.GetSegmentOpacity2DFill(chosen)


def test_one_side_leaves_the_other_faint(stage: Stage) -> None:
    stage.viewer().point_at(LEFT_LUNG)
    assert stage.display.GetSegmentOpacity3D("lung_left") == 1.0
    assert stage.display.GetSegmentOpacity3D("lung_right") < 0.1


def test_a_hidden_region_is_shown_when_chosen_and_hidden_again(stage: Stage) -> None:
    for hidden in ("heart_great_vessels", "bones"):
        stage.display.SetSegmentVisibility(hidden, False)
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    assert stage.display.GetSegmentVisibility("heart_great_vessels")
    assert not stage.display.GetSegmentVisibility("bones")
    viewer.clear()
    assert not stage.display.GetSegmentVisibility("heart_great_vessels")


def test_all_slices_are_centred_on_the_point_and_keep_their_zoom(stage: Stage) -> None:
    stage.slices[0].SetFieldOfView(123, 234, 1)
    before = [node.GetFieldOfView() for node in stage.slices]
    stage.viewer(Manner(jump=Jump.CENTER)).point_at(SHOWN)
    for node, zoom in zip(stage.slices, before, strict=True):
        assert np.allclose(center_of_view(node), POINT)
        assert node.GetFieldOfView() == zoom


def test_slices_may_change_their_offset_only(stage: Stage) -> None:
    before = [center_of_view(node) for node in stage.slices]
    stage.viewer(Manner(jump=Jump.SCROLL)).point_at(SHOWN)
    for node, start, axis in zip(stage.slices, before, (2, 0, 1), strict=True):  # axial, sagittal, coronal
        expected = start.copy()
        expected[axis] = POINT[axis]
        assert np.allclose(center_of_view(node), expected)


def test_slices_stay_where_they_are_as_long_as_the_place_is_well_in_view(stage: Stage) -> None:
    axial = stage.slices[0]
    axial.SetFieldOfView(200, 100, 1)
    viewer = stage.viewer(Manner())
    viewer.point_at(replace(SHOWN, point_ras_mm=(84, 42, -900)))  # within 85 % of 200 × 100 mm around 0, 0
    assert np.allclose(center_of_view(axial), (0, 0, -900))
    viewer.point_at(replace(SHOWN, point_ras_mm=(84, 43, -910)))
    assert np.allclose(center_of_view(axial), (84, 43, -910))


def test_a_panned_view_is_judged_and_centred_by_what_it_shows(stage: Stage) -> None:
    axial = stage.slices[0]
    axial.SetFieldOfView(200, 100, 1)
    axial.SetSliceToRASByNTP(0, 0, 1, 1, 0, 0, 0, 0, -900, 0)  # x of the view runs along x of the patient
    axial.SetXYZOrigin(-100, 0, 0)  # the view shows x from −200 to 0
    viewer = stage.viewer(Manner())
    viewer.point_at(replace(SHOWN, point_ras_mm=(-150, 0, -910)))
    assert axial.GetXYZOrigin() == (-100, 0, 0) and np.allclose(center_of_view(axial), (0, 0, -910))
    viewer.point_at(replace(SHOWN, point_ras_mm=(50, 10, -920)))
    assert axial.GetXYZOrigin() == (0, 0, 0) and np.allclose(center_of_view(axial), (50, 10, -920))


def test_cameras_turn_to_the_point_without_turning_the_body(stage: Stage) -> None:
    stage.camera.SetPosition(10, 500, 20)
    stage.camera.SetFocalPoint(0, 0, 0)
    stage.viewer().point_at(SHOWN)
    assert np.allclose(stage.camera.GetFocalPoint(), POINT)
    assert np.allclose(np.array(stage.camera.GetPosition()) - POINT, (10, 500, 20))
    stage.viewer(Manner(turn_3d=False)).point_at(LEFT_LUNG)
    assert np.allclose(stage.camera.GetFocalPoint(), POINT)


def test_one_locked_box_is_drawn_where_it_belongs_and_used_again(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    (box,) = stage.boxes
    bounds = [0.0] * 6
    box.GetRASBounds(bounds)
    assert np.allclose(bounds[::2], BOX.min_mm) and np.allclose(bounds[1::2], BOX.max_mm)
    assert box.GetLocked() and not box.GetSelectable() and not box.GetSaveWithScene() and box.GetHideFromEditors()
    assert box.GetDisplayVisibility() and not box.GetDisplayNode().GetHandlesInteractive()
    known = stage.host.node_ids()
    for _ in range(10):
        viewer.point_at(LEFT_LUNG)
        assert not box.GetDisplayVisibility()
        viewer.point_at(SHOWN)
        assert box.GetDisplayVisibility()
    assert stage.host.node_ids() == known


def test_the_box_can_be_switched_off(stage: Stage) -> None:
    stage.viewer(Manner(draw_box=False)).point_at(SHOWN)
    assert not any(box.GetDisplayVisibility() for box in stage.boxes)


def test_the_window_follows_the_region_and_the_readers_own_comes_back(stage: Stage) -> None:
    display = stage.volume.GetDisplayNode()
    display.SetAutoWindowLevel(0)
    display.SetWindowLevel(700, 123)
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    assert (display.GetWindow(), display.GetLevel()) == (400, 40)
    viewer.point_at(LEFT_LUNG)
    assert (display.GetWindow(), display.GetLevel()) == (1500, -600)
    viewer.clear()
    assert (display.GetWindow(), display.GetLevel()) == (700, 123)


def test_a_window_that_the_reader_sets_meanwhile_is_the_readers(stage: Stage) -> None:
    display = stage.volume.GetDisplayNode()
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    display.SetWindowLevel(900, 300)
    viewer.point_at(SHOWN)  # the same window again: the reader's stays
    assert (display.GetWindow(), display.GetLevel()) == (900, 300)
    viewer.point_at(LEFT_LUNG)
    assert (display.GetWindow(), display.GetLevel()) == (1500, -600)
    viewer.clear()
    assert (display.GetWindow(), display.GetLevel()) == (900, 300)


def test_a_window_that_the_reader_set_last_stays_on_leaving(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    stage.volume.GetDisplayNode().SetWindowLevel(900, 300)
    viewer.clear()
    assert (stage.volume.GetDisplayNode().GetWindow(), stage.volume.GetDisplayNode().GetLevel()) == (900, 300)


def test_an_automatic_window_becomes_automatic_again(stage: Stage) -> None:
    display = stage.volume.GetDisplayNode()
    display.SetAutoWindowLevel(1)
    before = (display.GetWindow(), display.GetLevel())
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    assert not display.GetAutoWindowLevel()
    viewer.clear()
    assert display.GetAutoWindowLevel() and (display.GetWindow(), display.GetLevel()) == before


def test_the_window_can_be_left_alone(stage: Stage) -> None:
    display = stage.volume.GetDisplayNode()
    before = (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel())
    stage.viewer(Manner(follow_window=False)).point_at(SHOWN)
    assert (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel()) == before


def test_leaving_puts_the_scene_back_exactly(stage: Stage) -> None:
    stage.display.SetSegmentOpacity3D("lung_left", 0.4)
    stage.display.SetSegmentOpacity2DFill("bones", 0.77)
    stage.display.SetSegmentVisibility("airways", False)
    stage.slices[0].SetXYZOrigin(900, 0, 0)
    viewer = stage.viewer(Manner(return_views=True))
    viewer.point_at(LEFT_LUNG)
    viewer.clear()  # the first time MRML writes defaults out
    before, nodes = stage.xml(), stage.host.node_ids()
    for shown in (SHOWN, LEFT_LUNG, Highlight(), SHOWN):
        viewer.point_at(shown)
    assert stage.xml() != before
    viewer.clear()
    assert stage.xml() == before
    assert stage.host.node_ids() == nodes
    viewer.clear()
    assert stage.xml() == before


def test_a_scene_saved_while_pointing_holds_the_looks_as_they_were_found(stage: Stage, tmp_path: Path) -> None:
    stage.volume.GetDisplayNode().SetAutoWindowLevel(0)
    stage.volume.GetDisplayNode().SetWindowLevel(700, 123)
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    again = saved_and_loaded(stage.host, tmp_path, "mrb")
    display = again.scene.GetFirstNodeByName(stage.segmentation.GetName()).GetDisplayNode()
    assert display.GetSegmentOpacity3D("mediastinum") == 1.0
    assert display.GetSegmentOpacity2DOutline("lung_left") == 1.0
    assert again.scene.GetFirstNodeByName("CT").GetDisplayNode().GetWindow() == 700
    assert again.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 0
    # The reader meanwhile still sees what was chosen.
    assert stage.display.GetSegmentOpacity3D("mediastinum") < 0.1
    assert stage.volume.GetDisplayNode().GetWindow() == 400
    viewer.clear()
    assert stage.volume.GetDisplayNode().GetWindow() == 700


def test_views_stay_at_the_place_unless_they_are_to_return(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    viewer.clear()
    assert np.allclose(center_of_view(stage.slices[0]), POINT)


def test_choosing_never_reads_a_voxel(stage: Stage) -> None:
    viewer = SceneViewer(
        stage.host.scene, Guarded(stage.volume), Guarded(stage.segmentation), stage.grid, Manner(return_views=True)
    )
    for shown in (SHOWN, LEFT_LUNG):
        assert viewer.point_at(shown) == ()
    viewer.clear()
    with pytest.raises(AssertionError, match="reads voxels"):
        Guarded(stage.volume).GetImageData().GetPointData()


class Guarded:
    """Stands for a node and all that it gives away, and fails when voxels are asked for."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        voxels = ("GetPointData", "GetScalarPointer", "GetScalarComponentAsDouble", "GetRepresentation")
        assert name not in voxels and "Labelmap" not in name, f"{name} reads voxels"
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(*given: Any) -> Any:
            result = found(*(g._real if isinstance(g, Guarded) else g for g in given))
            inner = hasattr(result, "GetClassName") and not result.IsA("vtkMRMLScene")
            return Guarded(result) if inner else result

        return call


def test_a_click_tells_the_views_once(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(LEFT_LUNG)
    told: list[str] = []
    for node in (stage.display, stage.volume.GetDisplayNode()):
        node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, _: told.append(caller.GetID()))
    viewer.point_at(SHOWN)
    assert sorted(told) == sorted([stage.display.GetID(), stage.volume.GetDisplayNode().GetID()])
