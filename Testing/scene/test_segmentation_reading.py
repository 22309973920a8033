"""Segmentations of other programs are understood as far as they can be, and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.anatomy.regions import Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.segment_names import structure_of_segment
from RegionReportLib.scene.segmentation_nodes import (
    LABELMAP,
    is_ours,
)
from RegionReportLib.scene.segmentation_reading import NOT_SEGMENTED, UNSTATED, masks_of
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import block, center_of, chest, foreign

if TYPE_CHECKING:
    from scene_host import Host


def coded(value: str, meaning: str, side: str = "^^") -> str:
    return f"list~SCT^123037004^Anatomical Structure~SCT^{value}^{meaning}~{side}~x~^^~^^"


@pytest.mark.parametrize(
    ("segment_id", "name", "entry", "expected"),
    [
        ("S_1", "ROI 7", coded("39607008", "Lung", "SCT^7771000^Left"), "lung_left"),
        ("S_1", "ROI 7", coded("15825003", "Aorta"), "aorta"),
        ("S_1", "ROI 7", coded("80891009", "Heart"), "heart"),
        ("S_1", "Heart and great vessels", coded("80891009", "Heart"), "heart_great_vessels"),
        ("S_1", "ROI 7", coded("51299004", "Clavicle", "SCT^24028007^Right"), "clavicle_right"),
        ("S_1", "ROI 7", coded("70074004", "Right main bronchus"), "main_bronchus_right"),
        ("S_1", "Left rib 4", coded("113197003", "Rib", "SCT^7771000^Left"), "rib_left_4"),
        ("S_1", "ROI 7", coded("113197003", "Rib", "SCT^7771000^Left"), None),
        ("S_1", "Lungs", coded("39607008", "Lung"), None),
        ("S_1", "Right Lung", slicer.vtkSegment().GetTerminology(), "lung_right"),
        ("S_1", "thoracic aorta", "", "aorta"),
        ("S_1", "vertebrae_T8", "", "vertebrae_T8"),
        ("bones", "Knochen", "", "bone"),
        ("S_1", "Tumour", slicer.vtkSegment().GetTerminology(), None),
        ("S_1", "", "~~~~", None),
    ],
)
def test_segments_are_told_by_code_then_name_then_id(
    segment_id: str, name: str, entry: str, expected: str | None
) -> None:
    found = structure_of_segment(segment_id, name, entry)
    assert (found.id if found else None) == expected


def test_a_foreign_segmentation_is_read_and_what_is_not_understood_is_listed(host: Host) -> None:
    volume, _ = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    nodule = np.zeros(volume.hu.shape, bool)
    nodule[20:24, 20:24, 42:46] = True
    node = foreign(
        host,
        {
            "n": ("Pulmonary nodule", "", nodule),
            "S_2": ("ROI 1", coded("39607008", "Lung", "SCT^24028007^Right"), block("lung_right")),
            "S_3": ("Scribble", "", block("lung_left")),
        },
        volume.grid,
    )
    read = masks_of(node, volume_node)
    assert read.not_understood == ("Scribble",)
    assert np.array_equal(read.masks.structure("lung_nodule"), nodule)  # inside the lung, and smaller: it stays whole
    assert np.array_equal(read.masks.region("lungs"), block("lung_right"))
    assert read.masks.method == "segmentation drawn elsewhere"
    assert read.masks.coverage["lungs"] is Coverage.PARTIAL and read.masks.coverage_notes["lungs"] == UNSTATED
    assert read.masks.coverage["bones"] is Coverage.ABSENT and read.masks.coverage_notes["bones"] == NOT_SEGMENTED
    assert not is_ours(node)


def test_another_grid_is_brought_onto_the_voxels_by_nearest_neighbour(host: Host) -> None:
    volume, _ = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    box = volume.grid.box
    spacing = 3.1
    affine = np.diag((spacing, spacing, spacing, 1.0))
    affine[:3, 3] = box.min_mm
    fine = Grid(tuple(int(n / spacing) for n in box.size_mm[::-1]), affine)
    centre, radius = np.array(center_of("heart_great_vessels", volume.grid)), 45.0
    k, j, i = np.indices(fine.shape_kji)
    ball = ((fine.to_ras(np.stack([i, j, k], axis=-1)) - centre) ** 2).sum(axis=-1) < radius**2
    read = masks_of(foreign(host, {"h": ("Heart", "", ball)}, fine), volume_node)
    assert "nearest neighbour" in read.notes[0]
    k, j, i = np.indices(volume.grid.shape_kji)
    apart = np.sqrt(((volume.grid.to_ras(np.stack([i, j, k], axis=-1)) - centre) ** 2).sum(axis=-1))
    heart = read.masks.structure("heart")
    assert heart[apart < radius - spacing].all() and not heart[apart > radius + spacing].any()


@pytest.mark.parametrize("turn", [(2, 1, 0), (1, 2, 0)])
def test_the_same_voxels_in_another_order_are_not_resampled(host: Host, turn: tuple[int, int, int]) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    mask = block("lung_left")
    stored = mask.transpose(turn)[:, ::-1]
    affine = np.eye(4)
    for axis in range(3):  # array axis `axis` of the stored mask is array axis turn[axis] of the volume
        affine[:3, 2 - axis] = masks.grid.affine[:3, 2 - turn[axis]]
    affine[:3, 3] = masks.grid.affine[:3, 3] + affine[:3, 1] * (stored.shape[1] - 1)
    affine[:3, 1] *= -1
    node = foreign(host, {"l": ("Left lung", "", stored)}, Grid(stored.shape, affine))
    read = masks_of(node, volume_node)
    assert read.notes == () and np.array_equal(read.masks.structure("lung_left"), mask)


def test_a_cut_down_label_map_is_put_where_it_lies(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    mask = block("sternum")
    part = (slice(10, 40), slice(40, 56), slice(20, 40))
    cut = masks.grid.crop((10, 40, 20), (30, 16, 20))
    read = masks_of(foreign(host, {"s": ("Sternum", "", mask[part])}, cut), volume_node)
    assert np.array_equal(read.masks.structure("sternum"), mask) and read.notes == ()


def test_a_segmentation_elsewhere_in_space_is_refused(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    affine = masks.grid.affine.copy()
    affine[:3, 3] += (2000, 0, 0)
    node = foreign(host, {"h": ("Heart", "", block("heart_great_vessels"))}, Grid(masks.grid.shape_kji, affine))
    with pytest.raises(InputRefused, match="drawn elsewhere does not meet the volume CT"):
        masks_of(node, volume_node)


def test_a_segmentation_without_known_names_is_refused(host: Host) -> None:
    volume, masks = chest()
    node = foreign(host, {"x": ("Scribble", "", block("sternum"))}, masks.grid)
    with pytest.raises(InputRefused, match="no segment whose name or code is known"):
        masks_of(node, volume_to_node(host.scene, volume, "CT"))


def test_surfaces_are_read_without_changing_their_segmentation(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surfaces")
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    ball = vtk.vtkSphereSource()
    ball.SetCenter(center_of("heart_great_vessels", masks.grid))
    ball.SetRadius(40.0)
    ball.SetThetaResolution(40)
    ball.SetPhiResolution(40)
    ball.Update()
    segment = slicer.vtkSegment()
    segment.SetName("Heart")
    segment.AddRepresentation("Closed surface", ball.GetOutput())
    node.GetSegmentation().AddSegment(segment, "h")
    read = masks_of(node, volume_node)
    expected_ml = 4 / 3 * np.pi * 4.0**3
    assert read.masks.structure("heart").sum() * masks.grid.voxel_ml == pytest.approx(expected_ml, rel=0.08)
    assert not node.GetSegmentation().ContainsRepresentation(LABELMAP)
