"""What the worker does for an export, so that the viewer's process never loads what writes DICOM."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from ..export.offers import Wishes
from ..export.writing import write_offers
from ..progress import Work
from .messages import Export, Exported

_log = logging.getLogger(__name__)


def export_job(job: Export) -> Work[Exported]:
    """Write what `job` asks for; all files or none, see `write_offers`."""
    started = time.perf_counter()
    wishes = Wishes(
        scan=None if job.scan is None else Path(job.scan),
        grouping="structure" if job.structures else "region",
        organization=job.organization,
        wado_rs=job.wado_rs,
    )
    written = yield from write_offers(job.formats, Path(job.folder), Path(job.output), wishes, staging=job.staging)
    _log.info("exported %s of %s", ", ".join(job.formats), job.folder)
    names = tuple(path.name for path in written)
    return Exported(job.job, job.output, names, round(time.perf_counter() - started, 3))
