"""A chest in a scene with three slices and a camera, to point into; shared by the tests of pointing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.review.highlight import Area, Highlight
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.space import to_vtk
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import center_of, chest

if TYPE_CHECKING:
    from scene_host import Host

HEART = center_of("heart_great_vessels", chest()[1].grid)
POINT = (HEART[0] + 6, HEART[1] - 9, HEART[2] + 4)
BOX = Box((HEART[0] - 20, HEART[1] - 25, HEART[2] - 30), (HEART[0] + 20, HEART[1] + 15, HEART[2] + 10))
SHOWN = Highlight((Area("heart_great_vessels"),), POINT, BOX, (400, 40))
LEFT_LUNG = Highlight((Area("lungs", Side.LEFT),), center_of("lung_left", chest()[1].grid), None, (1500, -600))


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


def set_stage(host: Host) -> Stage:
    """Put the chest into an empty scene."""
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
