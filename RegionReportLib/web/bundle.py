"""The scene as a bundle that 3D Slicer opens: scan, regions and the report with its trail, ready to be worked on.

Run as `python -m RegionReportLib.web.bundle`: packing a large scan takes seconds, in which the page must stay alive.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from ..export.offers import Offer
from ..imaging.mask_files import read_masks
from ..imaging.read import read_volume
from ..progress import Progress, Work, aside, part
from ..report.journal import JOURNAL_NAME
from ..report.report_file import DRAFT_NAME, report_bytes
from ..report.store import view_draft
from .child import answer, ask
from .desk import scan_of_report

BUNDLE = Offer("mrb", "Scene for 3D Slicer: scan, regions and report", "report.mrb")


async def bundle(folder: Path, scan: Path | None, target: Path, watch: Callable[[Progress], None]) -> Path:
    """Write the scene of a report folder to `target` and return it; InputRefused or NeedMissing says why not."""
    told = await ask(__name__, [str(folder), str(scan or ""), str(target)], watch)
    if "file" not in told:
        raise InputRefused("the scene could not be written: the writing ended without a result")
    return target


def _write(folder: Path, scan: Path | None, target: Path) -> Work[dict[str, Any]]:
    with view_draft(folder) as draft:
        report = draft.report
    study = report.study
    series = None if study.dicom is None else study.dicom.series_instance_uid
    volume = yield from part(read_volume(scan_of_report(folder, study, scan), series_uid=series), 0.0, 0.3)
    if volume.digest() != study.digest:
        raise InputRefused(f"{scan or study.path} is not the scan that the report was made on: its voxels differ")
    yield Progress(0.3, "reading the regions")
    masks = read_masks(folder, grid=volume.grid)
    # The report first, then its trail: a trail that is ahead is what a crash leaves, and is put right on opening.
    files = (report_bytes(report), (folder / JOURNAL_NAME).read_bytes(), (folder / DRAFT_NAME).read_bytes())
    yield Progress(0.4, "starting a scene")
    import vtk
    from trame_slicer.core import SlicerApp

    from ..scene.segmentation_nodes import masks_to_node_by_steps
    from ..scene.storage import ReportFiles, keep_report
    from ..scene.volume_nodes import volume_to_node

    scene = SlicerApp().scene
    vtk.vtkOutputWindow.GetInstance().SetDisplayModeToNever()  # it tells each file that it packs
    node = volume_to_node(scene, volume, Path(study.path).name)
    regions = yield from part(masks_to_node_by_steps(scene, node, masks), 0.45, 0.6)
    keep_report(scene, ReportFiles(*files), node, regions)
    written = yield from aside(lambda: scene.WriteToMRB(str(target)), Progress(0.6, "packing the scene"))
    if not written:
        raise NeedMissing(f"the scene could not be written to {target}; there may be no room on the disk")
    return {"file": str(target)}


if __name__ == "__main__":
    answer(_write(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, Path(sys.argv[3])))
