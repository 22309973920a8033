"""A finished draft as a folder of files, for whichever door asked for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..export.html import report_html
from ..export.text import report_text
from ..grounding.contradictions import check
from ..imaging.mask_files import write_masks
from ..imaging.volume import Volume
from ..progress import Progress, Work, aside
from ..report.json_form import measurement_to_dict
from ..report.lock import LOCK_NAME
from ..report.store import create_draft
from .pipeline import Draft
from .run_record import RUN_NAME, run_record


def write_draft(
    folder: Path,
    volume: Volume,
    result: Draft,
    settings: Mapping[str, Any] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Work[dict[str, float]]:
    """Write report (draft, text, HTML), measurements, segmentation and run record into the existing, empty `folder`.

    `settings` are what the door chose, in plain JSON values, `seconds` what came before the draft, such as reading.
    Returns the seconds of all stages, as the run record has them.
    """
    started = time.perf_counter()
    yield Progress(0.0, "writing the report")
    create_draft(folder, result.report, actor=f"regionreport {__version__}", check=check)
    # A lock belongs to a folder in use; this one moves, and must not take the place of one that is held there.
    (folder / LOCK_NAME).unlink()
    (folder / "report.txt").write_text(report_text(result.report), encoding="utf-8")
    _write_json(folder / "measurements.json", [measurement_to_dict(m) for m in result.report.measurements])
    drawing = Progress(0.2, "drawing the pictures of the report")
    page = yield from aside(lambda: report_html(result.report, volume, result.masks), drawing)
    (folder / "report.html").write_text(page, encoding="utf-8")
    writing = Progress(0.6, "writing the segmentation")
    yield from aside(lambda: write_masks(result.masks, folder), writing)
    taken = {**(seconds or {}), **result.seconds, "export": round(time.perf_counter() - started, 3)}
    _write_json(folder / RUN_NAME, run_record({**(settings or {}), **_facts(volume, result)}, taken))
    yield Progress(1.0, "written")
    return taken


def _facts(volume: Volume, result: Draft) -> dict[str, Any]:
    report = result.report
    by = {"written_by": report.writer, "segmented_by": report.segmenter}
    return {**by, "prior": report.study.prior, "input": volume.summary(), "input_digest": report.study.digest}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
