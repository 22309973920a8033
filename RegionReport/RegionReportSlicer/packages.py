"""What the module needs beyond what 3D Slicer brings, asked for once and installed only with consent.

Importing this loads nothing of it. The Slicer process needs light packages only; learned writers run in the worker,
which may be another Python with its own packages.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path

import slicer

# Import names of what requirements.txt lists, each with its size to be installed in MB.
_LIGHT = {"jsonschema": 1, "psutil": 1, "cc3d": 8, "edt": 5, "nibabel": 6}


class Declined(Exception):
    """The user does not want packages to be installed."""


def missing() -> tuple[str, ...]:
    """Return the import names of needed packages that are not installed."""
    return tuple(name for name in _LIGHT if find_spec(name) is None)


def ensure(requirements: Path) -> None:
    """Ask for the missing packages and install them; Declined if the user says no, RuntimeError if it fails."""
    absent = missing()
    if not absent:
        return
    size = sum(_LIGHT[name] for name in absent)
    question = (
        f"RegionReport needs {len(absent)} small Python packages ({', '.join(absent)}; about {size} MB), "
        "which will be downloaded from the Python Package Index. Install them now?"
    )
    if not slicer.util.confirmOkCancelDisplay(question, windowTitle="RegionReport"):
        raise Declined(f"RegionReport cannot draft without {', '.join(absent)}.")
    lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    _install([line for line in lines if line and not line.startswith("#")])
    importlib.invalidate_caches()
    if missing():
        raise RuntimeError(f"The packages {', '.join(missing())} could not be installed; see the Python console.")


def _install(wanted: list[str]) -> None:
    """Install by the newer way, which shows progress and offers a restart, where this Slicer has it (from 5.12)."""
    try:
        packaging = importlib.import_module("slicer.packaging")
    except ImportError:
        slicer.util.pip_install(wanted)
    else:
        # The question was asked already, with sizes.
        packaging.pip_ensure(wanted, prompt_install=False, requester="RegionReport")
