"""Results reach their folder whole or not at all.

Files are written into a hidden folder beside their final place and renamed when all are complete, so a cancelled
or failed command leaves nothing half-written under the final names.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """Yield a fresh folder to write into; when the block succeeds its files move into `folder`, else they vanish."""
    was_there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    try:
        yield staging
        for file in sorted(staging.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not was_there and not any(folder.iterdir()):
            folder.rmdir()


def write_json(path: Path, value: Any) -> None:
    """Write JSON that people can read too."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def run_record(settings: dict[str, Any], seconds: dict[str, float]) -> dict[str, Any]:
    """Return what is needed to understand a run later: versions, settings, timings, peak memory."""
    packages = ("numpy", "scipy", "SimpleITK", "nibabel", "pydicom")
    return {
        "regionreport": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: version(name) for name in packages},
        "settings": settings,
        "seconds": seconds,
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
