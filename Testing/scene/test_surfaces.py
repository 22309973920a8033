"""Surfaces lie where their masks lie, look outward on every grid, and are made for what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.progress import finish
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.surfaces import SURFACE, make_surfaces, missing_surfaces
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import BLOCKS, awkward_grid, center_of, chest

if TYPE_CHECKING:
    from scene_host import Host


def right_handed() -> Grid:
    """The awkward grid with its first axis turned round."""
    grid = awkward_grid()
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (grid.shape_kji[2] - 1)
    affine[:3, 0] *= -1
    return Grid(grid.shape_kji, affine)


def surfaced(host: Host, grid: Grid) -> Any:
    volume, masks = chest(grid)
    node = masks_to_node(host.scene, volume_to_node(host.scene, volume, "CT"), masks)
    finish(make_surfaces(node))
    return node


def surface(node: Any, segment_id: str) -> Any:
    return node.GetSegmentation().GetSegment(segment_id).GetRepresentation(SURFACE)


@pytest.mark.parametrize("grid", [awkward_grid(), right_handed()], ids=["left-handed", "right-handed"])
def test_a_surface_encloses_its_block_and_looks_outward(host: Host, grid: Grid) -> None:
    heart = surface(surfaced(host, grid), "heart_great_vessels")
    center = np.array(center_of("heart_great_vessels", grid))
    points = vtk_to_numpy(heart.GetPoints().GetData())
    assert points.mean(axis=0) == pytest.approx(center, abs=2.0)
    outward = (vtk_to_numpy(heart.GetPointData().GetNormals()) * (points - center)).sum(axis=1)
    assert (outward > 0).mean() > 0.98
    size = vtk.vtkMassProperties()
    size.SetInputData(heart)
    voxels = np.prod([s.stop - s.start for s in BLOCKS["heart_great_vessels"]])
    assert size.GetVolume() / 1000 == pytest.approx(voxels * grid.voxel_ml, rel=0.1)


def test_triangles_are_wound_as_their_normals_say(host: Host) -> None:
    heart = surface(surfaced(host, awkward_grid()), "heart_great_vessels")
    points = vtk_to_numpy(heart.GetPoints().GetData()).astype(float)
    triangles = vtk_to_numpy(heart.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    a, b, c = (points[triangles[:, n]] for n in range(3))
    middle = (a + b + c) / 3 - np.array(center_of("heart_great_vessels", awkward_grid()))
    assert ((np.cross(b - a, c - a) * middle).sum(axis=1) > 0).mean() > 0.98


def test_only_what_has_no_surface_gets_one_and_closing_early_adds_none(host: Host) -> None:
    node = surfaced(host, awkward_grid())
    kept = surface(node, "bones")
    node.GetSegmentation().GetSegment("heart_great_vessels").RemoveRepresentation(SURFACE)
    assert missing_surfaces(node) == ("heart_great_vessels",)
    work = make_surfaces(node)
    next(work)
    work.close()
    assert missing_surfaces(node) == ("heart_great_vessels",)
    finish(make_surfaces(node))
    assert missing_surfaces(node) == () and surface(node, "bones") is kept
