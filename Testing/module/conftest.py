"""Fixtures that run scripted modules without 3D Slicer: real MRML, real views, a PythonQt-like Qt on PySide6.

The stand-in changes PySide6 for the whole process. Every test fails if an exception was left in a slot.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

# Before Qt and VTK are loaded: neither needs a screen then.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


@pytest.fixture(scope="session")
def slicer_app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`slicer.app` with a shown main window; one per process."""
    for package, extra in (("PySide6", "dev"), ("slicer", "scene"), ("trame_slicer", "scene")):
        if find_spec(package) is None:  # not importorskip: the stand-in must be the first to import PySide6
            pytest.skip(f"the panel is tested on {package}: pip install regionreport[{extra}]")
    for folder in (HERE / "standin", HERE.parent / "scene"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from slicer_attributes import start

    folder = tmp_path_factory.mktemp("slicer")
    os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = str(folder)  # nothing is written to the user's own
    app, window = start(folder)
    window.resize(1366, 768)
    window.show()
    app.processEvents()
    return app


@pytest.fixture(autouse=True)
def no_problem_is_left(request: pytest.FixtureRequest) -> Iterator[Callable[[], list[str]]]:
    """Fail the test on exceptions in slots, timers and virtual functions; the value takes and forgets them."""
    if "slicer_app" not in request.fixturenames:
        yield list
        return
    request.getfixturevalue("slicer_app")
    from pythonqt import problems

    problems.take()
    yield problems.take
    left = problems.take()
    assert not left, "exceptions that nobody caught:\n" + "\n".join(left)


@pytest.fixture(autouse=True)
def fresh_settings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins without settings."""
    if "slicer_app" in request.fixturenames:
        request.getfixturevalue("slicer_app").settings().clear()
    yield


@pytest.fixture
def clean_scene(slicer_app: Any) -> Iterator[Any]:
    """The scene, empty but for views and singletons."""
    import slicer

    slicer.mrmlScene.Clear(0)
    yield slicer.mrmlScene
    slicer.mrmlScene.Clear(0)


@pytest.fixture
def load_module(clean_scene: Any, slicer_app: Any) -> Iterator[Callable[[Path], Any]]:
    """Loads a scripted module's file unchanged and shows its panel; gives the widget object. Unloaded at the end."""
    loaded: list[Any] = []

    def load(file: Path) -> Any:
        loaded.append(slicer_app.load(file))
        return loaded[-1]

    yield load
    slicer_app.unload_all()


@pytest.fixture
def qt(slicer_app: Any) -> Any:
    """The stand-in of 3D Slicer's `qt`."""
    import qt

    return qt


@pytest.fixture
def user(slicer_app: Any) -> Any:
    """Clicks, types and looks, as a user does."""
    from user import User

    return User(slicer_app)
