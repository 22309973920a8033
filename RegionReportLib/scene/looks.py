"""How segments, the CT window and the views look while a place stands out, and how they looked before.

What is changed is noted when it is first changed, so that putting it back undoes exactly that and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .space import from_vtk, to_vtk

Shown = tuple[float, float, float, bool]


@dataclass(frozen=True, slots=True)
class Look:
    """Opacities 0..1 of a segment in the slice views (fill and outline) and in 3D."""

    fill: float
    outline: float
    surface: float


# The fill is multiplied by the display node's own 0.5: the CT stays readable under the chosen region.
CHOSEN = Look(fill=0.36, outline=1.0, surface=1.0)
FAINT = Look(fill=0.0, outline=0.25, surface=0.08)


class SegmentLooks:
    """The looks of the segments of one segmentation node."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._before: dict[str, Shown] = {}

    def stand_out(self, chosen: Iterable[str]) -> None:
        """Let the chosen segments stand out, hidden ones among them too, and all others be faint."""
        display = self._node.GetDisplayNode()
        if display is None:
            return
        chosen = set(chosen)
        modifying = display.StartModify()
        for segment_id in self._node.GetSegmentation().GetSegmentIDs():
            self._before.setdefault(segment_id, _read(display, segment_id))
            look = CHOSEN if segment_id in chosen else FAINT
            visible = segment_id in chosen or self._before[segment_id][3]
            _write(display, segment_id, (look.fill, look.outline, look.surface, visible))
        display.EndModify(modifying)

    def put_back(self) -> None:
        """Let the segments look as they were found; those deleted since are left out."""
        display = self._node.GetDisplayNode() if self._node.GetScene() is not None else None
        if display is not None and self._before:
            modifying = display.StartModify()
            for segment_id in self._node.GetSegmentation().GetSegmentIDs():
                if segment_id in self._before:
                    _write(display, segment_id, self._before[segment_id])
            display.EndModify(modifying)
        self._before = {}


def _read(display: Any, segment_id: str) -> Shown:
    return (
        display.GetSegmentOpacity2DFill(segment_id),
        display.GetSegmentOpacity2DOutline(segment_id),
        display.GetSegmentOpacity3D(segment_id),
        bool(display.GetSegmentVisibility(segment_id)),
    )


def _write(display: Any, segment_id: str, shown: Shown) -> None:
    fill, outline, surface, visible = shown
    display.SetSegmentOpacity2DFill(segment_id, fill)
    display.SetSegmentOpacity2DOutline(segment_id, outline)
    display.SetSegmentOpacity3D(segment_id, surface)
    display.SetSegmentVisibility(segment_id, visible)


class CtWindow:
    """The CT window of one volume node. A window that the reader sets meanwhile is the reader's and stays."""

    def __init__(self, volume_node: Any) -> None:
        self._node = volume_node
        self._before: tuple[float, float, int] | None = None
        self._set: tuple[float, float] | None = None

    def follow(self, window: tuple[float, float] | None) -> None:
        """Set (width, level) in HU; None, or the window that was set last, changes nothing."""
        display = self._node.GetDisplayNode()
        if display is None or window is None or window == self._set:
            return
        if self._before is None or not self._is_as_set(display):
            self._before = (display.GetWindow(), display.GetLevel(), display.GetAutoWindowLevel())
        modifying = display.StartModify()
        display.SetAutoWindowLevel(0)
        display.SetWindowLevel(*window)
        display.EndModify(modifying)
        self._set = window

    def put_back(self) -> None:
        """Set the reader's own window again."""
        display = self._node.GetDisplayNode() if self._node.GetScene() is not None else None
        if display is not None and self._before is not None and self._is_as_set(display):
            width, level, auto = self._before
            modifying = display.StartModify()
            display.SetWindowLevel(width, level)
            display.SetAutoWindowLevel(auto)
            display.EndModify(modifying)
        self._before = self._set = None

    def _is_as_set(self, display: Any) -> bool:
        return self._set == (display.GetWindow(), display.GetLevel())


class Standpoints:
    """Where the slices and the cameras of a scene stood."""

    def __init__(self) -> None:
        self._slices: list[tuple[Any, Any, tuple[float, ...]]] = []
        self._cameras: list[tuple[Any, tuple[float, ...], tuple[float, ...]]] = []

    def note(self, slices: Iterable[Any], cameras: Iterable[Any]) -> None:
        """Note where all stand, unless that was done before."""
        if not self._slices and not self._cameras:
            self._slices = [(node, from_vtk(node.GetSliceToRAS()), node.GetXYZOrigin()) for node in slices]
            self._cameras = [(node, node.GetPosition(), node.GetFocalPoint()) for node in cameras]

    def put_back(self, *, move: bool) -> None:
        """Forget what was noted, after moving back if `move` says so."""
        if move:
            for node, matrix, origin in self._slices:
                node.GetSliceToRAS().DeepCopy(to_vtk(matrix))
                node.SetXYZOrigin(*origin)
                node.UpdateMatrices()
            for node, position, focus in self._cameras:
                set_camera(node, position, focus)
        self._slices, self._cameras = [], []


def set_camera(node: Any, position: Iterable[float], focus: Iterable[float]) -> None:
    """Set a camera node's position and focal point in RAS millimetres in one change."""
    modifying = node.StartModify()
    node.SetPosition(*position)
    node.SetFocalPoint(*focus)
    node.EndModify(modifying)
    node.ResetClippingRange()
