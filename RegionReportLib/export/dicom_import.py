"""A report folder's worth of DICOM, read back: our own SR and SEG as a report and its masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..imaging.masks import RegionMasks
from ..report.document import Report
from .dicom_seg_reading import read_seg
from .dicom_sr_reading import read_sr


def import_sr_seg(sr: Path, seg: Path) -> tuple[Report, RegionMasks]:
    """Read a report from our SR, and from a SEG its masks, on the grid that the SR tells of the scan.

    The report equals `carried(original)`. The masks take the coverage from the report. InputRefused if the SR is not
    ours, one of the files is damaged, or the SEG does not lie on the scan of the report.
    """
    report = read_sr(Path(sr))
    masks = read_seg(Path(seg), report.study.grid)
    return report, replace(masks, coverage=dict(report.coverage), coverage_notes=dict(report.coverage_notes))
