"""Starts drafts and exports: which worker, which folder, which moment."""

import shutil
import sys
import tempfile
import uuid
from datetime import datetime, timezone
from pathlib import Path

import slicer

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.mask_files import MASKS_NAME
from RegionReportLib.progress import part
from RegionReportLib.scene.drafting import Wish, draft_in_scene
from RegionReportLib.scene.segmentation_reading import masks_of as masks_in_node
from RegionReportLib.scene.volume_nodes import volume_of
from RegionReportLib.worker.client import WorkerClient, worker_command
from RegionReportLib.worker.doing import do_job
from RegionReportLib.worker.messages import Export, FindPlaces, Redraft
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan

from .desk import new_folder
from .settings import models_folder

_clients = {}


def client_of(interpreter=""):
    """Return the worker of an interpreter, kept from study to study so that models stay loaded."""
    if interpreter not in _clients:
        if interpreter:
            # Slicer's library paths would break another Python.
            environment = dict(slicer.util.startupEnvironment())
            _clients[interpreter] = WorkerClient(worker_command(interpreter), environment)
        else:
            _clients[interpreter] = WorkerClient(worker_command(_own_python()))
    return _clients[interpreter]


def end_workers():
    """End all workers; they would end by themselves when the application does, this is sooner."""
    for client in _clients.values():
        client.close()
    _clients.clear()


def new_draft(volume_node, *, interpreter="", told=lambda message: None, **wishes):
    """Return the work that drafts a volume node into a new folder; `wishes` are those of `scene.drafting.Wish`."""
    wish = Wish(
        folder=new_folder(volume_node.GetName()),
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **wishes,
    )
    wish.folder.parent.mkdir(parents=True, exist_ok=True)
    return draft_in_scene(volume_node, client_of(interpreter), wish, told=told, dicom_value=_dicom_value)


def new_export(name, folder, target, scan=None, interpreter=""):
    """Return the work that writes the report of `folder` in the format `name` into the folder `target`."""
    job = Export(
        job=f"export-{uuid.uuid4().hex}",
        folder=str(folder),
        output=str(target),
        formats=(name,),
        scan=None if scan is None else str(scan),
    )
    return do_job(client_of(interpreter), job)


def new_redraft(desk, region_id, *, interpreter="", **wishes):
    """Return the work that lets the worker write a region of the report of a desk; `wishes` as in its message."""
    with tempfile.TemporaryDirectory(prefix="regionreport-") as folder:
        seen = {}
        if wishes["writer"] != "measured":  # that one needs nothing but the report
            seen = yield from part(_handed_over(desk, Path(folder)), 0.0, 0.15)
        job = Redraft(f"redraft-{uuid.uuid4().hex}", str(desk.folder), region_id, **seen, **wishes)
        made = yield from part(do_job(client_of(interpreter), job), 0.15, 1.0)
        return made


def new_search(desk, sentence_id, device, interpreter=""):
    """Return the work that lets the worker look for the words of a sentence of the report of a desk."""
    with tempfile.TemporaryDirectory(prefix="regionreport-") as folder:
        seen = yield from part(_handed_over(desk, Path(folder)), 0.0, 0.15)
        wishes = {**seen, "device": device, "model": str(models_folder() / "voxtell")}
        job = FindPlaces(f"find-{uuid.uuid4().hex}", str(desk.folder), (sentence_id,), **wishes)
        made = yield from part(do_job(client_of(interpreter), job), 0.15, 1.0)
        return made


def _handed_over(desk, folder):
    """Write the scan of a report, and its masks where its folder has none, and return both as parts of a message."""
    if desk.volume_node is None or desk.volume_node.GetScene() is None:
        raise InputRefused("the CT of this report is not in the scene; nothing can look at it")
    volume = volume_of(desk.volume_node, _dicom_value)
    scan = yield from part(hand_over_scan(volume, folder / "scan.npy"), 0.0, 0.7)
    masks = None
    if not (desk.folder / MASKS_NAME).is_file():  # a report that came with a scene
        read = masks_in_node(desk.segmentation_node, desk.volume_node)
        masks = yield from part(hand_over_masks(read.masks, folder / "masks.npy"), 0.7, 1.0)
    return {"scan": scan, "masks": masks}


def series_folder(report):
    """Return where the application's DICOM database keeps the series of a report; None if it does not know it."""
    database, source = getattr(slicer, "dicomDatabase", None), report.study.dicom
    if not database or source is None or not source.instance_uids:
        return None
    file = database.fileForInstance(source.instance_uids[0])
    return Path(file).parent if file else None


def _own_python():
    """Return Slicer's own Python, which its launcher puts on the path, or the present interpreter outside Slicer."""
    return shutil.which("PythonSlicer") or sys.executable


def _dicom_value(instance_uid, tag):
    """Return what the DICOM database of the application says of an instance, empty if it does not know it."""
    database = getattr(slicer, "dicomDatabase", None)
    return (database.instanceValue(instance_uid, tag) or "") if database else ""
