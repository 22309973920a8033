"""What the worker does to write one region anew; a model that drafted before is still open, and so may be its scan."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from ..anatomy.regions import REGION_IDS
from ..draft.redraft import OneRegion, by_region, masks_in, measured_again, seen_in, seen_of, still_seen
from ..draft.streaming import Overheard
from ..draft.writer import Seen
from ..errors import Conflict, InputRefused
from ..imaging.read import read_volume
from ..progress import Progress, Work, part
from ..report.document import Report, Status
from ..report.json_form import sentence_to_dict
from ..report.sentence import Sentence
from ..report.store import report_of
from .job import writer_of
from .messages import FindPlaces, Redraft, Redrafted, ScanArray
from .scans import masks_of, scan_of

_log = logging.getLogger(__name__)
_READ = 0.3


def redraft_job(job: Redraft, tell: Callable[[dict[str, object]], None]) -> Work[Redrafted]:
    """Write the region that `job` asks for; `tell` hears each sentence as soon as it is written."""
    started = time.perf_counter()
    report = report_of(Path(job.folder))
    if report.status is Status.SIGNED:
        raise Conflict(f"report {report.id} is signed and locked; a change is an addendum")
    if job.region not in REGION_IDS:
        raise InputRefused(f"unknown region {job.region!r:.60}, known are {', '.join(REGION_IDS)}")
    if job.writer == "measured":
        yield Progress(0.0, "sentences")
        sentences, model, seed = measured_again(report, job.region), "", None
    else:
        sentences, model = yield from _by_model(job, report, tell)
        seed = job.seed
    _log.info("wrote %d sentences about %s anew", len(sentences), job.region)
    written = tuple(sentence_to_dict(s) for s in sentences)
    return Redrafted(job.job, job.region, written, job.writer, model, seed, round(time.perf_counter() - started, 3))


def _by_model(
    job: Redraft, report: Report, tell: Callable[[dict[str, object]], None]
) -> Work[tuple[tuple[Sentence, ...], str]]:
    writer = by_region(writer_of(job))
    model = writer.model  # a folder without one is told before the scan is read
    seen = still_seen(writer, report)
    if seen is None:
        seen = yield from part(seen_for(job, report), 0.0, _READ)
    words = Overheard(OneRegion(writer, job.region, job.seed), lambda sentence: tell(sentence_to_dict(sentence)))
    sentences = yield from part(words.write(seen), _READ, 1.0)
    return sentences, model


def seen_for(job: Redraft | FindPlaces, report: Report) -> Work[Seen]:
    """Read the scan and the masks of a report as a job names them; InputRefused if the scan is another one."""
    folder = Path(job.folder)
    if job.scan is None:
        seen = yield from seen_in(folder, report)
        return seen
    if isinstance(job.scan, ScanArray):
        yield Progress(0.0, "taking over the scan")
        volume = scan_of(job.scan)
    else:
        volume = yield from part(read_volume(job.scan.path, series_uid=job.scan.series_uid), 0.0, 0.8)
    yield Progress(0.8, "reading the regions")
    masks = masks_in(folder, volume) if job.masks is None else masks_of(job.masks, volume.grid)
    return seen_of(report, volume, masks)
