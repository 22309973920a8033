"""Reads a scan, and the masks beside it, in a process of its own: a foreign file cannot hurt or hold up the server.

Run as `python -m RegionReportLib.web.reading`; the pipe is in `child.py`. Voxels travel by file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused
from ..imaging.dicom_folder import Series, scan_folder, series_in
from ..imaging.mask_files import read_masks
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from ..worker.messages import MasksArray, ScanArray
from ..worker.scans import hand_over_masks, hand_over_scan, masks_of, scan_of
from .child import answer, ask

_FEWEST_SLICES = 8
"""Fewer are contrast timing or single pictures; whoever reads one series of a folder leaves them out too."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A scan that was read: its volume, its masks if there were any, and both as message parts for the worker."""

    volume: Volume
    masks: RegionMasks | None
    scan: ScanArray
    given: MasksArray | None


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read: a scan, one `series` of a DICOM folder, and masks of it.

    With the `digest` that the scan must have, `masks` is the draft folder that holds them; without, a file of masks in
    whatever form they come.
    """

    scan: Path
    series: str | None = None
    masks: Path | None = None
    digest: str | None = None


async def read(source: Source, folder: Path, watch: Callable[[Progress], None]) -> Read:
    """Read a source into arrays in `folder` and return them; InputRefused says why it cannot be used."""
    words = [str(source.scan), str(folder), source.series or "", str(source.masks or ""), source.digest or ""]
    return _taken(await ask(__name__, words, watch), source)


async def series_to_choose(folder: Path, watch: Callable[[Progress], None]) -> tuple[Series, ...]:
    """Return the CT series of a DICOM folder among which the reader has to choose, most slices first; none if one."""
    told = await ask(__name__, [str(folder)], watch)
    return tuple(Series(**one) for one in told.get("series", ()))


def _taken(told: dict[str, Any], source: Source) -> Read:
    if "scan" not in told:
        raise InputRefused(f"{source.scan} could not be read: the reading ended without a result")
    scan = ScanArray(**{**told["scan"], "notes": tuple(told["scan"]["notes"])})
    volume = scan_of(scan)
    if told["masks"] is None:
        return Read(volume, None, scan, None)
    masks = MasksArray(**{**told["masks"], "structures": tuple(told["masks"]["structures"])})
    return Read(volume, masks_of(masks, volume.grid), scan, masks)


def main(words: list[str]) -> None:
    """Read what the words name and tell of it in JSON lines on standard output; one word lists series only."""
    answer(_listed(Path(words[0])) if len(words) == 1 else _read(_source(words), Path(words[1])))


def _source(words: list[str]) -> Source:
    scan, _, series, masks, digest = words
    return Source(Path(scan), series or None, Path(masks) if masks else None, digest or None)


def _listed(folder: Path) -> Work[dict[str, Any]]:
    images = yield from part(scan_folder(folder), 0.0, 1.0)
    found = [one for one in series_in(images) if one.modality == "CT"]
    found = [one for one in found if one.slices >= _FEWEST_SLICES] or found
    return {"series": [asdict(one) for one in found] if len(found) > 1 else []}


def _read(source: Source, folder: Path) -> Work[dict[str, Any]]:
    volume = yield from part(read_volume(source.scan, series_uid=source.series), 0.0, 0.6)
    if source.digest is not None and volume.digest() != source.digest:
        raise InputRefused(f"{source.scan} is not the scan that the report was made on: its voxels differ")
    scan = yield from part(hand_over_scan(volume, folder / "scan.npy"), 0.6, 0.8)
    masks: MasksArray | None = None
    if source.masks is not None:
        found = yield from part(_masks(source.masks, source.digest is not None, volume), 0.8, 0.9)
        masks = yield from part(hand_over_masks(found, folder / "masks.npy"), 0.9, 1.0)
    return {"scan": asdict(scan), "masks": None if masks is None else asdict(masks)}


def _masks(path: Path, ours: bool, volume: Volume) -> Work[RegionMasks]:
    yield Progress(0.0, "reading the regions")
    if ours:
        return read_masks(path, grid=volume.grid)
    from ..draft.given_masks import masks_at  # here, because the server's side and a draft's own masks need none of it

    given = yield from masks_at(path, volume)
    return given


if __name__ == "__main__":
    main(sys.argv[1:])
