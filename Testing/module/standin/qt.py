"""Stands in for 3D Slicer's `qt`: the names of Qt's modules, flat, on PySide6 that was taught PythonQt's manners."""

from __future__ import annotations

from typing import Any

from pythonqt.install import MODULES
from pythonqt.loader import QUiLoader

__all__ = ["QUiLoader"]

# Names that PySide6 has and PythonQt has not.
_FOREIGN = {"Signal", "Slot", "Property", "SIGNAL", "SLOT", "QEnum", "QFlag", "ClassInfo", "SignalInstance"}


def __getattr__(name: str) -> Any:
    if name.startswith("Q") and name not in _FOREIGN:
        for module in MODULES:
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"qt has no {name!r}")
