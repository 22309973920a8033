"""One region of a report that is there already, written anew: what the writer must see, and who can write one.

What becomes of the new sentences in the report is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..anatomy import regions as anatomy
from ..errors import InputRefused
from ..export.offers import Wishes, find_scan
from ..imaging.mask_files import MASKS_NAME, read_masks
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from ..report.document import Report
from ..report.sentence import Sentence
from .measured_writer import write_measured
from .writer import Redrafts, Seen, Writer


@dataclass(frozen=True, slots=True)
class OneRegion:
    """A writer that writes about one region of the scan only; with a `seed` in other words, drawn by chance."""

    writer: Redrafts
    region_id: str
    seed: int | None = None

    @property
    def name(self) -> str:
        """The name of the writer itself."""
        return self.writer.name

    def write(self, seen: Seen) -> Work[tuple[Sentence, ...]]:
        """Return what the writer says of the region now."""
        anatomy.region(self.region_id)
        sentences = yield from self.writer.redraft(seen, self.region_id, self.seed)
        return sentences


def by_region(writer: Writer) -> Redrafts:
    """Return a writer as one that can write one region anew; InputRefused if it writes whole reports only."""
    if not isinstance(writer, Redrafts):
        raise InputRefused(f"the {writer.name} writer writes whole reports only; draft the scan again with it")
    return writer


def measured_again(report: Report, region_id: str) -> tuple[Sentence, ...]:
    """Return what the measured writer says of one region; it needs nothing but the report's own measurements."""
    told = write_measured(report.measurements, report.coverage, report.coverage_notes, report.places)
    return tuple(s for s in told if s.regions == (region_id,))


def still_seen(writer: Redrafts, report: Report) -> Seen | None:
    """Return what a writer saw last if it was the scan of this report, with the same masks; None if it must be read."""
    seen = writer.last_seen
    if seen is None or (seen.places, seen.measurements) != (report.places, report.measurements):
        return None
    return seen if seen.volume.digest() == report.study.digest else None


def seen_in(folder: Path, report: Report, scan: Path | None = None) -> Work[Seen]:
    """Read the scan and the masks of the report of a report folder; `scan` is where it lies now, if it was moved.

    InputRefused if either is not there, or the scan is another one.
    """
    source = find_scan(folder, report.study, Wishes(scan=scan))
    if source is None:
        raise InputRefused(f"the scan of this report, {scan or report.study.path}, is not there; say where it lies now")
    series = None if report.study.dicom is None else report.study.dicom.series_instance_uid
    volume = yield from part(read_volume(source, series_uid=series), 0.0, 0.8)
    yield Progress(0.8, "reading the regions")
    return seen_of(report, volume, masks_in(folder, volume))


def masks_in(folder: Path, volume: Volume) -> RegionMasks:
    """Return the masks that lie beside a report; InputRefused if there are none, or they are those of another scan."""
    if not (folder / MASKS_NAME).is_file():
        raise InputRefused(
            f"{folder} has no {MASKS_NAME}; without the masks of the report no region can be written anew"
        )
    return read_masks(folder, grid=volume.grid)


def seen_of(report: Report, volume: Volume, masks: RegionMasks) -> Seen:
    """Return what a writer sees of the scan of a report; InputRefused if the scan is not the one it was made on."""
    if volume.digest() != report.study.digest:
        raise InputRefused(
            f"{volume.provenance.path} is not the scan that the report was made on: its voxels or its place differ"
        )
    return Seen(volume, masks, report.places, report.measurements)
