"""Starts drafts: which worker, which folder, which moment."""

import shutil
import sys
from datetime import datetime, timezone

import slicer

from RegionReportLib.scene.drafting import Wish, draft_in_scene
from RegionReportLib.worker.client import WorkerClient, worker_command

from .desk import new_folder

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


def new_draft(volume_node, *, writer="measured", segmentation_node=None, text=None, interpreter="", told=None):
    """Return the work that drafts a volume node into a new folder; text given is grounded instead."""
    wish = Wish(
        folder=new_folder(volume_node.GetName()),
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        writer=writer,
        text=text,
        segmentation_node=segmentation_node,
    )
    wish.folder.parent.mkdir(parents=True, exist_ok=True)
    return draft_in_scene(
        volume_node, client_of(interpreter), wish, told=told or (lambda message: None), dicom_value=_dicom_value
    )


def _own_python():
    """Return Slicer's own Python, which its launcher puts on the path, or the present interpreter outside Slicer."""
    return shutil.which("PythonSlicer") or sys.executable


def _dicom_value(instance_uid, tag):
    """Return what the DICOM database of the application says of an instance, empty if it does not know it."""
    database = getattr(slicer, "dicomDatabase", None)
    return (database.instanceValue(instance_uid, tag) or "") if database else ""
