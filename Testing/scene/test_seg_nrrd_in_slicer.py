"""3D Slicer's own reader sees our segments as they were meant, and we read what it writes.

Needs `slicer-core` (pip), which brings 3D Slicer's MRML library without the application.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, region
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.seg_nrrd import read_segmentation, write_segmentation

slicer = pytest.importorskip("slicer", reason="3D Slicer's MRML library (pip install slicer-core) is not installed")
vtk = pytest.importorskip("vtk", reason="vtk comes with slicer-core")

STRUCTURES = ("heart", "lung_left", "trachea", "lung_right", "aorta", "vertebrae", "liver", "mediastinum")
SEGMENTS = ("lung_right", "lung_left", "airways", "mediastinum", "heart_great_vessels", "bones", "upper_abdomen")


@pytest.fixture
def masks() -> RegionMasks:
    """Blocks of labels on an oblique, anisotropic, left-handed grid."""
    labels = np.zeros((20, 30, 40), np.uint8)
    for n in range(1, 9):
        labels[n : n + 4, n : n + 9, 2 * n : 2 * n + 8] = n
    a, b = 0.35, -0.2
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tip @ np.diag((-0.7, 0.9, 2.5))
    affine[:3, 3] = (31.0, -52.5, 1207.25)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"bones": Coverage.PARTIAL}
    return RegionMasks(
        labels, Grid((20, 30, 40), affine), STRUCTURES, "made up", coverage, {"bones": "cut at the left"}
    )


class Loaded:
    """A segmentation node that 3D Slicer has read from a file."""

    def __init__(self, path: Path) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.node = slicer.vtkMRMLSegmentationNode()
        self.storage = slicer.vtkMRMLSegmentationStorageNode()
        self.scene.AddNode(self.node)
        self.scene.AddNode(self.storage)
        self.storage.SetFileName(str(path))
        assert self.storage.ReadData(self.node) == 1
        self.segmentation = self.node.GetSegmentation()

    def ids(self) -> tuple[str, ...]:
        count = self.segmentation.GetNumberOfSegments()
        return tuple(self.segmentation.GetNthSegmentID(n) for n in range(count))

    def tag(self, segment_id: str, name: str) -> str:
        value = vtk.reference("")
        assert self.segmentation.GetSegment(segment_id).GetTag(name, value)
        return str(value)

    def voxels_ras(self, segment_id: str) -> npt.NDArray[np.float64]:
        """Centres of the voxels of a segment, in 3D Slicer's world coordinates."""
        from vtk.util.numpy_support import vtk_to_numpy

        image = slicer.vtkOrientedImageData()
        self.node.GetBinaryLabelmapRepresentation(segment_id, image)
        i0, i1, j0, j1, k0, k1 = image.GetExtent()
        voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
        k, j, i = np.nonzero(voxels)
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        to_world: Any = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
        return np.asarray((to_world @ np.stack([i + i0, j + j0, k + k0, np.ones_like(k)]))[:3].T)


def mask_of(masks: RegionMasks, segment_id: str) -> npt.NDArray[np.bool_]:
    if segment_id.startswith("lung_"):
        return masks.side("lungs", Side(segment_id.removeprefix("lung_")))
    return masks.region(segment_id)


def in_order(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rounded = np.round(points, 4)
    return rounded[np.lexsort(rounded.T)]


def test_slicer_sees_ids_names_colours_and_terminology(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    loaded = Loaded(tmp_path / "s.seg.nrrd")
    assert loaded.ids() == SEGMENTS
    assert loaded.segmentation.GetNumberOfLayers() == 1
    names = [loaded.segmentation.GetSegment(i).GetName() for i in SEGMENTS]
    assert names[:3] == ["Right lung", "Left lung", "Large airways"]
    for segment_id in SEGMENTS:
        expected = region("lungs" if segment_id.startswith("lung_") else segment_id)
        colour = np.array(loaded.segmentation.GetSegment(segment_id).GetColor()) * 255
        assert np.allclose(colour, expected.color_rgb, atol=0.01)
        entry = loaded.tag(segment_id, slicer.vtkSegment.GetTerminologyEntryTagName()).split("~")
        assert len(entry) == 7
        assert entry[1] == "SCT^123037004^Anatomical Structure"
        assert entry[2] == f"SCT^{expected.code.value}^{expected.code.meaning}"
    assert loaded.tag("lung_left", "TerminologyEntry").split("~")[3] == "SCT^7771000^Left"
    assert loaded.tag("bones", "RegionReport.coverage") == "partial"


def test_slicer_sees_each_voxel_at_its_place(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    loaded = Loaded(tmp_path / "s.seg.nrrd")
    for segment_id in SEGMENTS:
        expected = masks.grid.to_ras(np.argwhere(mask_of(masks, segment_id))[:, ::-1])
        assert np.allclose(in_order(loaded.voxels_ras(segment_id)), in_order(expected), atol=1e-3)


def test_slicer_keeps_the_grid_of_the_scan_as_reference(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    stated = Loaded(tmp_path / "s.seg.nrrd").segmentation.GetConversionParameter("Reference image geometry")
    image = slicer.vtkOrientedImageData()
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(stated, image, False)
    assert image.GetExtent() == (0, 39, 0, 29, 0, 19)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    assert np.allclose([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)], masks.grid.affine)


def test_what_slicer_writes_again_is_read_back_onto_the_scan(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    loaded = Loaded(tmp_path / "s.seg.nrrd")
    loaded.storage.SetFileName(str(tmp_path / "again.seg.nrrd"))
    assert loaded.storage.WriteData(loaded.node) == 1
    again = read_segmentation(tmp_path / "again.seg.nrrd", grid=masks.grid)
    for segment_id in SEGMENTS:
        assert np.array_equal(mask_of(again, segment_id), mask_of(masks, segment_id))
    assert again.coverage == masks.coverage
    assert again.coverage_notes == masks.coverage_notes
    assert again.method == "made up"


def test_slicer_reads_single_structures_too(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd", segments="structure")
    loaded = Loaded(tmp_path / "s.seg.nrrd")
    assert set(loaded.ids()) == set(STRUCTURES)
    assert len(loaded.voxels_ras("aorta")) == int(masks.structure("aorta").sum())
