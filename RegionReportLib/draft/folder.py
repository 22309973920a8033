"""A finished draft as a folder of files, for whichever door asked for it."""

from __future__ import annotations

import json
from pathlib import Path

from .. import __version__
from ..export.html import report_html
from ..export.text import report_text
from ..grounding.contradictions import check
from ..imaging.seg_nrrd import write_segmentation
from ..imaging.volume import Volume
from ..progress import Progress, Work
from ..report.json_form import measurement_to_dict
from ..report.store import create_draft
from .pipeline import Draft


def write_draft(folder: Path, volume: Volume, result: Draft) -> Work[None]:
    """Write report (draft, text, HTML), measurements and segmentation into the existing, empty `folder`."""
    yield Progress(0.0, "writing the report")
    create_draft(folder, result.report, actor=f"regionreport {__version__}", check=check)
    (folder / "report.txt").write_text(report_text(result.report), encoding="utf-8")
    numbers = json.dumps([measurement_to_dict(m) for m in result.report.measurements], indent=1, ensure_ascii=False)
    (folder / "measurements.json").write_text(numbers + "\n", encoding="utf-8")
    yield Progress(0.2, "drawing the pictures of the report")
    (folder / "report.html").write_text(report_html(result.report, volume, result.masks), encoding="utf-8")
    yield Progress(0.6, "writing the segmentation")
    write_segmentation(result.masks, folder / "segmentation.seg.nrrd")
    yield Progress(1.0, "written")
