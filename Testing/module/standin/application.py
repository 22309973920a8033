"""Stands in for `slicer.app` and the main window: a real QApplication with the methods that modules call.

`Application.show_module` and `reload` do what the module selector and the reload button do.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import qt
import slicer
from files import IOManager
from four_up import FourUp
from layout import LayoutManager
from scripted import ModuleDescription

from view_host import Views


class qSlicerApplication(qt.QApplication):
    """`slicer.app`."""

    STANDS_FOR_CPP = True
    PYTHON_SIGNALS = ("startupCompleted()", "mrmlSceneChanged(vtkMRMLScene*)")

    def __init__(self, folder: Path) -> None:
        super().__init__(["Slicer"])
        self.setStyle("Fusion")
        self._folder = folder
        # Slicer's own names; a bare QSettings() means the same file, which is not the user's.
        self.organizationName, self.applicationName = "NA-MIC", "Slicer"
        qt.QSettings.setDefaultFormat(qt.QSettings.IniFormat)
        qt.QSettings.setPath(qt.QSettings.IniFormat, qt.QSettings.UserScope, str(folder))
        self._settings = qt.QSettings()
        self._views = Views()
        self._io_manager = IOManager(self._views.app, folder)
        self._window: Any = None
        self._layout_manager: Any = None
        self._loaded: list[Any] = []
        self._testing = True
        self._paused = 0

    # what modules call

    def applicationLogic(self) -> Any:
        return self._views.app.app_logic

    def mrmlScene(self) -> Any:
        return self._views.scene

    def layoutManager(self) -> Any:
        return self._layout_manager

    def coreIOManager(self) -> Any:
        return self._io_manager

    ioManager = coreIOManager

    def settings(self) -> Any:
        return self._settings

    userSettings = revisionUserSettings = settings

    def testingEnabled(self) -> bool:
        return self._testing

    def pauseRender(self) -> None:
        self._paused += 1
        for view in self._views.all:
            view.set_render_blocked(True)

    def resumeRender(self) -> None:
        self._paused -= 1
        for view in self._views.all if self._paused == 0 else ():
            view.set_render_blocked(False)
            view.schedule_render()

    def isRenderPaused(self) -> bool:
        return self._paused > 0

    temporaryPath = property(lambda self: str(self._folder))
    slicerHome = property(lambda self: str(self._folder))
    majorVersion = property(lambda self: 5)
    minorVersion = property(lambda self: 12)

    # what the application itself does

    def build(self) -> MainWindow:
        """Make the main window with the four views."""
        self._window = MainWindow(self._views)
        self._layout_manager = LayoutManager(self._window.views, self._views.scene)
        return self._window

    def load(self, file: Path) -> Any:
        """Load a scripted module unchanged, show its panel and return its widget object."""
        module = _executed(file)
        name = file.stem
        description = ModuleDescription(name, str(file))
        getattr(module, name)(description)
        page = ModulePage()
        page.setObjectName(f"{name}ModuleWidget")
        page.setLayout(qt.QVBoxLayout())
        page.setMRMLScene(slicer.mrmlScene)
        widget = getattr(module, f"{name}Widget")(page)
        page._owner = widget
        setattr(slicer.modules, name.lower(), Module(name, description, widget))
        self._loaded.append(widget)
        widget.setup()
        self._window.show_page(page, widget)
        return widget

    def unload(self, widget: Any) -> None:
        """End a module's panel, as the application does at its end and before a reload."""
        self._loaded.remove(widget)
        self._window.leave(widget)
        widget.cleanup()
        widget.parent.setParent(None)
        widget.parent.deleteLater()
        qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.DeferredDelete)

    def unload_all(self) -> None:
        """End all modules, as the application does when it closes."""
        for widget in tuple(self._loaded):
            self.unload(widget)

    def reload(self, widget: Any) -> Any:
        """Do what the reload button does: only the module's own file is executed again."""
        file = Path(sys.modules[type(widget).__module__].__file__ or "")
        self.unload(widget)
        return self.load(file)


class ModulePage(slicer.qMRMLWidget):
    """`qSlicerScriptedLoadableModuleWidget`: the page of a module, which knows the Python object behind it."""

    STANDS_FOR_CPP = True
    _owner: Any = None

    def self(self) -> Any:
        return self._owner


class ModuleSelector:
    """`mainWindow().moduleSelector()`: shows one of the loaded modules; any other name leaves the one shown."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def selectModule(self, name: str) -> None:
        module = getattr(slicer.modules, name.lower(), None)
        if not isinstance(module, Module):
            self._window.leave(self._window.shown)
        elif module.widgetRepresentation().self() is not self._window.shown:
            self._window.enter_again(module.widgetRepresentation().self())


class Module:
    """`slicer.modules.<name>`."""

    def __init__(self, name: str, description: ModuleDescription, widget: Any) -> None:
        self.name, self.title, self.path = name, description.title, description.path
        self.categories = tuple(description.categories)
        self._widget = widget

    def widgetRepresentation(self) -> Any:
        return self._widget.parent

    def logic(self) -> Any:
        return self._widget.logic


class MainWindow(qt.QMainWindow):
    """The main window: module panel on the left, views on the right."""

    def __init__(self, views: Views) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("3D Slicer (stand-in)")
        self.views = FourUp(views)
        self._panel = qt.QScrollArea()
        self._panel.setWidgetResizable(True)
        self._panel.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        self._shown: Any = None
        split = qt.QSplitter(qt.Qt.Horizontal)
        split.addWidget(self._panel)
        split.addWidget(self.views)
        split.setSizes([460, 900])
        split.setStretchFactor(1, 1)
        self.setCentralWidget(split)
        self.statusBar()

    @property
    def shown(self) -> Any:
        """The widget object of the module that is shown, None if there is none."""
        return self._shown

    def moduleSelector(self) -> ModuleSelector:
        return ModuleSelector(self)

    def show_page(self, page: Any, widget: Any) -> None:
        """Show a module's panel and enter it."""
        self.leave(self._shown)
        self._panel.setWidget(page)
        self._shown = widget
        widget.enter()

    def leave(self, widget: Any) -> None:
        """Leave a module as if another were chosen."""
        if widget is not None and widget is self._shown:
            widget.exit()
            self._panel.takeWidget()
            self._shown = None

    def enter_again(self, widget: Any) -> None:
        """Come back to a module that was left."""
        self.show_page(widget.parent, widget)


def _executed(file: Path) -> Any:
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
