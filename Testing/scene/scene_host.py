"""A scene without the Slicer application, and a small chest on an awkward grid to put into it.

Shared by the tests of this folder and by the bench of pointing; needs slicer-core.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.scene.layers import LABELMAP
from RegionReportLib.scene.space import to_vtk
from RegionReportLib.scene.volume_nodes import voxels_of


class Host:
    """A scene with the logics that a Slicer application would have registered; about as small as one can be."""

    def __init__(self) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerApplicationLogic()
        self.logic.SetMRMLScene(self.scene)
        self.logic.GetColorLogic().SetMRMLScene(self.scene)
        self.logic.GetColorLogic().AddDefaultColorNodes()
        self.logic.SetSliceLogics(vtk.vtkCollection())
        self.logic.SetViewLogics(vtk.vtkCollection())
        self.logic.SetModuleLogic("Colors", self.logic.GetColorLogic())
        self.logics = [
            self._register(name, made)
            for name, made in (
                ("Volumes", slicer.vtkSlicerVolumesLogic()),
                ("Segmentations", slicer.vtkSlicerSegmentationsModuleLogic()),
                ("Markups", slicer.vtkSlicerMarkupsLogic()),
                ("SubjectHierarchy", slicer.vtkSlicerSubjectHierarchyModuleLogic()),
                ("Texts", slicer.vtkSlicerTextsLogic()),
            )
            if made is not None
        ]
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene)
        self._cache = tempfile.TemporaryDirectory()
        self._remote = slicer.vtkMRMLRemoteIOLogic()
        self._remote.SetMRMLScene(self.scene)
        self._remote.GetCacheManager().SetRemoteCacheDirectory(self._cache.name)
        data = slicer.vtkDataIOManagerLogic()
        data.SetMRMLApplicationLogic(self.logic)
        data.SetAndObserveDataIOManager(self._remote.GetDataIOManager())
        self._data = data
        self._remote.AddDataIOToScene()

    def _register(self, name: str, made: Any) -> Any:
        made.SetMRMLScene(self.scene)
        made.SetMRMLApplicationLogic(self.logic)
        self.logic.SetModuleLogic(name, made)
        return made

    def node_ids(self) -> set[str]:
        """The ids of all nodes but the subject hierarchy, which appears by itself."""
        nodes = (self.scene.GetNthNode(n) for n in range(self.scene.GetNumberOfNodes()))
        return {node.GetID() for node in nodes if not node.IsA("vtkMRMLSubjectHierarchyNode")}

    def add_views(self) -> tuple[list[Any], Any]:
        """Add three slice nodes and a camera, as the layout of a Slicer application does; nothing is drawn."""
        slices = []
        for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
            node = self.scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
            node.SetLayoutName(name)
            node.SetOrientation(orientation)
            slices.append(node)
        camera = self.scene.AddNewNodeByClass("vtkMRMLCameraNode")
        return slices, camera


def saved_and_loaded(host: Host, folder: Path, kind: str) -> Host:
    """Save the scene as `.mrb` or as a folder with an `.mrml`, and return a new host that has loaded it."""
    again = Host()
    host.scene.StartState(host.scene.SaveState)  # the application announces that it saves, the library does not
    if kind == "mrb":
        path = folder / "scene.mrb"
        assert host.scene.WriteToMRB(str(path))
    else:
        bundle = folder / "bundle"
        bundle.mkdir()
        assert host.scene.SaveSceneToSlicerDataBundleDirectory(str(bundle))
    host.scene.EndState(host.scene.SaveState)
    if kind == "mrb":
        assert again.scene.ReadFromMRB(str(path), True, slicer.vtkMRMLMessageCollection())
    else:
        (mrml,) = bundle.glob("*.mrml")
        again.scene.SetURL(str(mrml))
        again.scene.Import()
    return again


def awkward_grid(shape_kji: tuple[int, int, int] = (40, 56, 60)) -> Grid:
    """An oblique, anisotropic, left-handed grid of about 30 cm."""
    a, b = np.radians(17.0), np.radians(-11.0)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((-5.0, 5.5, 7.5))
    affine[:3, 3] = (130.0, -160.0, -1250.0)
    assert np.linalg.det(affine[:3, :3]) < 0
    return Grid(shape_kji, affine)


STRUCTURES = (
    "lung_right",
    "lung_left",
    "trachea",
    "main_bronchi",
    "mediastinum",
    "heart_great_vessels",
    "bone",
    "sternum",
    "upper_abdomen",
    "pleural_effusion",
)
# Index blocks (k, j, i) of each structure; 'pleural_effusion' stays empty.
BLOCKS: dict[str, tuple[slice, slice, slice]] = {
    "lung_right": (slice(10, 34), slice(12, 44), slice(38, 54)),
    "lung_left": (slice(10, 34), slice(12, 44), slice(6, 22)),
    "trachea": (slice(26, 38), slice(24, 27), slice(29, 32)),
    "main_bronchi": (slice(24, 26), slice(24, 27), slice(24, 37)),
    "mediastinum": (slice(14, 38), slice(28, 34), slice(24, 36)),
    "heart_great_vessels": (slice(8, 22), slice(34, 46), slice(22, 34)),
    "bone": (slice(2, 39), slice(6, 11), slice(26, 34)),
    "sternum": (slice(16, 34), slice(48, 51), slice(28, 32)),
    "upper_abdomen": (slice(1, 7), slice(14, 44), slice(12, 50)),
}
HU = {"lung_right": -850, "lung_left": -850, "trachea": -1000, "main_bronchi": -1000, "bone": 500, "sternum": 400}


def chest(grid: Grid | None = None) -> tuple[Volume, RegionMasks]:
    """A chest of index blocks on a grid, soft tissue around it and air outside."""
    grid = grid or awkward_grid()
    labels = np.zeros(grid.shape_kji, np.uint8)
    hu = np.full(grid.shape_kji, -1000, np.int16)
    hu[:, 4:-4, 3:-3] = 30
    for number, name in enumerate(STRUCTURES, start=1):
        if name in BLOCKS:
            labels[BLOCKS[name]] = number
            hu[BLOCKS[name]] = HU.get(name, 50)
    hu += np.random.default_rng(3).integers(-12, 13, hu.shape, dtype=np.int16)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE) | {"upper_abdomen": Coverage.PARTIAL}
    notes = {"upper_abdomen": "cut at the bottom | of the scan"}
    masks = RegionMasks(labels, grid, STRUCTURES, "blocks 1", coverage, notes)
    return Volume(hu, grid, Provenance("chest", "phantom")), masks


def center_of(name: str, grid: Grid) -> tuple[float, float, float]:
    """The RAS centre of a structure's block; voxel centres have whole indices."""
    kji = [(s.start + s.stop - 1) / 2 for s in BLOCKS[name]]
    x, y, z = grid.to_ras(kji[::-1])
    return float(x), float(y), float(z)


def block(name: str, grid: Grid | None = None) -> np.ndarray:
    mask = np.zeros((grid or awkward_grid()).shape_kji, bool)
    mask[BLOCKS[name]] = True
    return mask


def foreign(
    host: Host, segments: dict[str, tuple[str, str, np.ndarray]], grid: Grid, name: str = "drawn elsewhere"
) -> Any:
    """A segmentation as another program makes it: `{id: (name, terminology, mask)}`, one layer for each."""
    node = host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    for segment_id, (segment_name, entry, mask) in segments.items():
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(*mask.shape[::-1])
        image.SetImageToWorldMatrix(to_vtk(grid.affine))
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        voxels_of(image)[:] = mask
        segment = slicer.vtkSegment()
        segment.SetName(segment_name)
        if entry:
            segment.SetTerminology(entry)
        segment.AddRepresentation(LABELMAP, image)
        node.GetSegmentation().AddSegment(segment, segment_id)
    return node
