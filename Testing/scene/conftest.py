"""Fixtures of the scene tests; they are skipped where the libraries of 3D Slicer are not installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pointing_stage import Stage
    from scene_host import Host
    from view_host import Views

# Before vtk is loaded: the one way to draw that needs neither a screen nor a try.
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


@pytest.fixture
def host() -> Iterator[Host]:
    """An empty scene without views."""
    pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
    from scene_host import Host

    made = Host()
    yield made
    made.scene.Clear(1)


@pytest.fixture
def stage(host: Host) -> Stage:
    """A chest in the scene, with slices and a camera to point with."""
    from pointing_stage import set_stage

    return set_stage(host)


@pytest.fixture(scope="module")
def views() -> Iterator[Views]:
    """A scene with three slice views and a 3D view that draw into memory; shared by the tests of a file."""
    pytest.importorskip("trame_slicer", reason="views without a window need trame-slicer: regionreport[scene]")
    from view_host import Views

    made = Views()
    yield made
    made.close()
