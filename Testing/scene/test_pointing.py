"""Pointing changes display nodes, slices and cameras as it should, puts all back, and never reads a voxel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.review.highlight import Area, Highlight
from RegionReportLib.review.viewer import Viewer
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.space import SceneProblem, to_vtk
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import center_of, chest, saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

    from scene_host import Host

HEART = center_of("heart_great_vessels", chest()[1].grid)
POINT = (HEART[0] + 6, HEART[1] - 9, HEART[2] + 4)
BOX = Box((HEART[0] - 20, HEART[1] - 25, HEART[2] - 30), (HEART[0] + 20, HEART[1] + 15, HEART[2] + 10))
SHOWN = Highlight((Area("heart_great_vessels"),), POINT, BOX, (400, 40))
LEFT_LUNG = Highlight((Area("lungs", Side.LEFT),), center_of("lung_left", chest()[1].grid), None, (1500, -600))
OTHERS = ("lung_right", "lung_left", "airways", "mediastinum", "bones", "upper_abdomen")


@dataclass
class Stage:
    """A scene with a chest, three slices, a camera and a viewer."""

    host: Host
    volume: Any
    segmentation: Any
    slices: list[Any]
    camera: Any
    grid: Grid

    def viewer(self, manner: Manner | None = None) -> SceneViewer:
        manner = manner or Manner(jump=Jump.CENTER)  # so that the middle of a view tells where it went
        return SceneViewer(self.host.scene, self.volume, self.segmentation, self.grid, manner)

    @property
    def display(self) -> Any:
        return self.segmentation.GetDisplayNode()

    @property
    def boxes(self) -> list[Any]:
        found = self.host.scene.GetNodesByClass("vtkMRMLMarkupsROINode")
        return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]

    def xml(self) -> str:
        """The whole scene as it would be saved."""
        scene = self.host.scene
        scene.SetSaveToXMLString(1)
        scene.Commit()
        return str(scene.GetSceneXMLString())

    def under(self, matrix: np.ndarray, *nodes: Any) -> Any:
        transform = self.host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
        transform.SetMatrixTransformToParent(to_vtk(matrix))
        for node in nodes:
            node.SetAndObserveTransformNodeID(transform.GetID())
        return transform


@pytest.fixture
def stage(host: Host) -> Stage:
    slices, camera = host.add_views()
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    node = masks_to_node(host.scene, volume_node, masks)
    return Stage(host, volume_node, node, slices, camera, masks.grid)


def center_of_view(node: Any) -> np.ndarray:
    """Where the middle of a slice view lies."""
    return np.array([node.GetSliceToRAS().GetElement(row, 3) for row in range(3)])


def turned() -> np.ndarray:
    """30° about z and a shift."""
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    return np.array([[c, -s, 0, 25], [s, c, 0, -40], [0, 0, 1, 60], [0, 0, 0, 1]])


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


def test_without_a_segmentation_the_place_is_still_shown_and_that_is_said(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(LEFT_LUNG)
    stage.host.scene.RemoveNode(stage.segmentation)
    (note,) = viewer.point_at(SHOWN)
    assert "segmentation of this report was deleted" in note
    assert np.allclose(center_of_view(stage.slices[0]), POINT) and stage.boxes[0].GetDisplayVisibility()
    viewer.clear()
    assert SceneViewer(stage.host.scene, stage.volume, None, stage.grid).point_at(SHOWN) == ()


def test_a_region_that_the_segmentation_lacks_is_named(stage: Stage) -> None:
    stage.segmentation.GetSegmentation().RemoveSegment("airways")
    (note,) = stage.viewer().point_at(replace(SHOWN, areas=(Area("airways"), Area("bones"))))
    assert note == "The segmentation holds no large airways."
    assert stage.display.GetSegmentOpacity3D("bones") == 1.0


def test_a_deleted_volume_is_said_and_nothing_moves(stage: Stage) -> None:
    viewer = stage.viewer()
    stage.host.scene.RemoveNode(stage.volume)
    before = stage.xml()
    with pytest.raises(SceneProblem, match="no longer in the scene"):
        viewer.point_at(SHOWN)
    assert stage.xml() == before
    viewer.clear()


def test_another_image_in_the_node_is_said_and_nothing_moves(stage: Stage) -> None:
    viewer = stage.viewer()
    image = vtk.vtkImageData()
    image.SetDimensions(60, 56, 41)
    image.AllocateScalars(vtk.VTK_SHORT, 1)
    stage.volume.SetAndObserveImageData(image)
    before = stage.xml()
    with pytest.raises(SceneProblem, match="CT holds 60 × 56 × 41 voxels, the report was made on 60 × 56 × 40"):
        viewer.point_at(SHOWN)
    assert stage.xml() == before


def test_names_do_not_matter(stage: Stage) -> None:
    stage.volume.SetName("another name")
    stage.segmentation.SetName("Ω")
    assert stage.viewer().point_at(SHOWN) == ()
    assert np.allclose(center_of_view(stage.slices[2]), POINT)


def test_places_move_with_a_transform_above_both(stage: Stage) -> None:
    matrix = turned()
    stage.under(matrix, stage.volume, stage.segmentation)
    viewer = stage.viewer()
    assert viewer.point_at(SHOWN) == ()
    expected = (matrix @ (*POINT, 1))[:3]
    assert np.allclose(center_of_view(stage.slices[0]), expected)
    assert np.allclose(stage.camera.GetFocalPoint(), expected)
    assert np.allclose(viewer.report_point(expected), POINT)
    (box,) = stage.boxes
    inside, outside = np.array(BOX.max_mm) - 0.5, np.array(BOX.max_mm) + np.array((0.5, -0.5, -0.5))
    assert box.IsPointInROIWorld((matrix @ (*inside, 1))[:3])
    assert not box.IsPointInROIWorld((matrix @ (*outside, 1))[:3])
    assert np.allclose(box.GetSize(), BOX.size_mm)


def test_places_move_with_a_hardened_transform(stage: Stage) -> None:
    stage.under(turned(), stage.volume, stage.segmentation)
    stage.volume.HardenTransform()
    stage.segmentation.HardenTransform()
    assert stage.viewer().point_at(SHOWN) == ()
    assert np.allclose(center_of_view(stage.slices[0]), (turned() @ (*POINT, 1))[:3])


@pytest.mark.parametrize("harden", [False, True])
def test_a_segmentation_left_behind_does_not_stand_out_and_that_is_said(stage: Stage, harden: bool) -> None:
    viewer = stage.viewer()
    resting = stage.display.GetSegmentOpacity3D("lung_left")
    stage.under(turned(), stage.volume)
    if harden:
        stage.volume.HardenTransform()
    (note,) = viewer.point_at(SHOWN)
    assert "moved apart" in note
    assert stage.display.GetSegmentOpacity3D("lung_left") == resting
    assert np.allclose(center_of_view(stage.slices[0]), (turned() @ (*POINT, 1))[:3])


def test_regions_that_stood_out_rest_again_once_they_lie_wrong(stage: Stage) -> None:
    viewer = stage.viewer()
    resting = stage.display.GetSegmentOpacity2DOutline("bones")
    viewer.point_at(SHOWN)
    stage.under(turned(), stage.volume)
    viewer.point_at(SHOWN)
    assert stage.display.GetSegmentOpacity2DOutline("bones") == resting


def test_a_bent_transform_is_said_and_nothing_moves(stage: Stage) -> None:
    viewer = stage.viewer()
    points, bent = vtk.vtkPoints(), vtk.vtkPoints()
    for x, y, z in ((0, 0, 0), (99, 0, 0), (0, 99, 0), (0, 0, 99), (60, 60, 60)):
        points.InsertNextPoint(x, y, z)
        bent.InsertNextPoint(x + (x == 60) * 9, y, z)
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(points)
    spline.SetTargetLandmarks(bent)
    transform = stage.host.scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    transform.SetAndObserveTransformToParent(spline)
    stage.volume.SetAndObserveTransformNodeID(transform.GetID())
    slices = [center_of_view(node) for node in stage.slices]
    with pytest.raises(SceneProblem, match="non-linear transform bent"):
        viewer.point_at(SHOWN)
    assert np.array_equal(slices, [center_of_view(node) for node in stage.slices]) and not stage.boxes


def test_a_segmentation_drawn_on_another_image_counts_as_long_as_nothing_moves(stage: Stage) -> None:
    stage.segmentation.GetSegmentation().SetConversionParameter("Reference image geometry", "")
    viewer = stage.viewer()
    assert viewer.point_at(SHOWN) == ()
    stage.under(turned(), stage.volume, stage.segmentation)
    assert "moved apart" in viewer.point_at(SHOWN)[0]


def test_nothing_chosen_lets_all_be_faint_and_moves_nothing(stage: Stage) -> None:
    slices = [center_of_view(node) for node in stage.slices]
    stage.viewer().point_at(Highlight())
    assert np.array_equal(slices, [center_of_view(node) for node in stage.slices]) and not stage.boxes


def test_leaving_after_the_scene_was_closed_is_quiet(stage: Stage) -> None:
    viewer = stage.viewer(Manner(return_views=True))
    viewer.point_at(SHOWN)
    stage.host.scene.Clear(0)
    viewer.clear()
    with pytest.raises(SceneProblem):
        viewer.point_at(SHOWN)


def test_segments_that_come_and_go_meanwhile_do_no_harm(stage: Stage) -> None:
    viewer = stage.viewer()
    viewer.point_at(SHOWN)
    segmentation = stage.segmentation.GetSegmentation()
    segmentation.RemoveSegment("lung_left")
    segmentation.AddEmptySegment("mine", "Mine", (1, 0, 0))
    stage.display.SetSegmentOpacity3D("mine", 0.9)
    viewer.clear()
    assert stage.display.GetSegmentOpacity3D("mine") == 0.9
