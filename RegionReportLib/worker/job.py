"""What the worker does for a draft: read or take over the scan, run the main flow, write the folder.

The only file of this room that loads the imaging libraries, and the back-ends with what they need.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from ..draft import choose as writers
from ..draft.folder import write_draft
from ..draft.imported import ImportedText
from ..draft.pipeline import draft
from ..draft.streaming import Overheard
from ..draft.writer import Writer
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.volume import Volume
from ..progress import Work, part
from ..report.json_form import sentence_to_dict
from ..segment import choose as segmenters
from ..segment.backend import Segmenter
from .messages import Draft, Drafted, MasksArray, Redraft, ScanFile
from .output import whole
from .scans import hand_over_masks, masks_of, scan_of

_log = logging.getLogger(__name__)

# Where each part ends in the whole; this only steers the progress bar.
_READ, _DRAFTED, _WRITTEN = 0.08, 0.9, 0.97


def draft_job(job: Draft, tell: Callable[[dict[str, object]], None]) -> Work[Drafted]:
    """Draft the report of `job.scan` into `job.output`, which appears whole or not at all."""
    if isinstance(job.scan, ScanFile):
        started = time.perf_counter()
        volume = yield from part(read_volume(job.scan.path, series_uid=job.scan.series_uid), 0.0, _READ)
        read_s = time.perf_counter() - started
    else:
        volume, read_s = scan_of(job.scan), 0.0
    masks = None if job.masks is None else masks_of(job.masks, volume.grid)
    words = writer_of(job) if job.text is None else ImportedText(job.text)
    writer = Overheard(words, lambda sentence: tell(sentence_to_dict(sentence)))
    result = yield from part(
        draft(volume, _segmenter(job.segmenter), writer, created_at=job.created_at, masks=masks, prior=job.prior),
        _READ,
        _DRAFTED,
    )
    with whole(job) as folder:
        before = {"read": round(read_s, 3)}
        seconds = yield from part(write_draft(folder, volume, result, _chosen(job), before), _DRAFTED, _WRITTEN)
        labels = yield from part(_labels(job, result.masks), _WRITTEN, 1.0)
        files = tuple(sorted(file.name for file in folder.iterdir()))
    _log.info("drafted %d sentences of %s", len(result.report.sentences), _name(volume))
    return Drafted(job.job, job.output, files, seconds, labels)


@cache
def _segmenter(name: str) -> Segmenter:
    """Kept from job to job, so that a model is loaded once."""
    return segmenters.segmenter(name)


def writer_of(job: Draft | Redraft) -> Writer:
    """Return the writer that a job names; one that runs on a model is the same for each job that names it."""
    compat = isinstance(job, Draft) and job.compat
    choice = writers.WriterChoice(job.writer, job.model, job.device, job.precision, compat)
    return _warm(choice) if writers.WRITERS[choice.name].needs else writers.writer(choice)


@lru_cache(maxsize=1)
def _warm(choice: writers.WriterChoice) -> Writer:
    """Kept from job to job, so that a model is opened once; another model lets it go, for two may not fit."""
    return writers.writer(choice)


def _chosen(job: Draft) -> dict[str, Any]:
    """What the viewer chose, for the run record; texts and voxels are not repeated there."""
    names = ("segmenter", "writer", "model", "device", "precision", "compat")
    chosen: dict[str, Any] = {name: getattr(job, name) for name in names}
    return {**chosen, "masks_given": job.masks is not None, "text_given": job.text is not None}


def _labels(job: Draft, masks: RegionMasks) -> Work[MasksArray | None]:
    if job.labels is None:
        return None
    labels = yield from hand_over_masks(masks, job.labels)
    return labels


def _name(volume: Volume) -> str:
    summary: dict[str, Any] = volume.summary()
    return f"{summary['path']} {summary['shape_kji']}"
