"""Drafts in the worker while the page stays alive: progress, sentences as they are written, and the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from ..draft.choose import DEVICES, WRITERS, title_of
from ..errors import InputRefused
from ..imaging.masks import RegionMasks
from ..progress import Progress, Work
from ..segment.choose import SEGMENTERS
from ..worker.client import Told, WorkerClient, worker_command
from ..worker.doing import Waiting, do_job
from ..worker.messages import Draft, Drafted, SentenceWritten, StageProgress, Stalled
from ..worker.scans import masks_of
from .reading import Read

T = TypeVar("T")

_POLL_S = 0.05
# Before this nothing can be said of the time left.
_TELLING_FRACTION, _TELLING_S = 0.06, 1.5


@dataclass
class Busy:
    """What is being done, for the page: stage, fraction, seconds left (None while unknown), sentences so far."""

    stage: str = "starting"
    fraction: float = 0.0
    stalled_s: float | None = None
    heard: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far."""
        seconds = time.monotonic() - self.started
        if self.fraction <= _TELLING_FRACTION or seconds <= _TELLING_S:
            return None
        return seconds * (1 - self.fraction) / self.fraction

    def now(self, progress: Progress) -> None:
        """Note how far the work is."""
        self.stage, self.fraction, self.stalled_s = progress.stage, progress.fraction, None

    def hear(self, message: Told | Progress) -> None:
        """Note what the worker told, or how far a work is that it does not do."""
        if isinstance(message, Progress):
            self.now(message)
        elif isinstance(message, StageProgress):
            self.now(Progress(message.fraction, message.stage))
        elif isinstance(message, SentenceWritten):
            self.heard.append(message.sentence)
        elif isinstance(message, Stalled):
            self.stalled_s = message.seconds


@dataclass(frozen=True, slots=True)
class Wish:
    """How a scan is to be drafted; with `text`, an existing report, the writer is not asked. InputRefused if unknown.

    `model` is a folder on the server, None for the writer's usual place. `masks` are regions that are there already,
    in whatever form; the segmenter is not asked then.
    """

    segmenter: str = "classical"
    writer: str = "measured"
    model: str | None = None
    device: str = "auto"
    text: str | None = None
    masks: Path | None = None

    def __post_init__(self) -> None:
        known = (("writer", self.writer, WRITERS), ("segmenter", self.segmenter, SEGMENTERS))
        for what, name, names in (*known, ("device", self.device, DEVICES)):
            if name not in names:
                raise InputRefused(f"there is no {what} {name!r:.60}; there are {', '.join(names)}")


def choices() -> dict[str, Any]:
    """Return what a page lets the reader choose from."""
    return {
        "writers": [{"name": name, "title": title_of(name), "needs": kind.needs} for name, kind in WRITERS.items()],
        "segmenters": list(SEGMENTERS),
        "devices": list(DEVICES),
    }


def new_client() -> WorkerClient:
    """Return a worker in the same Python; it starts with its first job."""
    return WorkerClient(worker_command(sys.executable))


async def draft(
    client: WorkerClient, read: Read, folder: Path, files: Path, wish: Wish, hear: Callable[[Told], None]
) -> RegionMasks:
    """Draft a scan into the new `folder` as wished and return the masks; `files` is for passing.

    Raises RegionReportError with the worker's reason. Whoever cancels this ends the job, which leaves nothing behind.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    created_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    labels = str(files / "labels.npy")
    job = Draft(
        folder.name,
        read.scan,
        str(folder),
        created_at,
        segmenter=wish.segmenter,
        writer=wish.writer,
        model=wish.model,
        device=wish.device,
        masks=read.given,
        text=wish.text,
        labels=labels,
    )
    made = await in_steps(do_job(client, job, hear))
    assert isinstance(made, Drafted) and made.masks is not None  # each job has a result of its own kind
    return masks_of(made.masks, read.volume.grid)


async def in_steps(work: Work[T], watch: Callable[[Progress], None] = lambda progress: None) -> T:
    """Do a work in steps, so that clicks are heard in between; cancelling closes it."""
    try:
        while True:
            progress = next(work)
            watch(progress)
            await asyncio.sleep(_POLL_S if isinstance(progress, Waiting) else 0)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        work.close()
