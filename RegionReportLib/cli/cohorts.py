"""The command batch: drafts many studies, and goes on where an earlier run stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..cohort.engine import Engine
from ..cohort.local import LocalEngine
from ..cohort.manifest import Counts, Manifest
from ..cohort.order import Settings
from ..cohort.ray_engine import RayEngine
from ..cohort.run import draft_cohort
from ..cohort.summary import summarise
from ..cohort.table import study_rows
from ..cohort.tables import need_pyarrow
from ..cohort.text_server import Together
from ..draft.choose import WriterChoice, writer
from ..errors import InputRefused
from ..progress import Work, part
from ..report.store import utc_now
from .drafting import writer_choice
from .watch import run, tell


def batch(arguments: argparse.Namespace) -> None:
    """Draft all studies of a table or folder, then write the tables and the summary page."""
    need_pyarrow()
    choice = writer_choice(arguments)
    writer(choice)  # says now, and not once per study, what is missing for it
    engine = _engine(arguments, _together(arguments, choice))
    settings = Settings(utc_now().isoformat(timespec="seconds"), arguments.segmenter, choice)
    counts, page = run(_batch(arguments, settings, engine), arguments.json_progress)
    if arguments.json_progress:
        tell(done=[str(page)], drafted=counts.done, failed=counts.failed)
        return
    print(f"{counts.done:,} of {counts.total:,} studies drafted, {counts.failed:,} failed")
    if counts.failed:
        print("the page names the reasons; --retry-failed tries them again")
    print(page)


def _batch(arguments: argparse.Namespace, settings: Settings, engine: Engine) -> Work[tuple[Counts, Path]]:
    rows = study_rows(arguments.studies)
    work = draft_cohort(arguments.output, rows, engine, settings, retry_failed=arguments.retry_failed)
    counts = yield from part(work, 0.0, 0.98)
    manifest = Manifest(arguments.output)
    try:
        page = yield from part(summarise(manifest), 0.98, 1.0)
    finally:
        manifest.close()
    return counts, page


def _together(arguments: argparse.Namespace, choice: WriterChoice) -> Together | None:
    if arguments.at_once == 1:
        return None
    if arguments.at_once > arguments.workers:
        raise InputRefused(
            f"--at-once {arguments.at_once} needs at least as many --workers, not {arguments.workers}: each brings one "
            "study at a time"
        )
    return Together(choice, arguments.at_once)


def _engine(arguments: argparse.Namespace, together: Together | None) -> Engine:
    limit_s = 60.0 * arguments.limit
    if arguments.engine == "ray":
        if arguments.cores is not None:
            raise InputRefused("--cores is for the local engine; Ray hands out the cores of its cluster itself")
        return RayEngine(arguments.workers, arguments.address, arguments.gpus, limit_s, together)
    return LocalEngine(arguments.workers, limit_s, arguments.gpus, together, arguments.cores)
