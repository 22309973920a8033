"""The four views of the page: drawn into memory by 3D Slicer's own view classes, handed out as JPEG pictures.

The only file of this room that touches VTK. Drawing is put off and gathered, so that many changes of the scene cost
one picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import vtk
from PIL import Image
from trame_slicer.core import SlicerApp
from trame_slicer.views import DirectViewFactory, ViewLayoutDefinition
from trame_slicer.views.render_scheduler import ScheduledRenderStrategy
from vtk.util.numpy_support import vtk_to_numpy

Point = tuple[float, float, float]

NAMES = ("axial", "coronal", "sagittal", "space")
"""In the order in which they are drawn: the slices are there at once, the 3D view follows."""
_SMALLEST, _LARGEST = 32, 2200
"""Pixels of a view along one edge; a quarter of a 4K screen is 1920 x 1080."""
_QUALITY = 88
_BUTTONS = ("Left", "Middle", "Right")
MOUSE = ("move", "wheel+", "wheel-", *(f"{act}{n}" for act in ("down", "up") for n in range(3)))
"""What a mouse does: with which of three buttons, in the browser's numbers."""


class _Gathered(ScheduledRenderStrategy):  # type: ignore[misc]
    """Notes that a view is out of date instead of drawing at each change."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    def schedule_render(self) -> None:
        self._note()


class FourViews:
    """A scene with three slice views and a 3D view; `changed()` is called whenever one of them is out of date."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.changed = changed
        self.stale: set[str] = set()
        self._app = SlicerApp()
        self.scene = self._app.scene
        manager = self._app.view_manager
        manager.register_factory(DirectViewFactory(True))
        layouts = (
            ViewLayoutDefinition.axial_view(),
            ViewLayoutDefinition.coronal_view(),
            ViewLayoutDefinition.sagittal_view(),
            ViewLayoutDefinition.threed_view(background_color=("#0d0f11", "#1b1f24")),
        )
        self._views: dict[str, Any] = {}
        vtk.vtkObject.GlobalWarningDisplayOff()  # slice views still watch an event that VTK 9.6 calls outdated
        for name, layout in zip(NAMES, layouts, strict=True):
            self._views[name] = self._quiet(name, manager.create_view(layout))
            self.resize(name, 400, 300)
        vtk.vtkObject.GlobalWarningDisplayOn()
        # A drag in a slice sets the CT window: there is nothing else to place or move here.
        interaction = self._app.app_logic.GetInteractionNode()
        interaction.SetCurrentInteractionMode(interaction.AdjustWindowLevel)

    def _quiet(self, name: str, view: Any) -> Any:
        """Correct what trame-slicer's views do badly on software OpenGL, and let nothing draw by itself."""

        def note() -> None:
            self.stale.add(name)
            self.changed()

        view.set_scheduled_render(_Gathered(note))
        view.interactor().EnableRenderOff()
        view.render_window().SetMultiSamples(0)  # with them translucent surfaces are lost
        if name == "space":
            view.renderer().SetUseDepthPeeling(False)  # costs a multiple of the drawing itself
            view.renderer().SetUseDepthPeelingForVolumes(False)
        else:
            # Else the CT is drawn behind a segmentation that entered the scene first.
            view._render_manager._AddSliceActorToRendererIfNeeded()
        return view

    def show(self, volume_node: Any) -> None:
        """Show a volume in the slice views and fit all views to it."""
        self._app.display_manager.show_volume_in_slice_background(volume_node)
        self.fit()

    def fit(self) -> None:
        """Fit all views to what they show."""
        for view in self._views.values():
            view.reset_view()
        self.refresh()

    def fit_space(self) -> None:
        """Fit the 3D view to what it shows."""
        self._views["space"].reset_view()

    def refresh(self) -> None:
        """Let all views be drawn anew."""
        self.stale.update(NAMES)
        self.changed()

    def resize(self, name: str, width: int, height: int) -> None:
        """Give a view a size in pixels, within reason."""
        size = tuple(max(_SMALLEST, min(_LARGEST, n)) for n in (width, height))
        view = self._views[name]
        if view.render_window().GetSize() == size and view.render_window().GetNeverRendered() == 0:
            return
        view.interactor().UpdateSize(*size)
        view.render_window().SetSize(*size)
        if name != "space":
            view._update_slice_size()  # more or less of the patient, as large as before
        self.stale.add(name)
        self.changed()

    def next_stale(self, hidden: Collection[str] = ()) -> str | None:
        """Return the view that is to be drawn next, or None if all are up to date that are not `hidden`."""
        return next((name for name in NAMES if name in self.stale and name not in hidden), None)

    def picture(self, name: str) -> bytes:
        """Draw a view now and return it as JPEG."""
        self.stale.discard(name)
        window = self._views[name].render_window()
        window.Render()
        self.stale.discard(name)  # drawing itself notes changes, for example of the clipping range
        width, height = window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)
        image = np.ascontiguousarray(vtk_to_numpy(pixels).reshape(height, width, 4)[::-1])
        file = io.BytesIO()
        Image.frombuffer("RGBX", (width, height), image, "raw", "RGBX", 0, 1).save(file, "JPEG", quality=_QUALITY)
        return file.getvalue()

    def point_at(self, name: str, x: float, y: float) -> Point | None:
        """Return the scene's RAS millimetres at a place of a slice view, `x`, `y` in 0..1 from the upper left."""
        if name == "space":
            return None
        view = self._views[name]
        width, height = view.render_window().GetSize()
        node = view.get_view_node()
        node.UpdateMatrices()
        a, b, c, _ = node.GetXYToRAS().MultiplyPoint((x * width, (1 - y) * height, 0.0, 1.0))
        return a, b, c

    def middle(self) -> Point:
        """Return the scene's millimetres where the three slices meet."""
        x, y, z = (self.point_at(name, 0.5, 0.5) for name in ("sagittal", "coronal", "axial"))
        assert x is not None and y is not None and z is not None
        return x[0], y[1], z[2]

    def standpoints(self) -> tuple[str, ...]:
        """Return where each slice stands, in the patient's words: 'I 115', 'P 34', 'L 57'."""
        x, y, z = self.middle()
        return tuple(
            f"{towards[0 if value >= 0 else 1]} {abs(value):.0f}"
            for value, towards in ((z, "SI"), (y, "AP"), (x, "RL"))
        )

    def offsets(self) -> dict[str, float]:
        """Return at which millimetre each slice view stands."""
        return {name: float(self._views[name].get_slice_value()) for name in NAMES[:3]}

    def mouse(self, name: str, kind: str, x: float, y: float, keys: int) -> None:
        """Pass an act of the mouse on: `kind` as in `MOUSE`, `x`, `y` as in `point_at`, `keys` 1 shift, 2 control."""
        interactor = self._views[name].interactor()
        width, height = self._views[name].render_window().GetSize()
        where = (math.floor(x * (width - 1)), math.floor(y * (height - 1)))
        interactor.SetEventInformationFlipY(*where, bool(keys & 2), bool(keys & 1))
        interactor.InvokeEvent(_event(kind))

    def close(self) -> None:
        """Give the windows back."""
        for view in self._views.values():
            view.finalize()


def _event(kind: str) -> str:
    if kind == "move":
        return "MouseMoveEvent"
    if kind in ("wheel+", "wheel-"):
        return "MouseWheelForwardEvent" if kind == "wheel+" else "MouseWheelBackwardEvent"
    pressed, button = kind[:-1], _BUTTONS[int(kind[-1])]
    return f"{button}Button{'Press' if pressed == 'down' else 'Release'}Event"


def view_of(number: Any) -> str:
    """Return the name of a view by its number, the first for nonsense."""
    return NAMES[number] if isinstance(number, int) and 0 <= number < len(NAMES) else NAMES[0]
