"""A draft of a volume in the scene: the scan goes to the worker, regions and report come back as nodes.

One generator tells it all, in steps short enough to run between two events of an application. However it ends early,
by cancelling, failing or closing the scene, no node, file or process of it stays behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Conflict, RegionReportError
from ..imaging.grid import Grid
from ..progress import Progress, Work, part
from ..worker.client import Told, WorkerClient
from ..worker.messages import Draft, Drafted, ErrorKind, Failed, JobCancelled, MasksArray, ScanArray, StageProgress
from ..worker.scans import hand_over_masks, hand_over_scan, masks_of
from .segmentation_nodes import masks_to_node_by_steps, remove_masks
from .segmentation_reading import masks_of as masks_in_node
from .space import SceneProblem
from .storage import ReportFiles, keep_report, remove_report
from .surfaces import make_surfaces
from .volume_nodes import DicomValue, volume_of

_HANDED_OVER, _DRAFTED, _SHOWN = 0.05, 0.88, 0.94


class DraftFailed(RegionReportError):
    """The worker gave no draft; `kind` says why, `detail` is for a developer."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(f"{failure.reason} (while {failure.stage})" if failure.stage else failure.reason)
        self.kind: ErrorKind = failure.kind
        self.detail = failure.detail


class Waiting(Progress):
    """Progress while only the worker works: the caller may go and do something else for a while."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drafted into which new `folder`: by whom, or the existing report `text` grounded instead.

    With `segmentation_node` its segments are the regions; it is left as it is. `created_at` is ISO 8601 with zone.
    """

    folder: Path
    created_at: str
    segmenter: str = "classical"
    writer: str = "measured"
    text: str | None = None
    segmentation_node: Any = None
    prior: bool = False


@dataclass(frozen=True, slots=True)
class DraftInScene:
    """The nodes of a finished draft; its folder is the place of work. `notes` is what the reader should know."""

    report_node: Any
    segmentation_node: Any
    folder: Path
    notes: tuple[str, ...] = ()


def draft_in_scene(
    volume_node: Any,
    client: WorkerClient,
    wish: Wish,
    *,
    told: Callable[[Told], None] = lambda message: None,
    dicom_value: DicomValue | None = None,
) -> Work[DraftInScene]:
    """Draft the report of a volume node; `told` hears each message of the worker, for example sentences.

    Raises InputRefused for a volume that is no CT, DraftFailed with the worker's reason, Conflict if the worker is
    busy. Closing it ends the job and its process.
    """
    scene = volume_node.GetScene()
    if client.job is not None:
        raise Conflict("another draft is running; cancel it first")
    with tempfile.TemporaryDirectory(prefix="regionreport-") as temporary:
        files = Path(temporary)
        volume = volume_of(volume_node, dicom_value)
        masks: MasksArray | None = None
        notes: tuple[str, ...] = ()
        if wish.segmentation_node is not None:
            read = masks_in_node(wish.segmentation_node, volume_node)
            notes = read.notes
            masks = yield from part(hand_over_masks(read.masks, files / "masks.npy"), 0.0, _HANDED_OVER / 2)
        scan = yield from part(hand_over_scan(volume, files / "scan.npy"), 0.0, _HANDED_OVER)
        job = _job(wish, scan, masks, files)
        result = yield from part(_run(client, job, told), _HANDED_OVER, _DRAFTED)
        made = yield from part(_into_scene(scene, volume_node, volume.grid, wish, result), _DRAFTED, 1.0)
    return DraftInScene(*made, wish.folder, notes)


def _job(wish: Wish, scan: ScanArray, masks: MasksArray | None, files: Path) -> Draft:
    return Draft(
        job=wish.folder.name,
        scan=scan,
        output=str(wish.folder),
        created_at=wish.created_at,
        segmenter=wish.segmenter,
        writer=wish.writer,
        masks=masks,
        text=wish.text,
        labels=str(files / "labels.npy"),
        prior=wish.prior,
    )


def _run(client: WorkerClient, job: Draft, told: Callable[[Told], None]) -> Work[Drafted]:
    """Run a job to its end; whoever closes this ends the worker too, for a job that nobody hears must not go on."""
    client.start(job)
    progress = Waiting(0.0, "starting the worker")
    try:
        while True:
            for message in client.poll():
                told(message)
                if isinstance(message, Drafted):
                    return message
                if isinstance(message, Failed):
                    raise DraftFailed(message)
                if isinstance(message, JobCancelled):
                    raise DraftFailed(Failed(job.job, ErrorKind.KILLED, "the draft was cancelled", ""))
                if isinstance(message, StageProgress):
                    progress = Waiting(message.fraction, message.stage)
            yield progress
    finally:
        if client.job is not None:
            client.close()


def _into_scene(scene: Any, volume_node: Any, grid: Grid, wish: Wish, result: Drafted) -> Work[tuple[Any, Any]]:
    """Add the nodes of a draft; if that ends early they are taken out again."""
    if volume_node.GetScene() is None:
        raise SceneProblem("The CT was removed from the scene while its report was drafted.")
    assert result.masks is not None
    segmentation_node, report_node = wish.segmentation_node, None
    try:
        yield Progress(0.0, "showing the regions")
        if wish.segmentation_node is None:
            masks = masks_of(result.masks, grid)
            yield Progress(0.05, "showing the regions")
            segmentation_node = yield from part(masks_to_node_by_steps(scene, volume_node, masks), 0.05, 0.35)
        yield Progress(0.35, "keeping the report in the scene")
        files = ReportFiles(
            *((wish.folder / name).read_bytes() for name in ("report.json", "audit.jsonl", "draft.json"))
        )
        report_node = keep_report(scene, files, volume_node, segmentation_node)
        yield Progress(0.4, "surfaces")
        yield from part(make_surfaces(segmentation_node), 0.4, 1.0)
    except BaseException:
        if report_node is not None:
            remove_report(scene, report_node)
        if (
            wish.segmentation_node is None
            and segmentation_node is not None
            and segmentation_node.GetScene() is not None
        ):
            remove_masks(scene, segmentation_node)
        raise
    return report_node, segmentation_node
