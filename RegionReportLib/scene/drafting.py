"""A draft of a volume in the scene: the scan goes to the worker, regions and report come back as nodes.

One generator tells it all, in steps short enough to run between two events of an application. However it ends early,
by cancelling, failing or closing the scene, no node, file or process of it stays behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Conflict
from ..imaging.grid import Grid
from ..progress import Progress, Work, part
from ..worker.client import Told, WorkerClient
from ..worker.doing import Waiting, do_job
from ..worker.messages import Draft, Drafted, MasksArray, ScanArray
from ..worker.scans import hand_over_masks, hand_over_scan, masks_of
from .segmentation_nodes import masks_to_node_by_steps, remove_masks
from .segmentation_reading import masks_of as masks_in_node
from .space import SceneProblem
from .storage import ReportFiles, keep_report, remove_report
from .surfaces import make_surfaces
from .volume_nodes import DicomValue, volume_of

_HANDED_OVER, _DRAFTED = 0.05, 0.88
# Of a large file at once: taking away hundreds of megabytes in one call keeps a window waiting.
_CUT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be drafted into which new `folder`: by whom, or the existing report `text` grounded instead.

    With `segmentation_node` its segments are the regions; it is left as it is. `created_at` is ISO 8601 with zone.
    `model` and `device` are for a writer that runs on a model, see `draft.choose.WriterChoice`.
    """

    folder: Path
    created_at: str
    segmenter: str = "classical"
    writer: str = "measured"
    text: str | None = None
    segmentation_node: Any = None
    prior: bool = False
    model: str | None = None
    device: str = "auto"


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

    Raises InputRefused for a volume that is no CT, JobFailed with the worker's reason, Conflict if the worker is
    busy. Closing it ends the job and its process.
    """
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
        result = yield from part(do_job(client, job, told), _HANDED_OVER, _DRAFTED)
        assert isinstance(result, Drafted)
        made = yield from part(_into_scene(volume_node, volume.grid, wish, result, files), _DRAFTED, 1.0)
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
        model=wish.model,
        device=wish.device,
    )


def _into_scene(volume_node: Any, grid: Grid, wish: Wish, result: Drafted, files: Path) -> Work[tuple[Any, Any]]:
    """Add the nodes of a draft and take its `files` away; if that ends early, nodes and draft are taken back."""
    scene = volume_node.GetScene()
    if scene is None:
        raise SceneProblem("The CT was removed from the scene while its report was drafted.")
    segmentation_node, report_node = wish.segmentation_node, None
    try:
        yield Progress(0.0, "showing the regions")
        if segmentation_node is None:
            segmentation_node = yield from part(_regions(volume_node, grid, result), 0.05, 0.35)
        yield Progress(0.35, "keeping the report in the scene")
        contents = ReportFiles(
            *((wish.folder / name).read_bytes() for name in ("report.json", "audit.jsonl", "draft.json"))
        )
        report_node = keep_report(scene, contents, volume_node, segmentation_node)
        yield Progress(0.4, "surfaces")
        yield from part(make_surfaces(segmentation_node), 0.4, 0.95)
        yield from part(_taken_away(files), 0.95, 1.0)
        # What a caller does with the report may take as long as a step: it gets a turn of the event loop for itself.
        yield Waiting(1.0, "opening the report")
    except BaseException:
        if report_node is not None:
            remove_report(scene, report_node)
        if (
            wish.segmentation_node is None
            and segmentation_node is not None
            and segmentation_node.GetScene() is not None
        ):
            remove_masks(scene, segmentation_node)
        shutil.rmtree(wish.folder, ignore_errors=True)
        raise
    return report_node, segmentation_node


def _regions(volume_node: Any, grid: Grid, result: Drafted) -> Work[Any]:
    assert result.masks is not None
    masks = masks_of(result.masks, grid)
    node = yield from masks_to_node_by_steps(volume_node.GetScene(), volume_node, masks)
    return node


def _taken_away(folder: Path) -> Work[None]:
    """Take the files of a finished job away, bit by bit; what a system holds fast goes with the folder."""
    for file in sorted(folder.iterdir()):
        with contextlib.suppress(OSError):
            for size in range(file.stat().st_size, 0, -_CUT_BYTES):
                os.truncate(file, max(0, size - _CUT_BYTES))
                yield Progress(0.5, "tidying up")
            file.unlink()
