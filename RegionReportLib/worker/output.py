"""What a job leaves on the disk: everything or nothing, whichever process ends first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from ..errors import Conflict
from .messages import Draft, Export, Job


def occupied(folder: Path) -> bool:
    """Tell whether a job may not use `folder`: it holds something, is a file or cannot be looked into."""
    try:
        return folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None)
    except OSError:
        return True


@contextmanager
def whole(job: Draft) -> Iterator[Path]:
    """Yield the staging folder; it becomes the output in one step when the block ends well, else it vanishes."""
    output = Path(job.output)
    if occupied(output):
        raise Conflict(f"{output} already holds something; choose another folder")
    job.staging.mkdir(parents=True)
    try:
        yield job.staging
        if output.exists():
            output.rmdir()  # it is empty, and Windows renames onto nothing that exists
        job.staging.rename(output)
    except BaseException:
        remove_unfinished(job)
        raise


def remove_unfinished(job: Job) -> None:
    """Remove what a job has written that is not done; a redraft writes nothing."""
    if isinstance(job, Draft | Export):
        rmtree(job.staging, ignore_errors=True)
    if isinstance(job, Draft) and job.labels is not None:
        with contextlib.suppress(OSError):
            Path(job.labels).unlink(missing_ok=True)


def remove_all(job: Job) -> None:
    """Remove all that a draft has written, also when it was just done; its output held nothing when it began.

    Files that an export has completed stay: they may have replaced others, and the folder is the user's.
    """
    remove_unfinished(job)
    if isinstance(job, Draft):
        rmtree(job.output, ignore_errors=True)
