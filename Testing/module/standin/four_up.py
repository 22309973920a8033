"""Four views side by side in a window: drawn into memory by VTK, shown as images, with mouse and wheel passed on.

Real views (slice logics, displayable managers, interactor styles) without the Slicer application, so that pixels can
be looked at. Drawing is put off and gathered: many changes cost one frame.
"""

from __future__ import annotations

from typing import Any

import qt
import vtk
from trame_slicer.views.render_scheduler import ScheduledRenderStrategy

from view_host import Views

_GATHER_MS = 15


class Gathered(ScheduledRenderStrategy):
    """Asks the widget for a frame instead of drawing at each change."""

    def __init__(self, widget: ViewWidget) -> None:
        super().__init__()
        self._widget = widget

    def schedule_render(self) -> None:
        self._widget.schedule()

    def did_render(self) -> None:
        """Nothing is pending then that the widget does not know."""


class ViewWidget(qt.QWidget):
    """One view as an image; what the mouse does reaches the view's interactor."""

    def __init__(self, view: Any, title: str, colour: str, parent: Any = None) -> None:
        super().__init__(parent)
        self.view, self.title, self.colour = view, title, qt.QColor(colour)
        self.frames = 0
        self._image = qt.QImage()
        self._timer = qt.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self.draw)
        view.set_scheduled_render(Gathered(self))
        self.setMouseTracking(True)
        self.setMinimumSize(80, 80)

    def schedule(self) -> None:
        """Ask for a frame soon."""
        if not self._timer.active:
            self._timer.start(_GATHER_MS)

    def draw(self) -> None:
        """Draw a frame now."""
        self._timer.stop()
        if self.view.is_render_blocked:
            return
        window = self.view.render_window()
        window.Render()
        width, height = window.GetSize()
        pixels = vtk.vtkUnsignedCharArray()
        window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)
        image = qt.QImage(bytes(pixels), width, height, width * 4, qt.QImage.Format_RGBX8888)
        self._image = image.flipped(qt.Qt.Vertical)
        self.frames += 1
        self.update()

    def resizeEvent(self, event: Any) -> None:
        size = (max(self.width, 1), max(self.height, 1))
        self.view.interactor().UpdateSize(*size)
        self.view.render_window().SetSize(*size)
        if hasattr(self.view, "_update_slice_size"):
            self.view._update_slice_size()
        self.schedule()

    def paintEvent(self, event: Any) -> None:
        painter = qt.QPainter(self)
        painter.drawImage(self.rect, self._image)
        painter.fillRect(0, 0, self.width, 3, self.colour)
        painter.setPen(self.colour)
        painter.drawText(8, 20, self.title)
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        self._pass_on(event, _BUTTONS[int(event.button())] + "ButtonPressEvent")

    def mouseReleaseEvent(self, event: Any) -> None:
        self._pass_on(event, _BUTTONS[int(event.button())] + "ButtonReleaseEvent")

    def mouseMoveEvent(self, event: Any) -> None:
        self._pass_on(event, "MouseMoveEvent")

    def leaveEvent(self, event: Any) -> None:
        self.view.interactor().InvokeEvent("LeaveEvent")

    def enterEvent(self, event: Any) -> None:
        self.view.interactor().InvokeEvent("EnterEvent")

    def wheelEvent(self, event: Any) -> None:
        up = event.angleDelta().y() > 0
        self._pass_on(event, "MouseWheelForwardEvent" if up else "MouseWheelBackwardEvent")

    def _pass_on(self, event: Any, name: str) -> None:
        modifiers, where = event.modifiers(), event.position()
        control = bool(modifiers & qt.Qt.ControlModifier)
        shift = bool(modifiers & qt.Qt.ShiftModifier)
        interactor = self.view.interactor()
        interactor.SetEventInformationFlipY(round(where.x()), round(where.y()), control, shift)
        interactor.InvokeEvent(name)

    # for tests

    @property
    def pending(self) -> bool:
        """Tell whether a frame was asked for and not drawn yet."""
        return bool(self._timer.active)

    def pixel_of(self, ras_mm: Any) -> tuple[int, int]:
        """Return x and y in the widget at which a slice view shows a point of the scene."""
        to_ras = vtk.vtkMatrix4x4()
        self.view.get_view_node().UpdateMatrices()
        to_ras.DeepCopy(self.view.get_view_node().GetXYToRAS())
        to_ras.Invert()
        x, y, _, _ = to_ras.MultiplyPoint((*ras_mm, 1.0))
        return round(x), self.height - 1 - round(y)

    def rgb_at(self, x: int, y: int) -> tuple[int, int, int]:
        """Return the colour of a pixel of the last frame."""
        colour = self._image.pixelColor(x, y)
        return colour.red(), colour.green(), colour.blue()


_BUTTONS = {1: "Left", 2: "Right", 4: "Middle"}


class FourUp(qt.QWidget):
    """Axial, 3D, coronal and sagittal view, laid out as 3D Slicer's default."""

    def __init__(self, views: Views, parent: Any = None) -> None:
        super().__init__(parent)
        self.widgets = {
            "Red": ViewWidget(views.slices["axial"], "R  axial", "#f34a33"),
            "3D": ViewWidget(views.space, "3D", "#8ca0c8"),
            "Green": ViewWidget(views.slices["coronal"], "G  coronal", "#6eb04b"),
            "Yellow": ViewWidget(views.slices["sagittal"], "Y  sagittal", "#edd54c"),
        }
        layout = qt.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for n, widget in enumerate(self.widgets.values()):
            layout.addWidget(widget, n // 2, n % 2)

    def draw(self) -> None:
        """Draw all four now."""
        for widget in self.widgets.values():
            widget.draw()
