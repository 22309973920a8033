"""What a user does to the window: clicks, keys, choices, waiting; for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtTest import QTest


class User:
    """Acts through events, as the window system would send them."""

    def __init__(self, app: Any) -> None:
        self._app = app

    @property
    def window(self) -> Any:
        """The main window."""
        return slicer.util.mainWindow()

    def settle(self, rounds: int = 5) -> None:
        """Let everything happen that is due, drawing included."""
        for _ in range(rounds):
            self._app.processEvents()
            time.sleep(0.005)
        for widget in self.window.views.widgets.values():
            if widget.pending:
                widget.draw()
        self._app.processEvents()

    def wait(self, done: Callable[[], bool], limit_s: float = 60.0) -> None:
        """Run the event loop until `done`; the limit only keeps a broken test from running for ever."""
        end = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > end:
                raise AssertionError(f"this did not happen within {limit_s:g} s: {done}")
            self._app.processEvents()
            time.sleep(0.002)

    def click(self, widget: Any, at: tuple[int, int] | None = None, button: Any = None, modifiers: Any = None) -> None:
        """Click where a widget is, in its middle or at `at`; whatever lies there gets it, as in real life."""
        handle, where = self._place(widget, at)
        QTest.mouseClick(handle, button or qt.Qt.LeftButton, modifiers or qt.Qt.NoModifier, where)
        self._app.processEvents()

    def double_click(self, widget: Any, at: tuple[int, int] | None = None) -> None:
        """Click twice quickly."""
        handle, where = self._place(widget, at)
        QTest.mouseDClick(handle, qt.Qt.LeftButton, qt.Qt.NoModifier, where)
        self._app.processEvents()

    def move(self, widget: Any, at: tuple[int, int] | None = None) -> None:
        """Move the mouse over a widget."""
        handle, where = self._place(widget, at)
        QTest.mouseMove(handle, where)
        self._app.processEvents()

    def wheel(self, widget: Any, steps: int, at: tuple[int, int] | None = None) -> None:
        """Turn the wheel over a widget; positive away from the user."""
        handle, where = self._place(widget, at)
        for _ in range(abs(steps)):
            QTest.wheelEvent(handle, QPointF(where), QPoint(0, 120 if steps > 0 else -120))
        self._app.processEvents()

    def key(self, keys: str, widget: Any = None) -> None:
        """Press a key or chord such as "A", "Ctrl+Z" or "Down" where the focus is; shortcuts come first, as always."""
        chord = qt.QKeySequence(keys)[0]
        QTest.keyClick(widget or self._focus(), chord.key(), chord.keyboardModifiers())
        self._app.processEvents()

    def type(self, text: str, widget: Any = None) -> None:
        """Type characters where the focus is."""
        QTest.keyClicks(widget or self._focus(), text)
        self._app.processEvents()

    def in_dialog(self, act: Callable[[Any], None]) -> None:
        """Do `act` with the next modal dialog, once it is open; say it before the click that opens it."""

        def wait() -> None:
            dialog = self._app.activeModalWidget()
            if dialog is None or not dialog.isVisible():
                qt.QTimer.singleShot(5, wait)
                return
            try:
                act(dialog)
            finally:
                if dialog.isVisible():
                    dialog.reject() if dialog.inherits("QDialog") else dialog.close()

        qt.QTimer.singleShot(0, wait)

    def choose(self, selector: Any, node: Any) -> None:
        """Choose a node (or None) in a node selector, as its list does."""
        combo = selector._combo
        index = combo.findData("" if node is None else node.GetID())
        if index < 0:
            raise AssertionError(f"{selector.name} does not list {node and node.GetName()}")
        combo.setCurrentIndex(index)
        combo.activated.emit(index)
        self._app.processEvents()

    def click_in_view(self, name: str, ras_mm: Any, **more: Any) -> None:
        """Click in slice view `name` (Red, Green, Yellow) where it shows a point of the scene."""
        widget = self.window.views.widgets[name]
        self.click(widget, widget.pixel_of(ras_mm), **more)

    def picture(self, path: Path | str, size: tuple[int, int] | None = None) -> Any:
        """Draw everything and save the whole window as PNG, first made `size` large; gives the image."""
        if size is not None:
            self.window.resize(*size)
        self.settle()
        self.window.views.draw()
        self._app.processEvents()
        image = self.window.grab().toImage()
        image.save(str(path))
        return image

    def _focus(self) -> Any:
        dialog = self._app.activeModalWidget() or self._app.activePopupWidget()
        if dialog is None and self._app.activeWindow() is not self.window:
            self.window.activateWindow()
            self._app.processEvents()
        return self._app.focusWidget() or dialog or self.window

    def _place(self, widget: Any, at: tuple[int, int] | None) -> tuple[Any, Any]:
        """Return the window and the point in it at which a user would find the widget; scrolls there if need be."""
        what = f"{widget.className()} {widget.name!r}"
        if not widget.isVisible() or not widget.isEnabled():
            raise AssertionError(f"{what} is hidden or disabled: nobody can click it")
        x, y = at or (widget.width // 2, widget.height // 2)
        ancestor = widget.parent()
        while ancestor is not None:
            if ancestor.inherits("QScrollArea"):
                inside = widget.mapTo(ancestor.widget(), QPoint(x, y))
                ancestor.ensureVisible(inside.x(), inside.y(), 20, 20)
                self._app.processEvents()
            ancestor = ancestor.parent()
        window = widget.window()
        where = widget.mapTo(window, QPoint(x, y))
        hit = window.childAt(where) or window
        while hit is not None and hit is not widget:
            hit = hit.parent()
        if hit is None:
            raise AssertionError(f"{what} is covered or out of sight at {x}, {y}: nobody can click it")
        return window.windowHandle(), where
