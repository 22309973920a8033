"""A process of its own for what must not hurt or hold up the server; both sides of its pipe are in this file.

The other side is a module of this room, run with words as `python -m`; it tells JSON lines on standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing, RegionReportError
from ..progress import Progress, Work, finish

_KINDS: dict[str, type[RegionReportError]] = {"refused": InputRefused, "missing": NeedMissing}


async def ask(module: str, words: list[str], watch: Callable[[Progress], None]) -> dict[str, Any]:
    """Run `module` with these words and return the last thing that it tells; whoever cancels this ends it.

    Raises InputRefused or NeedMissing with the other side's reason. What it tells last is a progress if it died.
    """
    library = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(p for p in (library, os.environ.get("PYTHONPATH", "")) if p)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert child.stdout is not None
    told: dict[str, Any] = {}
    try:
        async for line in child.stdout:
            told = json.loads(line)
            if "stage" in told:
                watch(Progress(told["fraction"], told["stage"]))
        await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
    for kind, error in _KINDS.items():
        if kind in told:
            raise error(told[kind])
    return told


def answer(work: Work[dict[str, Any]]) -> None:
    """Do a work on the other side: tell its progress, then its result or why there is none."""
    try:
        _tell(**finish(work, lambda p: _tell(fraction=p.fraction, stage=p.stage)))
    except NeedMissing as error:
        _tell(missing=str(error))
    except (RegionReportError, OSError, MemoryError) as error:
        _tell(refused=" ".join(str(error).split()) or type(error).__name__)


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
