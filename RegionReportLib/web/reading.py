"""Reads a scan, and the masks beside it, in a process of its own: a foreign file cannot hurt or hold up the server.

Run as `python -m RegionReportLib.web.reading`; both sides of the pipe are in this file. Voxels travel by file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing, RegionReportError
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.seg_nrrd import read_segmentation
from ..imaging.volume import Volume
from ..progress import Progress, Work, finish, part
from ..worker.messages import MasksArray, ScanArray
from ..worker.scans import hand_over_masks, hand_over_scan, masks_of, scan_of

_KINDS: dict[str, type[RegionReportError]] = {"refused": InputRefused, "missing": NeedMissing}


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A scan that was read: its volume, its masks if there were any, and the message part for the worker."""

    volume: Volume
    masks: RegionMasks | None
    scan: ScanArray


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be read: a scan, one `series` of a DICOM folder, masks beside it, and the digest it must have."""

    scan: Path
    series: str | None = None
    masks: Path | None = None
    digest: str | None = None


async def read(source: Source, folder: Path, watch: Callable[[Progress], None]) -> Read:
    """Read a source into arrays in `folder` and return them; InputRefused says why it cannot be used."""
    words = [str(source.scan), str(folder), source.series or "", str(source.masks or ""), source.digest or ""]
    library = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(p for p in (library, os.environ.get("PYTHONPATH", "")) if p)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *words, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert child.stdout is not None
    told: dict[str, Any] = {}
    try:
        async for line in child.stdout:
            told = json.loads(line)
            if "stage" in told:
                watch(Progress(told["fraction"], told["stage"]))
        await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
    return _taken(told, source)


def _taken(told: dict[str, Any], source: Source) -> Read:
    for kind, error in _KINDS.items():
        if kind in told:
            raise error(told[kind])
    if "scan" not in told:
        raise InputRefused(f"{source.scan} could not be read: the reading ended without a result")
    scan = ScanArray(**{**told["scan"], "notes": tuple(told["scan"]["notes"])})
    volume = scan_of(scan)
    if told["masks"] is None:
        return Read(volume, None, scan)
    masks = MasksArray(**{**told["masks"], "structures": tuple(told["masks"]["structures"])})
    return Read(volume, masks_of(masks, volume.grid), scan)


def main(words: list[str]) -> None:
    """Read what the words name and tell of it in JSON lines on standard output."""
    scan, folder, series, masks, digest = words
    source = Source(Path(scan), series or None, Path(masks) if masks else None, digest or None)
    try:
        _tell(**finish(_read(source, Path(folder)), lambda p: _tell(fraction=p.fraction, stage=p.stage)))
    except NeedMissing as error:
        _tell(missing=str(error))
    except (RegionReportError, OSError, MemoryError) as error:
        _tell(refused=" ".join(str(error).split()) or type(error).__name__)


def _read(source: Source, folder: Path) -> Work[dict[str, Any]]:
    volume = yield from part(read_volume(source.scan, series_uid=source.series), 0.0, 0.6)
    if source.digest is not None and volume.digest() != source.digest:
        raise InputRefused(f"{source.scan} is not the scan that the report was made on: its voxels differ")
    scan = yield from part(hand_over_scan(volume, folder / "scan.npy"), 0.6, 0.8)
    masks: MasksArray | None = None
    if source.masks is not None:
        yield Progress(0.8, "reading the regions")
        read_masks = read_segmentation(source.masks, grid=volume.grid)
        masks = yield from part(hand_over_masks(read_masks, folder / "masks.npy"), 0.9, 1.0)
    return {"scan": asdict(scan), "masks": None if masks is None else asdict(masks)}


def _tell(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
