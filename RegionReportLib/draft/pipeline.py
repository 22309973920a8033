"""The main flow, told once: a scan becomes masks, measurements, sentences with places, and a checked report.

Which segmenter and writer do it is the caller's choice; where the result goes is the caller's matter too.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from ..errors import InputRefused
from ..grounding.contradictions import check
from ..grounding.places import places_of
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..measure.examine import measure
from ..progress import Progress, Work, part
from ..report.document import Report, Study
from ..report.sentence import Sentence
from ..segment.backend import Segmenter
from ..segment.classical import ClassicalSegmenter
from ..segment.disagreement import disagreement
from .writer import Seen, Writer, share_of

# When each stage ends as a share of what precedes the writing, from the benchmark of the built-in back-ends; these
# only steer the progress bar.
_SEGMENTED, _LOOKED, _PLACED = 0.77, 0.81, 0.85
_WRITTEN = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A drafted report with the masks it points into, and the seconds that each stage took."""

    report: Report
    masks: RegionMasks
    seconds: dict[str, float]


def draft(
    volume: Volume,
    segmenter: Segmenter,
    writer: Writer,
    *,
    created_at: str,
    masks: RegionMasks | None = None,
    prior: bool = False,
) -> Work[Draft]:
    """Draft the report of `volume`; with `masks` given, the segmenter is not asked.

    `created_at` is ISO 8601 with zone. `prior` tells that an earlier examination is at hand, so that comparisons may
    be true. Raises InputRefused for a scan that is no chest. The same input gives the same report.
    """
    watch = _Stopwatch()
    measured = _WRITTEN - share_of(writer)
    if masks is None:
        masks = yield from part(segmenter.segment(volume), 0.0, measured * _SEGMENTED)
        watch.lap("segment")
    notes = yield from part(_second_look(volume, masks), measured * _SEGMENTED, measured * _LOOKED)
    places = yield from part(places_of(masks), measured * _LOOKED, measured * _PLACED)
    watch.lap("places")
    measurements = yield from part(measure(volume, masks), measured * _PLACED, measured)
    watch.lap("measure")
    seen = Seen(volume, masks, places, measurements)
    sentences = yield from part(writer.write(seen), measured, _WRITTEN)
    watch.lap("write")
    study = Study(volume.provenance.path, volume.digest(), volume.grid, volume.provenance.dicom, prior)
    report = check(_report(seen, sentences, writer.name, study, created_at, notes))
    watch.lap("check")
    yield Progress(1.0, "drafted")
    return Draft(report, masks, watch.seconds)


def _second_look(volume: Volume, masks: RegionMasks) -> Work[tuple[str, ...]]:
    """Return what speaks against masks that the built-in method did not make, seen from the lungs that it finds."""
    if masks.method.startswith(ClassicalSegmenter.name):
        return ()
    try:
        found = yield from disagreement(volume, masks)
    except InputRefused as reason:
        return (f"The masks could not be checked against the scan: {reason}.",)
    return found.warnings


class _Stopwatch:
    """Seconds from lap to lap."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage], self._last = round(now - self._last, 3), now


def _report(
    seen: Seen, sentences: tuple[Sentence, ...], writer: str, study: Study, created_at: str, notes: tuple[str, ...]
) -> Report:
    return Report(
        id=_report_id(study.digest, created_at),
        study=study,
        coverage=seen.masks.coverage,
        coverage_notes=seen.masks.coverage_notes,
        places=seen.places,
        measurements=seen.measurements,
        sentences=sentences,
        writer=writer,
        segmenter=seen.masks.method,
        created_at=created_at,
        notes=(*seen.volume.provenance.notes, *notes),
    )


def _report_id(digest: str, created_at: str) -> str:
    """Return an id that is the same for the same scan drafted at the same moment, and short enough to read."""
    return hashlib.sha256(f"{digest} {created_at}".encode()).hexdigest()[:16]
