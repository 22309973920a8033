"""Stands in for the few widgets of `ctk` that the module uses. Unknown names raise: add what is needed here."""

from __future__ import annotations

from typing import Any

import qt
from PySide6.QtCore import Property, Signal


class ctkCollapsibleButton(qt.QWidget):
    """A titled area that can be folded away."""

    STANDS_FOR_CPP = True
    contentsCollapsed = Signal(bool)
    _HEAD = 26

    def __init__(self, text: Any = "", parent: Any = None) -> None:
        if not isinstance(text, str):
            text, parent = "", text
        super().__init__(parent)
        self._text, self._collapsed = text, False
        self.setContentsMargins(0, self._HEAD, 0, 0)
        self.setMinimumHeight(self._HEAD)

    def setText(self, text: str) -> None:
        self._text = text
        self.update()

    def setCollapsed(self, collapsed: bool) -> None:
        changed, self._collapsed = self._collapsed != collapsed, collapsed
        for child in self.children():
            if isinstance(child, qt.QWidget):
                child.setVisible(not collapsed)
        self.updateGeometry()
        if changed:
            self.contentsCollapsed.emit(collapsed)

    def showEvent(self, event: Any) -> None:
        self.setCollapsed(self._collapsed)  # the .ui file says it before there is anything inside

    def toggle(self) -> None:
        self.setCollapsed(not self._collapsed)

    def mousePressEvent(self, event: Any) -> None:
        if event.position().y() < self._HEAD:
            self.toggle()

    def paintEvent(self, event: Any) -> None:
        painter = qt.QStylePainter(self)
        option = qt.QStyleOptionButton()
        option.initFrom(self)
        option.rect = qt.QRect(0, 0, self.width, self._HEAD)
        option.text = ("▸ " if self._collapsed else "▾ ") + self._text
        painter.drawControl(qt.QStyle.CE_PushButton, option)
        painter.end()

    text = Property(str, lambda self: self._text, setText)
    collapsed = Property(bool, lambda self: self._collapsed, setCollapsed)


class ctkComboBox(qt.QComboBox):
    """A combo box that shows a text of its own while nothing is chosen."""

    STANDS_FOR_CPP = True

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._default = ""

    def _set_default(self, text: str) -> None:
        self._default = text

    defaultText = Property(str, lambda self: self._default, _set_default)


class ctkPathLineEdit(qt.QWidget):
    """A path with a button to browse; `filters` and `settingKey` are kept only."""

    STANDS_FOR_CPP = True
    Dirs, Files = 1, 2  # of QDir::Filter
    currentPathChanged = Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._edit = qt.QLineEdit(self)
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(qt.QToolButton(self))
        self._edit.connect("textChanged(QString)", lambda text: self.currentPathChanged.emit(text))
        self._kept = {"filters": 0, "settingKey": ""}

    def setCurrentPath(self, path: str) -> None:
        self._edit.text = path

    def addCurrentPathToHistory(self) -> None:
        """Remember the path; the stand-in has no history."""

    def _keep(self, name: str, value: Any) -> None:
        self._kept[name] = value

    currentPath = Property(str, lambda self: self._edit.text, setCurrentPath)
    filters = Property(int, lambda self: self._kept["filters"], lambda self, value: self._keep("filters", value))
    settingKey = Property(
        str, lambda self: self._kept["settingKey"], lambda self, value: self._keep("settingKey", value)
    )


class ctkSliderWidget(qt.QWidget):
    """A slider with a number beside it."""

    STANDS_FOR_CPP = True
    valueChanged = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._spin = qt.QDoubleSpinBox(self)
        self._slider = qt.QSlider(qt.Qt.Horizontal, self)
        self._slider.setRange(0, 1000)
        layout = qt.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._spin)
        self._spin.connect("valueChanged(double)", self._changed)
        self._slider.connect("sliderMoved(int)", self._moved)

    def setValue(self, value: float) -> None:
        self._spin.setValue(value)

    def _changed(self, value: float) -> None:
        span = self._spin.maximum - self._spin.minimum
        self._slider.value = round(1000 * (value - self._spin.minimum) / span) if span else 0
        self.valueChanged.emit(value)

    def _moved(self, step: int) -> None:
        self._spin.setValue(self._spin.minimum + step / 1000 * (self._spin.maximum - self._spin.minimum))

    def _set(self, name: str, value: Any) -> None:
        setattr(self._spin, name, value)

    value = Property(float, lambda self: self._spin.value, setValue)
    minimum = Property(float, lambda self: self._spin.minimum, lambda self, value: self._set("minimum", value))
    maximum = Property(float, lambda self: self._spin.maximum, lambda self, value: self._set("maximum", value))
    singleStep = Property(float, lambda self: self._spin.singleStep, lambda self, value: self._set("singleStep", value))
    decimals = Property(int, lambda self: self._spin.decimals, lambda self, value: self._set("decimals", value))
    suffix = Property(str, lambda self: self._spin.suffix, lambda self, value: self._set("suffix", value))


class ctkCheckBox(qt.QCheckBox):
    """A check box."""

    STANDS_FOR_CPP = True


class ctkMenuButton(qt.QPushButton):
    """A button with a menu on its side."""

    STANDS_FOR_CPP = True


class ctkMessageBox(qt.QMessageBox):
    """A message box that need not be shown again."""

    STANDS_FOR_CPP = True

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._key = ""

    def _set_key(self, key: str) -> None:
        self._key = key

    dontShowAgainSettingsKey = Property(str, lambda self: self._key, _set_key)


class ctkSettingsPanel(qt.QWidget):
    """A page of the settings window; registered values are kept in the application's settings."""

    STANDS_FOR_CPP = True

    def registerProperty(self, key: str, widget: Any, name: str, signal: str, *more: Any) -> None:
        import slicer

        settings = slicer.app.settings()
        if settings.contains(key):
            setattr(widget, name, settings.value(key))
        signal = signal[1:] if signal[:1].isdigit() else signal  # what SIGNAL() puts in front
        widget.connect(signal, lambda *_: settings.setValue(key, getattr(widget, name)))


def __getattr__(name: str) -> Any:
    raise AttributeError(f"the stand-in of ctk has no {name!r}; if the module needs it, add it there")
