"""The one box that pointing draws: a locked ROI node without handles that is never saved with the scene."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..imaging.box import Box
from ..imaging.grid import FloatArray, corners_of
from .nodes import remove
from .space import to_vtk

NAME = "Pointed place"
COLOR = (1.0, 0.92, 0.23)
"""Yellow stands out from all six region colours and from grey."""


class BoxNode:
    """Draws boxes in a scene, one at a time; makes its node when first needed and takes it away on `remove`."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._node: Any = None

    def show(self, box: Box, move: FloatArray) -> None:
        """Draw `box` where the 4×4 matrix `move` takes it; a box that is turned stays a box around its corners."""
        if self._node is None or self._node.GetScene() is None:
            self._node = _made(self._scene)
        axes = _upright_axes(move)
        corners = corners_of(np.array(box.min_mm), np.array(box.max_mm))
        along = (corners @ move[:3, :3].T + move[:3, 3]) @ axes
        object_to_world = np.eye(4)
        object_to_world[:3, :3] = axes
        object_to_world[:3, 3] = axes @ ((along.min(axis=0) + along.max(axis=0)) / 2)
        before = self._node.StartModify()
        self._node.SetAndObserveObjectToNodeMatrix(to_vtk(object_to_world))
        self._node.SetSize(*(along.max(axis=0) - along.min(axis=0)))
        self._node.EndModify(before)
        self._node.SetDisplayVisibility(1)

    def hide(self) -> None:
        """Show no box; the node stays for the next one."""
        if self._node is not None and self._node.GetScene() is not None:
            self._node.SetDisplayVisibility(0)

    def remove(self) -> None:
        """Take the node and what belongs to it out of the scene."""
        remove(self._scene, self._node)
        self._node = None


def _made(scene: Any) -> Any:
    node = scene.CreateNodeByClass("vtkMRMLMarkupsROINode")
    node.UnRegister(None)
    node.SetName(NAME)
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetSelectable(False)
    node.SetLocked(True)
    with _placing_kept(scene):
        scene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.SetSelectedColor(*COLOR)
    display.SetColor(*COLOR)
    display.SetFillVisibility(False)
    display.SetOutlineOpacity(1.0)
    display.SetHandlesInteractive(False)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetCurveLineSizeMode(display.UseLineDiameter)
    display.SetLineDiameter(1.0)
    display.SetGlyphScale(0.0)
    display.SetOccludedVisibility(True)  # in 3D the box mostly lies inside the opaque region
    display.SetOccludedOpacity(0.6)
    return node


@contextmanager
def _placing_kept(scene: Any) -> Iterator[None]:
    """Keep what the reader's place tool would place: a new markups node makes itself the active one."""
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    if selection is None:
        yield
        return
    kind, node_id = selection.GetActivePlaceNodeClassName(), selection.GetActivePlaceNodeID()
    yield
    selection.SetActivePlaceNodeClassName(kind)
    selection.SetActivePlaceNodeID(node_id)


def _upright_axes(move: FloatArray) -> FloatArray:
    """Return the right-handed orthonormal axes nearest to those of `move` (its polar factor)."""
    u, _, v = np.linalg.svd(move[:3, :3])
    axes = u @ v
    if np.linalg.det(axes) < 0:  # a mirrored box is the same box
        axes[:, 2] *= -1
    return np.asarray(axes)
