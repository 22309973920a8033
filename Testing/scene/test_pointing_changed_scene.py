"""What was deleted, renamed, moved or bent since the draft: it is said, and pointing is right or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.review.highlight import Area, Highlight
from RegionReportLib.scene.pointing import Manner, SceneViewer
from RegionReportLib.scene.space import SceneProblem

from pointing_stage import BOX, LEFT_LUNG, POINT, SHOWN, Stage, center_of_view, turned


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
