"""`regionreport doctor`: what is installed here, what the machine has, and what would therefore run."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import psutil

from .. import __version__
from ..cores import usable_cores
from ..draft.choose import WRITERS, lacking, title_of
from ..model.folders import models_home
from ..segment import choose as segmenters
from ..segment import voxtell

_PACKAGES = {
    "numpy": "arrays",
    "scipy": "measuring",
    "SimpleITK": "NRRD and MetaImage, segmentation",
    "nibabel": "NIfTI",
    "pydicom": "DICOM",
    "connected-components-3d": "segmentation",
    "pillow": "pictures in reports",
    "torch": "learned writers and segmenters",
    "transformers": "learned writers",
    "peft": "learned writers",
    "huggingface_hub": "fetching models",
    "bitsandbytes": "4-bit language models",
    "TotalSegmentator": "learned segmentation",
    "monai": "learned segmentation",
    "highdicom": "DICOM SEG and SR",
}


def doctor(arguments: argparse.Namespace) -> None:
    """Print what is installed and what would run, as text or JSON."""
    found = examine()
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    machine = found["machine"]
    print(f"regionreport {found['regionreport']}, Python {found['python']} on {machine['platform']}")
    print(f"{machine['cores']} cores, {machine['memory_gb']} GB memory ({machine['memory_free_gb']} GB free)")
    print(f"GPU: {found['gpu'] or 'none found'}")
    print(f"models: {found['models']}")
    for name, entry in found["packages"].items():
        print(f"  {name:<24} {entry['version'] or 'not installed':<14} {entry['for']}")
    for role, choice in found["would_run"].items():
        print(f"{role}: {choice}")


def examine() -> dict[str, Any]:
    """Return what `doctor` prints, as JSON values. Nothing heavy is imported."""
    memory, gpu = psutil.virtual_memory(), _gpu()
    return {
        "regionreport": __version__,
        "python": sys.version.split()[0],
        "machine": {
            "platform": platform.platform(),
            "cores": usable_cores(),
            "memory_gb": round(memory.total / 2**30, 1),
            "memory_free_gb": round(memory.available / 2**30, 1),
        },
        "gpu": gpu,
        "models": str(models_home()),
        "packages": {name: {"version": _version(name), "for": purpose} for name, purpose in _PACKAGES.items()},
        "would_run": {
            "Segmentation": segmenters.best(bool(gpu)),
            **{f"Segmenter {name}": segmenters.lacking(name) or "ready" for name in segmenters.SEGMENTERS},
            "Finding places by words": voxtell.lacking() or "ready: VoxTell",
            **{f"Writer {name}": lacking(name) or f"ready: {title_of(name)}" for name in WRITERS},
        },
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _gpu() -> str | None:
    """Return the name of the first NVIDIA GPU as its own tool tells it; torch is not imported for this."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "Apple GPU (Metal)" if sys.platform == "darwin" and find_spec("torch") else None
    import subprocess

    asked = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else None
