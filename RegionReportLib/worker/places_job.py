"""What the worker does to find the places of sentences by their words; the finder is a program of its own.

So the worker's memory is free again when it is done, and ending the worker ends the finder.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from ..draft.find_places import find_places, sought
from ..grounding.found import Found
from ..progress import Work, part
from ..report.json_form import anchor_to_dict
from ..report.store import report_of
from ..segment.voxtell import VoxTell
from .messages import FindPlaces, FoundForSentence, PlacesFound
from .redraft_job import seen_for

_log = logging.getLogger(__name__)
_READ = 0.1


def places_job(job: FindPlaces) -> Work[PlacesFound]:
    """Look for what `job` names; what cannot be is said before the scan is read."""
    started = time.perf_counter()
    report = report_of(Path(job.folder))
    wanted = sought(report, job.sentence_ids)
    finder = VoxTell(None if job.model is None else Path(job.model), device=job.device)
    finder.check()
    seen = yield from part(seen_for(job, report), 0.0, _READ)
    found = yield from part(find_places(wanted, seen, finder), _READ, 1.0)
    _log.info("looked for %d sentences, found places for %d", len(found), sum(bool(one.anchors) for one in found))
    told = tuple(_told(one) for one in found)
    return PlacesFound(job.job, told, round(time.perf_counter() - started, 3))


def _told(found: Found) -> FoundForSentence:
    anchors = tuple(anchor_to_dict(anchor) for anchor in found.anchors)
    return FoundForSentence(found.sentence_id, found.phrase, anchors, found.words)
