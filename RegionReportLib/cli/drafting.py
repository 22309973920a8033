"""The commands that make something of a scan: draft, segment, measure."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..draft.choose import WriterChoice, writer
from ..draft.folder import write_draft
from ..draft.given_masks import masks_at
from ..draft.imported import ImportedText
from ..draft.pipeline import draft as draft_work
from ..draft.run_record import RUN_NAME, run_record
from ..draft.writer import Writer
from ..errors import Conflict, InputRefused
from ..imaging.atomic import whole_files
from ..imaging.mask_files import MASKS_NAME, write_masks
from ..imaging.masks import RegionMasks
from ..imaging.read import read_volume
from ..imaging.volume import Volume
from ..measure.examine import measure as measure_work
from ..progress import Work, part
from ..report.journal import JOURNAL_NAME
from ..report.json_form import measurement_to_dict
from ..report.lock import WriteLock
from ..report.report_file import REPORT_NAME
from ..segment.choose import segmenter
from .outputs import write_json
from .watch import run, tell

_LARGEST_TEXT = 2_000_000
# What an export leaves beside a report and a draft does not write itself.
_EXPORTED = ("report-with-pictures.html", "segmentation.dcm", "report.dcm", "report.fhir.json")
_RECORDED = ("segmenter", "segmentation", "series", "writer", "model", "device", "precision", "compat")


def draft(arguments: argparse.Namespace) -> None:
    """Draft a report into a folder: report (JSON, text, HTML), segmentation, measurements, run record."""
    _draft(arguments, writer(writer_choice(arguments)))


def writer_choice(arguments: argparse.Namespace) -> WriterChoice:
    """Return the writer that was asked for."""
    return WriterChoice(arguments.writer, arguments.model, arguments.device, arguments.precision, arguments.compat)


def ground(arguments: argparse.Namespace) -> None:
    """Tie an existing or dictated report to the places of a scan, into the same kind of folder."""
    _draft(arguments, ImportedText(read_text(arguments.report)))


def _draft(arguments: argparse.Namespace, by: Writer) -> None:
    with _replacing(arguments.output, arguments.overwrite), whole_files(arguments.output) as folder:
        run(_draft_into(folder, arguments, by), arguments.json_progress)
    _say_where(arguments, "report.txt", "report.html", "report.json")


def segment(arguments: argparse.Namespace) -> None:
    """Write the region masks of a scan as segmentation.seg.nrrd."""
    with whole_files(arguments.output) as folder:
        volume, seconds, masks = run(_segmented(arguments), arguments.json_progress)
        write_masks(masks, folder)
        write_json(folder / RUN_NAME, run_record(_settings(arguments, volume), seconds))
    _say_where(arguments, MASKS_NAME)


def measure(arguments: argparse.Namespace) -> None:
    """Write the measurements of a scan as measurements.json."""
    with whole_files(arguments.output) as folder:
        run(_measure_into(folder, arguments), arguments.json_progress)
    _say_where(arguments, "measurements.json")


@contextmanager
def _replacing(folder: Path, overwrite: bool) -> Iterator[None]:
    """Keep the draft of a folder from others while it is replaced; Conflict if it must stay, or is open elsewhere.

    What was exported of the old one goes with it: nobody should send it for the new one.
    """
    if not overwrite:
        refuse_to_lose_work(folder)
    if not (folder / JOURNAL_NAME).is_file():
        yield
        return
    with WriteLock(folder, "regionreport draft", _now()):
        yield
        for name in _EXPORTED:
            (folder / name).unlink(missing_ok=True)


def refuse_to_lose_work(folder: Path) -> None:
    """Raise Conflict if `folder` holds a report that a reader has already worked on, or that was imported signed."""
    trail = folder / JOURNAL_NAME
    worked_on = trail.is_file() and len(trail.read_bytes().splitlines()) > 1
    if worked_on or (not trail.exists() and (folder / REPORT_NAME).exists()):
        raise Conflict(
            f"{folder} holds a report that a reader has worked on; choose another folder, or --overwrite to lose it"
        )


def _draft_into(folder: Path, arguments: argparse.Namespace, by: Writer) -> Work[None]:
    started = time.perf_counter()
    volume = yield from part(read_volume(arguments.volume, series_uid=arguments.series), 0.0, 0.15)
    read_s = time.perf_counter() - started
    masks = None
    if arguments.segmentation is not None:
        masks = yield from part(masks_at(arguments.segmentation, volume), 0.15, 0.2)
    work = draft_work(volume, segmenter(arguments.segmenter), by, created_at=_now(), masks=masks)
    result = yield from part(work, 0.2, 0.9)
    work_of_files = write_draft(folder, volume, result, _chosen(arguments), {"read": round(read_s, 3)})
    yield from part(work_of_files, 0.9, 1.0)


def read_text(path: Path) -> str:
    """Read the text of a report; InputRefused if it is empty, too large or no UTF-8 text."""
    size = path.stat().st_size
    if size > _LARGEST_TEXT:
        raise InputRefused(f"{path} has {size} bytes; a report of more than {_LARGEST_TEXT} is not read")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise InputRefused(f"{path} is no UTF-8 text (byte {cause.start}); save it as UTF-8") from cause
    if not text.strip():
        raise InputRefused(f"{path} holds no words")
    return text


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _segmented(arguments: argparse.Namespace) -> Work[tuple[Volume, dict[str, float], RegionMasks]]:
    started = time.perf_counter()
    volume = yield from part(read_volume(arguments.volume, series_uid=arguments.series), 0.0, 0.2)
    read_s = time.perf_counter() - started
    masks = yield from part(segmenter(arguments.segmenter).segment(volume), 0.2, 0.95)
    segment_s = time.perf_counter() - started - read_s
    return volume, {"read": round(read_s, 3), "segment": round(segment_s, 3)}, masks


def _measure_into(folder: Path, arguments: argparse.Namespace) -> Work[None]:
    if arguments.segmentation is None:
        volume, seconds, masks = yield from part(_segmented(arguments), 0.0, 0.7)
    else:
        volume = yield from part(read_volume(arguments.volume, series_uid=arguments.series), 0.0, 0.6)
        masks, seconds = (yield from part(masks_at(arguments.segmentation, volume), 0.6, 0.7)), {}
    started = time.perf_counter()
    measurements = yield from part(measure_work(volume, masks), 0.7, 1.0)
    seconds["measure"] = round(time.perf_counter() - started, 3)
    write_json(folder / "measurements.json", [measurement_to_dict(m) for m in measurements])
    write_json(folder / RUN_NAME, run_record(_settings(arguments, volume), seconds))


def _settings(arguments: argparse.Namespace, volume: Volume) -> dict[str, Any]:
    return {**_chosen(arguments), "input": volume.summary(), "input_digest": volume.digest()}


def _chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: str(value) for name, value in vars(arguments).items() if name in _RECORDED}


def _say_where(arguments: argparse.Namespace, *names: str) -> None:
    files = [str(arguments.output / name) for name in names]
    if arguments.json_progress:
        tell(done=files)
    else:
        print("\n".join(files))
