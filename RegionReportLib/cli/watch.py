"""How a command shows the progress of its work: a bar with the time left, or JSON lines for other programs."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

from ..progress import Progress, Work, finish

if TYPE_CHECKING:
    from typing_extensions import Never

T = TypeVar("T")


def run(work: Work[T], as_json: bool) -> T:
    """Run `work` to its end, showing its progress; what interrupts it closes it."""
    if as_json:
        started = time.monotonic()
        return finish(work, lambda progress: say(progress, time.monotonic() - started))
    bar_format = "{desc:<34} {percentage:3.0f}%|{bar}| {elapsed} < {remaining}"
    with tqdm(total=1.0, bar_format=bar_format, disable=None, leave=False, file=sys.stderr) as bar:
        return finish(work, lambda progress: _advance(bar, progress))


def say(progress: Progress, elapsed_s: float) -> None:
    """Print one progress line: stage, fraction, seconds so far and left (null while they cannot be told)."""
    left = elapsed_s * (1 - progress.fraction) / progress.fraction if progress.fraction > 0.02 else None
    tell(
        progress=round(progress.fraction, 4),
        stage=progress.stage,
        elapsed_s=round(elapsed_s, 2),
        left_s=None if left is None else round(left, 1),
    )


def tell(**values: Any) -> None:
    """Print one JSON line."""
    print(json.dumps(values), flush=True)


def _advance(bar: tqdm[Never], progress: Progress) -> None:
    bar.set_description_str(progress.stage, refresh=False)
    bar.n = progress.fraction
    bar.refresh()
