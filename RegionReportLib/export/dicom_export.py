"""A report and its masks as two DICOM files, one pointing at the other: a SEG and an SR on the series of the scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from ..errors import InputRefused
from ..imaging.masks import RegionMasks
from ..imaging.segments import Grouping
from ..progress import Progress, Work, part
from ..report.document import Report
from .dicom_seg import write_seg
from .dicom_series import read_source_headers
from .dicom_sr import moment, write_sr
from .formats import SEG_NAME

SR_NAME = "report.dcm"


def export_seg(
    report: Report, masks: RegionMasks, folder: Path, *, series: Path | None = None, grouping: Grouping = "region"
) -> Work[Path]:
    """Write the SEG alone into the existing `folder` and return its path; it is the one that `export_dicom` writes."""
    headers = yield from part(_headers(report, masks, series), 0.0, 0.5)
    seg = folder / SEG_NAME
    work = write_seg(masks, headers, seg, made_at=moment(report.created_at), grouping=grouping)
    yield from part(work, 0.5, 1.0)
    yield Progress(1.0, "written")
    return seg


def export_dicom(
    report: Report,
    masks: RegionMasks,
    folder: Path,
    *,
    series: Path | None = None,
    grouping: Grouping = "region",
    organization: str = "",
) -> Work[tuple[Path, Path]]:
    """Write SEG and SR into the existing `folder` and return their paths, the SEG first.

    `series` is the folder of the CT series, by default the path of the study. InputRefused if the scan did not come
    from DICOM, its slices are not there, or the masks lie on another grid.
    """
    headers = yield from part(_headers(report, masks, series), 0.0, 0.4)
    seg, sr = folder / SEG_NAME, folder / SR_NAME
    work = write_seg(masks, headers, seg, made_at=moment(report.created_at), grouping=grouping)
    reference = yield from part(work, 0.4, 0.85)
    try:
        yield from part(write_sr(report, headers, reference, sr, organization=organization), 0.85, 1.0)
    except BaseException:
        seg.unlink(missing_ok=True)  # half an export helps nobody
        raise
    yield Progress(1.0, "written")
    return seg, sr


def _headers(report: Report, masks: RegionMasks, series: Path | None) -> Work[tuple[Dataset, ...]]:
    """The headers of the slices, once it is known that the masks lie on them."""
    headers = yield from read_source_headers(report.study, series)
    grid = report.study.grid
    if masks.grid.shape_kji != grid.shape_kji or not np.allclose(masks.grid.affine, grid.affine, atol=1e-3):
        raise InputRefused("the masks lie on another grid than the scan of the report")
    return headers
