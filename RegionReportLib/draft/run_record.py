"""What is needed to understand a run later: versions, settings, the digest of the input, seconds, peak memory."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__

RUN_NAME = "run.json"
_PACKAGES = ("numpy", "scipy", "SimpleITK", "nibabel", "pydicom")


def run_record(settings: Mapping[str, Any], seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return the record of a run; `settings` are what was chosen and read, `seconds` what each stage took."""
    return {
        "regionreport": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "settings": dict(settings),
        "seconds": dict(seconds),
        "peak_memory_mb": peak_memory_mb(),
    }


def peak_memory_mb() -> float | None:
    """Return the largest resident size of this process so far, None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:  # 3D Slicer brings some packages without their metadata
        return None
