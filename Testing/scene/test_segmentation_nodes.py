"""Region masks and segmentation nodes: ours come back to the bit and are saved with the scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.anatomy.regions import REGION_IDS, region
from RegionReportLib.errors import Conflict
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.scene.segmentation_nodes import (
    LABELMAP,
    STRUCTURES_ROLE,
    is_ours,
    masks_to_node,
    remove_masks,
)
from RegionReportLib.scene.segmentation_reading import masks_of
from RegionReportLib.scene.space import to_vtk
from RegionReportLib.scene.volume_nodes import volume_to_node, voxels_of

from scene_host import BLOCKS, awkward_grid, block, center_of, chest, foreign, saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

    from scene_host import Host

SEGMENTS = ("lung_right", "lung_left", "airways", "mediastinum", "heart_great_vessels", "bones", "upper_abdomen")


def in_scene(host: Host) -> tuple[Any, Any, RegionMasks]:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    return volume_node, masks_to_node(host.scene, volume_node, masks), masks


def tag(node: Any, segment_id: str, name: str) -> str:
    value = vtk.reference("")
    node.GetSegmentation().GetSegment(segment_id).GetTag(name, value)
    return str(value)


def test_masks_come_back_to_the_bit(host: Host) -> None:
    volume_node, node, masks = in_scene(host)
    read = masks_of(node, volume_node)
    assert np.array_equal(read.masks.labels, masks.labels)
    assert read.masks.grid == masks.grid
    assert (read.masks.structures, read.masks.method) == (masks.structures, masks.method)
    assert (read.masks.coverage, read.masks.coverage_notes) == (masks.coverage, masks.coverage_notes)
    assert (read.not_understood, read.notes) == ((), ())


def test_segments_have_our_ids_names_colours_and_codes(host: Host) -> None:
    _, node, _ = in_scene(host)
    segmentation = node.GetSegmentation()
    assert segmentation.GetSegmentIDs() == SEGMENTS
    assert segmentation.GetSegment("lung_right").GetName() == "Right lung"
    assert segmentation.GetSegment("bones").GetName() == "Osseous structures"
    entry = segmentation.GetSegment("lung_left").GetTerminology().split("~")
    assert entry[1:4] == ["SCT^123037004^Anatomical Structure", "SCT^39607008^Lung", "SCT^7771000^Left"]
    assert segmentation.GetSegment("heart_great_vessels").GetTerminology().split("~")[2:4] == [
        "SCT^80891009^Heart",
        "^^",
    ]
    red = segmentation.GetSegment("heart_great_vessels").GetColor()
    assert np.allclose(np.array(red) * 255, region("heart_great_vessels").color_rgb)


def test_our_tags_equal_those_of_our_segmentation_file(host: Host, tmp_path: Path) -> None:
    _, node, masks = in_scene(host)
    write_segmentation(masks, tmp_path / "regions.seg.nrrd")
    storage = host.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "regions.seg.nrrd"))
    loaded = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "from file")
    assert storage.ReadData(loaded)
    assert loaded.GetSegmentation().GetSegmentIDs() == SEGMENTS
    for segment_id in SEGMENTS:
        ours, files = (n.GetSegmentation().GetSegment(segment_id) for n in (node, loaded))
        assert (ours.GetName(), ours.GetTerminology()) == (files.GetName(), files.GetTerminology())
        assert np.allclose(ours.GetColor(), files.GetColor(), atol=1e-5)
        for name in ("RegionReport.coverage", "RegionReport.coverage_note", "RegionReport.method"):
            assert tag(node, segment_id, name) == tag(loaded, segment_id, name)


def test_segments_lie_where_the_masks_lie(host: Host) -> None:
    _, node, masks = in_scene(host)
    for segment_id in ("lung_right", "heart_great_vessels", "upper_abdomen"):
        assert np.allclose(node.GetSegmentCenterRAS(segment_id), center_of(segment_id, masks.grid), atol=4.0)


def test_all_segments_share_one_byte_per_voxel(host: Host) -> None:
    _, node, masks = in_scene(host)
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    (image,) = {segmentation.GetSegment(s).GetRepresentation(LABELMAP) for s in SEGMENTS}
    assert voxels_of(image).nbytes == masks.labels.nbytes


def test_single_structures_need_no_second_label_map(host: Host) -> None:
    volume, masks = chest()
    names = ("lung_right", "lung_left", "heart_great_vessels")
    labels = sum(np.uint8(n) * masks.structure(name) for n, name in enumerate(names, start=1)).astype(np.uint8)
    plain = RegionMasks(labels, masks.grid, names, "few", masks.coverage, {})
    volume_node = volume_to_node(host.scene, volume, "CT")
    node = masks_to_node(host.scene, volume_node, plain)
    assert node.GetNodeReference(STRUCTURES_ROLE) is None
    assert np.array_equal(masks_of(node, volume_node).masks.labels, labels)


@pytest.mark.parametrize("kind", ["mrb", "mrml"])
def test_everything_survives_saving_the_scene(host: Host, tmp_path: Path, kind: str) -> None:
    _, node, masks = in_scene(host)
    again = saved_and_loaded(host, tmp_path, kind)
    volume_node, loaded = (again.scene.GetFirstNodeByName(name) for name in ("CT", node.GetName()))
    read = masks_of(loaded, volume_node)
    # Loading turns the slice order of left-handed images, of the CT and so of what is laid onto it.
    assert np.array_equal(read.masks.labels[::-1], masks.labels)
    assert read.notes == ()
    assert (read.masks.structures, read.masks.coverage_notes) == (masks.structures, masks.coverage_notes)
    for segment_id in SEGMENTS:
        before, after = (n.GetSegmentation().GetSegment(segment_id) for n in (node, loaded))
        assert (before.GetName(), before.GetTerminology()) == (after.GetName(), after.GetTerminology())
        assert np.allclose(before.GetColor(), after.GetColor(), atol=1e-5)
    assert tag(loaded, "bones", "RegionReport.structures") == "bone,sternum"


def test_the_segmentation_file_alone_gives_the_regions(host: Host, tmp_path: Path) -> None:
    volume_node, node, masks = in_scene(host)
    storage = host.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "saved.seg.nrrd"))
    assert storage.WriteData(node)
    loaded = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    assert storage.ReadData(loaded)
    assert not is_ours(loaded)
    read = masks_of(loaded, volume_node)
    for region_id in REGION_IDS:
        assert np.array_equal(read.masks.region(region_id), masks.region(region_id))
    assert read.masks.coverage == masks.coverage
    assert read.masks.coverage_notes["upper_abdomen"] == "cut at the bottom / of the scan"
    assert "no longer known" in read.notes[0]


def test_what_a_reader_draws_belongs_to_the_regions_main_structure(host: Host) -> None:
    volume_node, node, masks = in_scene(host)
    image = node.GetSegmentation().GetSegment("bones").GetRepresentation(LABELMAP)
    label = node.GetSegmentation().GetSegment("bones").GetLabelValue()
    voxels = voxels_of(image)
    voxels[20, 50:53, 10] = label  # new bone in soft tissue
    voxels[BLOCKS["sternum"]][:, :, 0] = 0  # a column of the sternum taken away
    read = masks_of(node, volume_node).masks
    assert read.structure("bone")[20, 50:53, 10].all()
    assert not read.structure("sternum")[BLOCKS["sternum"]][:, :, 0].any()
    assert read.structure("sternum")[BLOCKS["sternum"]][:, :, 1:].all()
    assert np.array_equal(read.structure("trachea"), masks.structure("trachea"))


def test_another_segmentation_is_never_overwritten(host: Host) -> None:
    volume_node, node, masks = in_scene(host)
    theirs = foreign(host, {"a": ("Aorta", "", block("heart_great_vessels"))}, masks.grid)
    with pytest.raises(Conflict, match="drawn elsewhere"):
        masks_to_node(host.scene, volume_node, masks, into=theirs)
    with pytest.raises(Conflict, match="drawn elsewhere"):
        remove_masks(host.scene, theirs)
    assert theirs.GetSegmentation().GetSegmentIDs() == ("a",)
    assert masks_to_node(host.scene, volume_node, masks, into=node) is node
    assert np.array_equal(masks_of(node, volume_node).masks.labels, masks.labels)


def test_removing_ours_leaves_nothing_behind(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    before = host.node_ids()
    remove_masks(host.scene, masks_to_node(host.scene, volume_node, masks))
    assert host.node_ids() == before


def test_masks_of_another_grid_are_refused(host: Host) -> None:
    volume, masks = chest()
    shifted = awkward_grid().crop((0, 0, 1), awkward_grid().shape_kji)
    other = RegionMasks(masks.labels, shifted, masks.structures, "m", masks.coverage, {})
    with pytest.raises(ValueError, match="another grid than CT"):
        masks_to_node(host.scene, volume_to_node(host.scene, volume, "CT"), other)


def test_segmentation_and_volume_move_together(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    transform = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume_node.SetAndObserveTransformNodeID(transform.GetID())
    node = masks_to_node(host.scene, volume_node, masks)
    shift = np.eye(4)
    shift[:3, 3] = (40, -30, 20)
    transform.SetMatrixTransformToParent(to_vtk(shift))
    read = masks_of(node, volume_node)
    assert np.array_equal(read.masks.labels, masks.labels) and read.notes == ()
    assert np.allclose(read.masks.grid.affine[:3, 3] - masks.grid.affine[:3, 3], (40, -30, 20))


def test_empty_masks_make_an_empty_segmentation(host: Host) -> None:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    none = RegionMasks(np.zeros_like(masks.labels), masks.grid, masks.structures, "m", masks.coverage, {})
    node = masks_to_node(host.scene, volume_node, none)
    assert node.GetSegmentation().GetNumberOfSegments() == 0
    assert not masks_of(node, volume_node).masks.labels.any()
