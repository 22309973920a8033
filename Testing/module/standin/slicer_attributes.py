"""Puts on the real `slicer` package of slicer-core what only the application gives: app, scene, modules, widgets.

`start` is called once per process; importing has no effect.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import slicer


class LogicOnly:
    """`slicer.modules.<name>` of a module of which only the logic exists here."""

    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def logic(self) -> Any:
        return self._logic


class Modules:
    """`slicer.modules`: what is not loaded raises."""


def start(folder: Path) -> tuple[Any, Any]:
    """Make the application with its window; returns both. Settings go to `folder`."""
    import qmrml

    for kind in qmrml.WIDGETS:
        setattr(slicer, kind.__name__, kind)
    slicer.modules = Modules()
    _register("slicer.i18n", tr=lambda text: text, translate=lambda context, text: text)
    import parameters
    import scripted

    _register("slicer.ScriptedLoadableModule", **{name: getattr(scripted, name) for name in scripted.__all__})
    _register("slicer.parameterNodeWrapper", **{name: getattr(parameters, name) for name in parameters.__all__})
    from application import qSlicerApplication

    app = qSlicerApplication(folder)
    slicer.app, slicer.mrmlScene = app, app.mrmlScene()
    host = app._views.app
    for name, logic in (
        ("volumes", host.volumes_logic),
        ("segmentations", host.segmentations_logic),
        ("terminologies", host.terminologies_logic),
        ("subjecthierarchy", host.subject_hierarchy_logic),
        ("markups", slicer.app.applicationLogic().GetModuleLogic("Markups")),
    ):
        setattr(slicer.modules, name, LogicOnly(logic))
    return app, app.build()


def _register(name: str, **content: Any) -> None:
    module = ModuleType(name)
    vars(module).update(content, __all__=list(content))
    sys.modules[name] = module
    setattr(slicer, name.rpartition(".")[2], module)
