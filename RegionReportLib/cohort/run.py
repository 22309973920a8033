"""Drafts a cohort: takes the list in, runs what is waiting, writes down each outcome. Running it again goes on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..progress import Progress, Work
from ..report.lock import WriteLock
from ..report.report_file import REPORT_NAME
from ..report.store import utc_now
from .engine import Engine
from .manifest import Counts, Manifest
from .order import Done, Order, Settings
from .study import UNFINISHED, found
from .table import StudyRow


@dataclass(frozen=True, slots=True)
class CohortProgress(Progress):
    """Progress with what a run of hours is watched for: counts, and studies per minute in this run."""

    counts: Counts
    per_minute: float


def draft_cohort(
    folder: Path, rows: Iterator[StudyRow], engine: Engine, settings: Settings, *, retry_failed: bool = False
) -> Work[Counts]:
    """Draft all studies of `rows` that are not done yet into `folder`; return how many are in which state.

    A study that cannot be drafted is recorded with its reason and stops nothing. Raises InputRefused for a list that
    cannot be understood, Conflict if another run writes into `folder` or the cohort was begun with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "studies").mkdir(exist_ok=True)
    with WriteLock(folder, "a cohort run", utc_now().isoformat(timespec="seconds")):
        manifest = Manifest(folder)
        try:
            settings = manifest.settle(settings)
            yield from manifest.take_in(rows)
            _recover(manifest, settings)
            manifest.put_back(failed=retry_failed)
            yield from _run(manifest, engine, settings)
            return manifest.counts()
        finally:
            _clean(folder)
            manifest.close()


def _recover(manifest: Manifest, settings: Settings) -> None:
    """Make the manifest true: drafts that were finished in the moment a run was ended, and drafts that were removed."""
    _clean(manifest.folder)
    for entry in tuple(manifest.entries("state = 'running'")):
        place = manifest.folder / entry.folder
        if place.exists():
            manifest.record(found(Order(entry.row, str(place), settings)))
    done = manifest.entries("state = 'done'")
    gone = [entry.row.id for entry in done if not (manifest.folder / entry.folder / REPORT_NAME).exists()]
    for study_id in gone:
        manifest.forget(study_id)


def _run(manifest: Manifest, engine: Engine, settings: Settings) -> Work[None]:
    counts = manifest.counts()
    done, failed, ended = counts.done, counts.failed, 0
    started = time.monotonic()
    outcomes = engine.run(manifest.orders(settings))
    try:
        for outcome in outcomes:
            if outcome is not None:
                manifest.record(outcome)
                ended += 1
                done, failed = done + isinstance(outcome, Done), failed + (not isinstance(outcome, Done))
            rate = 60 * ended / max(time.monotonic() - started, 1e-3)
            now = Counts(counts.total - done - failed, 0, done, failed)
            yield CohortProgress((done + failed) / counts.total, _stage(now, rate), now, rate)
    finally:
        outcomes.close()


def _stage(counts: Counts, per_minute: float) -> str:
    failed = f", {counts.failed:,} failed" if counts.failed else ""
    return f"{counts.done:,} of {counts.total:,}{failed}, {per_minute:.1f}/min"


def _clean(folder: Path) -> None:
    """Remove what processes that were killed had begun; nobody else writes here while the lock is held."""
    for left in (folder / "studies").glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
