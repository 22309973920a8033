"""Which regions lie under a point, whatever is shown; and surfaces for the 3D view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import finish
from RegionReportLib.scene.regions_here import regions_at
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.space import to_vtk
from RegionReportLib.scene.surfaces import SURFACE, make_surfaces, missing_surfaces
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import BLOCKS, awkward_grid, center_of, chest, saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

    from scene_host import Host


def in_scene(host: Host) -> tuple[Any, Any, RegionMasks]:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    return volume_node, masks_to_node(host.scene, volume_node, masks), masks


def names_at(node: Any, point: Any) -> list[tuple[str, str]]:
    return [(here.region_id, here.structure) for here in regions_at(node, point)]


@pytest.mark.parametrize(
    ("structure", "region_id"),
    [("lung_left", "lungs"), ("trachea", "airways"), ("main_bronchi", "airways"), ("sternum", "bones")],
)
def test_each_structure_is_found_at_its_centre(host: Host, structure: str, region_id: str) -> None:
    _, node, masks = in_scene(host)
    node.GetDisplayNode().SetVisibility(False)
    node.GetDisplayNode().SetAllSegmentsVisibility(False)
    assert names_at(node, center_of(structure, masks.grid)) == [(region_id, structure)]


def test_sides_come_along(host: Host) -> None:
    _, node, masks = in_scene(host)
    (here,) = regions_at(node, center_of("lung_right", masks.grid))
    assert (here.segment_id, here.side) == ("lung_right", Side.RIGHT)


def test_the_edge_is_exact_to_the_voxel(host: Host) -> None:
    _, node, masks = in_scene(host)
    k, j, i = (s.start for s in BLOCKS["lung_right"])
    assert names_at(node, masks.grid.to_ras((i - 0.49, j + 3, k + 3))) == [("lungs", "lung_right")]
    assert names_at(node, masks.grid.to_ras((i - 0.51, j + 3, k + 3))) == []


def test_nothing_is_found_beside_the_scan_or_without_segments(host: Host) -> None:
    _, node, masks = in_scene(host)
    assert regions_at(node, (5000, 0, 0)) == ()
    assert regions_at(node, masks.grid.to_ras((0, 0, 0))) == ()


def test_a_moved_segmentation_is_asked_where_it_lies(host: Host) -> None:
    volume_node, node, masks = in_scene(host)
    transform = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = (300, 20, -10)
    transform.SetMatrixTransformToParent(to_vtk(matrix))
    for moved in (volume_node, node, node.GetNodeReference("RegionReport.structures")):
        moved.SetAndObserveTransformNodeID(transform.GetID())
    point = np.array(center_of("sternum", masks.grid))
    assert names_at(node, point) == []
    assert names_at(node, point + np.array((300, 20, -10))) == [("bones", "sternum")]


def test_a_saved_scene_answers_the_same(host: Host, tmp_path: Path) -> None:
    _, node, masks = in_scene(host)
    again = saved_and_loaded(host, tmp_path, "mrb")
    loaded = again.scene.GetFirstNodeByName(node.GetName())
    for structure in BLOCKS:
        point = center_of(structure, masks.grid)
        assert names_at(loaded, point) == names_at(node, point) != []


def surface(node: Any, segment_id: str) -> Any:
    return node.GetSegmentation().GetSegment(segment_id).GetRepresentation(SURFACE)


def test_surfaces_enclose_their_segments(host: Host) -> None:
    _, node, masks = in_scene(host)
    assert len(missing_surfaces(node)) == 7
    finish(make_surfaces(node))
    assert missing_surfaces(node) == ()
    for segment_id in ("lung_left", "heart_great_vessels", "upper_abdomen"):
        mesh = vtk.vtkTriangleFilter()
        mesh.SetInputData(surface(node, segment_id))
        mass = vtk.vtkMassProperties()
        mass.SetInputConnection(mesh.GetOutputPort())
        true_ml = masks.structure(segment_id).sum() * masks.grid.voxel_ml
        assert mass.GetVolume() / 1000 == pytest.approx(true_ml, rel=0.1)
        box, bounds = masks.box(BLOCKS[segment_id]), np.array(surface(node, segment_id).GetBounds())
        assert np.abs(bounds[::2] - box.min_mm).max() < 6 and np.abs(bounds[1::2] - box.max_mm).max() < 6


def test_surfaces_of_fine_scans_are_sampled_and_not_shifted(host: Host) -> None:
    turned = awkward_grid().affine.copy()
    turned[:3, :3] = turned[:3, :3] / np.linalg.norm(turned[:3, :3], axis=0) * (0.7, 0.7, 1.0)
    grid = Grid((80, 110, 120), turned)
    k, j, i = np.indices(grid.shape_kji)
    centre = grid.to_ras((64.0, 51.0, 38.0))
    ball = ((grid.to_ras(np.stack([i, j, k], axis=-1)) - centre) ** 2).sum(axis=-1) < 25.0**2
    _, plain = chest()
    masks = RegionMasks(ball.astype(np.uint8), grid, ("heart",), "ball", plain.coverage, {})
    hu = np.zeros(grid.shape_kji, np.int16)
    volume_node = volume_to_node(host.scene, Volume(hu, grid, Provenance("ball", "phantom")), "CT")
    node = masks_to_node(host.scene, volume_node, masks)
    finish(make_surfaces(node))
    mesh = surface(node, "heart_great_vessels")
    points = vtk.util.numpy_support.vtk_to_numpy(mesh.GetPoints().GetData())
    assert len(points) < 10_000
    radii = np.linalg.norm(points - centre, axis=1)
    assert np.linalg.norm(points.mean(axis=0) - centre) < 0.3
    assert abs(radii.mean() - 25.0) < 0.7 and radii.std() < 0.7


def test_surfaces_are_lit_from_outside_on_a_mirrored_grid(host: Host) -> None:
    _, node, _ = in_scene(host)
    finish(make_surfaces(node))
    mesh = surface(node, "heart_great_vessels")
    points = vtk.util.numpy_support.vtk_to_numpy(mesh.GetPoints().GetData())
    normals = vtk.util.numpy_support.vtk_to_numpy(mesh.GetPointData().GetNormals())
    outward = ((points - points.mean(axis=0)) * normals).sum(axis=1)
    assert (outward > 0).mean() > 0.99
    cell = mesh.GetCell(5).GetPointIds()
    a, b, c = (points[cell.GetId(n)] for n in range(3))
    assert np.cross(b - a, c - a) @ normals[cell.GetId(0)] > 0  # the winding agrees, else it is drawn black


def test_surfaces_are_made_once_and_only_where_missing(host: Host) -> None:
    _, node, _ = in_scene(host)
    finish(make_surfaces(node))
    kept = surface(node, "bones")
    node.GetSegmentation().GetSegment("lung_left").RemoveRepresentation(SURFACE)
    finish(make_surfaces(node))
    assert surface(node, "bones") is kept and surface(node, "lung_left") is not None


def test_a_segment_may_vanish_while_surfaces_are_made(host: Host) -> None:
    _, node, _ = in_scene(host)
    work = make_surfaces(node)
    next(work)
    node.GetSegmentation().RemoveSegment("upper_abdomen")
    node.GetSegmentation().ClearSegment("bones")
    finish(work)
    assert surface(node, "mediastinum") is not None
