"""Shows in the views of a scene what a review chose: the region clear, the rest faint, slices and camera at the place.

Choosing reads boxes, points and node headers only, never a voxel. What is to be shown is decided in `review`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from ..anatomy import regions as anatomy
from ..imaging.box import Point
from ..imaging.grid import FloatArray, Grid
from ..review.highlight import Highlight
from .box_node import BoxNode
from .looks import CtWindow, SegmentLooks, Standpoints, set_camera
from .nodes import nodes_of
from .segmentation_reading import parts_of
from .space import SceneProblem, as_stored, from_vtk, ijk_to_world, moved, node_to_world, same_place, shape_kji

_REFERENCE = "Reference image geometry"
_WELL_IN_VIEW = 0.85
"""The part of a view's width and height, around its middle, in which a place need not be centred."""


class Jump(Enum):
    """How slice views go to a place: scroll only, centre it, or centre it only where it would not be well in view."""

    SCROLL = "scroll"
    CENTER = "center"
    CENTER_IF_HIDDEN = "center if hidden"


@dataclass(frozen=True, slots=True)
class Manner:
    """How places are brought into view, as the reader set it.

    `follow_window` sets the region's CT window; `turn_3d` moves the cameras; `return_views` takes slices and cameras
    back on leaving. The zoom is never changed.
    """

    jump: Jump = Jump.CENTER_IF_HIDDEN
    draw_box: bool = True
    follow_window: bool = True
    turn_3d: bool = True
    return_views: bool = False


class SceneViewer:
    """The `Viewer` of a scene: shows places of a report on its volume and segmentation.

    `grid` is that of the report's study: the report's millimetres are those of the volume when it was drafted. Where
    the volume was moved since, by whatever transform, places move along with its voxels.
    """

    def __init__(
        self, scene: Any, volume_node: Any, segmentation_node: Any, grid: Grid, manner: Manner | None = None
    ) -> None:
        self.manner = manner or Manner()
        self._scene = scene
        self._volume = volume_node
        self._segmentation = segmentation_node
        self._grid = grid
        self._looks = SegmentLooks(segmentation_node) if segmentation_node is not None else None
        self._window = CtWindow(volume_node)
        self._standpoints = Standpoints()
        self._box = BoxNode(scene)
        self._shown: Highlight | None = None
        self._observers: list[int] = []

    def point_at(self, highlight: Highlight) -> tuple[str, ...]:
        """Bring a place into view; return in words what of it could not be shown.

        Raises SceneProblem, with nothing changed, if the volume is gone or is another one than was reported on.
        """
        move = self._report_to_world()
        self._watch_saving()
        notes = self._dress(highlight)
        if highlight.box is not None and self.manner.draw_box:
            self._box.show(highlight.box, move)
        else:
            self._box.hide()
        if highlight.point_ras_mm is not None:
            self._go_to(moved(move, highlight.point_ras_mm))
        return notes

    def clear(self) -> None:
        """Put back what was changed, as it was found; never raises, also when nodes are gone."""
        for observer in self._observers:
            self._scene.RemoveObserver(observer)
        self._observers = []
        self._undress()
        self._box.remove()
        self._standpoints.put_back(move=self.manner.return_views and self._volume.GetScene() is not None)

    def world_point(self, report_mm: npt.ArrayLike) -> Point:
        """Return where a point of the report lies in the scene now; SceneProblem if that is not known."""
        return moved(self._report_to_world(), report_mm)

    def report_point(self, world_mm: npt.ArrayLike) -> Point:
        """Return the report's coordinates of a point of the scene, for example under the mouse."""
        return moved(np.linalg.inv(self._report_to_world()), world_mm)

    def _report_to_world(self) -> FloatArray:
        """The voxels are what the report and the scene share, so the way leads through them."""
        if self._volume.GetScene() is None:
            raise SceneProblem("The CT of this report is no longer in the scene; load it and choose it again.")
        if shape_kji(self._volume) != self._grid.shape_kji:
            size = " × ".join(str(n) for n in shape_kji(self._volume)[::-1])
            expected = " × ".join(str(n) for n in self._grid.shape_kji[::-1])
            raise SceneProblem(
                f"{self._volume.GetName()} holds {size} voxels, the report was made on {expected}: another CT."
            )
        now = as_stored(ijk_to_world(self._volume), self._grid.affine, self._grid.shape_kji)
        if same_place(now, self._grid.affine, self._grid.shape_kji, voxels=1e-3):
            return np.eye(4)  # no rounding for the common case
        return np.asarray(now @ np.linalg.inv(self._grid.affine))

    def _watch_saving(self) -> None:
        """A scene that is saved in between holds the looks as they were found, not those of pointing."""
        if not self._observers:
            self._observers = [
                self._scene.AddObserver(self._scene.StartSaveEvent, lambda *_: self._undress()),
                self._scene.AddObserver(self._scene.EndSaveEvent, lambda *_: self._dress(self._shown)),
            ]

    def _dress(self, highlight: Highlight | None) -> tuple[str, ...]:
        self._shown = highlight
        if highlight is None:
            return ()
        self._window.follow(highlight.window if self.manner.follow_window else None)
        return self._let_stand_out(highlight)

    def _undress(self) -> None:
        if self._looks is not None:
            self._looks.put_back()
        self._window.put_back()

    def _let_stand_out(self, highlight: Highlight) -> tuple[str, ...]:
        node = self._segmentation
        if node is None or self._looks is None:
            return ()
        if node.GetScene() is None:
            return ("The segmentation of this report was deleted: its regions cannot be shown.",)
        reason = self._why_apart()
        if reason:
            self._looks.put_back()
            return (reason,)
        chosen, missing = set(), []
        parts = [(part.segment_id, anatomy.structure(part.structures[0])) for part in parts_of(node)]
        for area in highlight.areas:
            found = {segment_id for segment_id, main in parts if area.holds(main.region_id, main.side)}
            chosen |= found
            if not found:
                missing.append(f"The segmentation holds no {anatomy.region(area.region_id).name.lower()}.")
        self._looks.stand_out(chosen)
        return tuple(missing)

    def _why_apart(self) -> str:
        """Tell why the segmentation is known not to lie on the volume, or nothing if it does."""
        node, size = self._segmentation, self._grid.shape_kji
        apart = (
            f"The segmentation {node.GetName()} and the CT {self._volume.GetName()} were moved apart: put both under "
            "the same transform; until then its regions do not stand out."
        )
        try:
            to_world = node_to_world(node)
            now = as_stored(ijk_to_world(self._volume), self._grid.affine, size)
        except SceneProblem:
            return apart
        reference = _reference(node.GetSegmentation().GetConversionParameter(_REFERENCE))
        if reference is not None and reference[1] == size:
            drawn_on = as_stored(to_world @ reference[0], self._grid.affine, size)
            return "" if same_place(drawn_on, now, size, voxels=0.5) else apart
        # Drawn on another image: it lies right in the world as long as neither it nor the CT was moved.
        unmoved = same_place(now, self._grid.affine, size, voxels=0.5) and np.allclose(to_world, np.eye(4))
        return "" if unmoved else apart

    def _go_to(self, world_mm: Point) -> None:
        slices = nodes_of(self._scene, "vtkMRMLSliceNode")
        cameras = nodes_of(self._scene, "vtkMRMLCameraNode") if self.manner.turn_3d else []
        self._standpoints.note(slices, cameras)
        for node in slices:
            node.JumpSliceByOffsetting(*world_mm)
            if self.manner.jump is Jump.CENTER or (self.manner.jump is not Jump.SCROLL and _hidden(node, world_mm)):
                modifying = node.StartModify()
                node.SetXYZOrigin(0.0, 0.0, node.GetXYZOrigin()[2])  # a panned view has its middle elsewhere
                node.JumpSliceByCentering(*world_mm)
                node.EndModify(modifying)
        for node in cameras:
            # The whole camera moves: direction and distance, so the reader's view of the body, stay the same.
            step = np.array(world_mm) - node.GetFocalPoint()
            set_camera(node, np.array(node.GetPosition()) + step, world_mm)


def _hidden(slice_node: Any, world_mm: Point) -> bool:
    """Tell whether a slice view shows a point of its plane not at all or near its edge only."""
    in_slice = np.linalg.inv(from_vtk(slice_node.GetSliceToRAS())) @ (*world_mm, 1.0)
    from_middle = in_slice[:2] - slice_node.GetXYZOrigin()[:2]
    return bool((np.abs(from_middle) > _WELL_IN_VIEW / 2 * np.array(slice_node.GetFieldOfView()[:2])).any())


def _reference(text: str) -> tuple[FloatArray, tuple[int, int, int]] | None:
    """Read a geometry as 3D Slicer keeps it, 16 matrix elements and 6 extents, as matrix and size `(k, j, i)`."""
    try:
        numbers = [float(part) for part in text.split(";") if part.strip()]
    except ValueError:
        return None
    if len(numbers) != 22:
        return None
    low, high = numbers[16::2], numbers[17::2]
    i, j, k = (int(b - a) + 1 for a, b in zip(low, high, strict=True))
    return np.array(numbers[:16]).reshape(4, 4), (k, j, i)
