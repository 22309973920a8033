"""A report and its masks as two DICOM files, one pointing at the other: a SEG and an SR on the series of the scan."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputRefused
from ..imaging.masks import RegionMasks
from ..imaging.segments import Grouping
from ..progress import Progress, Work, part
from ..report.document import Report
from .dicom_seg import write_seg
from .dicom_series import read_source_headers
from .dicom_sr import moment, write_sr

SEG_NAME = "segmentation.dcm"
SR_NAME = "report.dcm"


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
    headers = yield from part(read_source_headers(report.study, series), 0.0, 0.4)
    grid = report.study.grid
    if masks.grid.shape_kji != grid.shape_kji or not np.allclose(masks.grid.affine, grid.affine, atol=1e-3):
        raise InputRefused("the masks lie on another grid than the scan of the report")
    yield Progress(0.4, "writing the segmentation as DICOM")
    seg, sr = folder / SEG_NAME, folder / SR_NAME
    reference = write_seg(masks, headers, seg, made_at=moment(report.created_at), grouping=grouping)
    yield Progress(0.8, "writing the report as DICOM")
    try:
        write_sr(report, headers, reference, sr, organization=organization)
    except BaseException:
        seg.unlink(missing_ok=True)  # half an export helps nobody
        raise
    yield Progress(1.0, "written")
    return seg, sr
