"""What the module needs beyond what 3D Slicer brings, asked for once and installed only with consent.

Importing this loads nothing of it. The Slicer process needs light packages only; learned writers run in the worker,
which may be another Python with its own packages.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import slicer

# Import names of what requirements.txt lists, each with its size to be installed in MB.
_LIGHT = {"jsonschema": 1, "psutil": 1, "cc3d": 8, "edt": 5, "nibabel": 6}
# What learned writers run on: import name → requirement and size in MB. PyTorch comes with its own extension.
LEARNED = {
    "transformers": ("transformers>=5.0,<5.24", 60),
    "peft": ("peft>=0.17,<0.22", 5),
    "safetensors": ("safetensors>=0.5,<0.9", 2),
    "einops": ("einops>=0.8,<0.9", 1),
}
_TORCH_GB = "1 to 6 GB, by the computer's GPU"


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


def ensure_learned(names: tuple[str, ...]) -> None:
    """Ask for what a learned writer needs in Slicer's own Python and install it, PyTorch by its own extension.

    Raises Declined if the user says no, RuntimeError if the PyTorch extension is not there or the installation fails.
    """
    absent = [name for name in names if find_spec(name) is None]
    if not absent:
        return
    others = [name for name in absent if name != "torch"]
    parts = [f"PyTorch ({_TORCH_GB})"] if "torch" in absent else []
    if others:
        parts.append(f"{', '.join(others)} (about {sum(LEARNED[name][1] for name in others)} MB)")
    torch = _torch_extension() if "torch" in absent else None
    question = (
        f"This writer needs {' and '.join(parts)}, which will be downloaded into Slicer's Python. Install now? "
        "Another Python that has them can be chosen in the settings instead."
    )
    if not slicer.util.confirmOkCancelDisplay(question, windowTitle="RegionReport"):
        raise Declined(f"This writer cannot draft without {', '.join(absent)}.")
    # Said already, with sizes; None means that nothing was installed.
    if torch is not None and torch.installTorch(askConfirmation=False) is None:
        raise RuntimeError("PyTorch could not be installed; see the Python console.")
    if others:
        _install([LEARNED[name][0] for name in others])
    importlib.invalidate_caches()
    left = [name for name in absent if find_spec(name) is None]
    if left:
        raise RuntimeError(f"The packages {', '.join(left)} could not be installed; see the Python console.")


def _torch_extension() -> Any:
    """Return the logic of the PyTorch extension, which knows the build that suits the computer."""
    try:
        return importlib.import_module("PyTorchUtils").PyTorchUtilsLogic()
    except ImportError as missing_extension:
        raise RuntimeError(
            "This writer needs PyTorch: install the extension PyTorch in the Extensions Manager and start Slicer "
            "again, or choose another Python in the settings."
        ) from missing_extension


def _install(wanted: list[str]) -> None:
    """Install by the newer way, which shows progress and offers a restart, where this Slicer has it (from 5.12)."""
    try:
        packaging = importlib.import_module("slicer.packaging")
    except ImportError:
        slicer.util.pip_install(wanted)
    else:
        # The question was asked already, with sizes.
        packaging.pip_ensure(wanted, prompt_install=False, requester="RegionReport")
