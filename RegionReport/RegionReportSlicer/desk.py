"""Where the drafts of this computer lie, and how a report of the scene and its folder are one.

The folder is the place of work: every act is on the disk before it counts. The scene holds a copy that travels with
it; a scene opened elsewhere, or later, gets its folder back from that copy.
"""

import re
from datetime import datetime, timezone
from pathlib import Path

import qt

from RegionReportLib.errors import Conflict
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.imaging.mask_files import copy_masks
from RegionReportLib.report.journal import JOURNAL_NAME
from RegionReportLib.report.report_file import DRAFT_NAME, REPORT_NAME, report_bytes
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.review.addendum import begin_addendum
from RegionReportLib.scene.storage import ReportFiles, files_of, keep_report, segmentation_node_of, volume_node_of


def drafts_folder():
    """Return the folder of all drafts, which the user may have chosen in the settings."""
    chosen = qt.QSettings().value("RegionReport/DraftsFolder")
    if chosen:
        return Path(chosen)
    return Path(qt.QStandardPaths.writableLocation(qt.QStandardPaths.GenericDataLocation)) / "RegionReport" / "drafts"


def new_folder(name):
    """Return a folder name for a new draft that none has yet: the time and the name of the volume."""
    stem = re.sub(r"[^\w.-]+", "_", name)[:40].strip("_.") or "scan"
    time = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return drafts_folder() / f"{time}-{stem}"


class Desk:
    """An open draft of the scene: its folder, its nodes, and the store that writes both.

    One that another program works on is open for reading; `notes` are what the reader should know.
    """

    def __init__(self, report_node, folder, actor):
        self.report_node = report_node
        self.volume_node = volume_node_of(report_node)
        self.segmentation_node = segmentation_node_of(report_node)
        self.folder = folder
        try:
            self.draft = open_draft(folder, actor=actor, check=check)
            self.notes = self.draft.notes
        except Conflict as busy:
            self.draft = view_draft(folder)
            self.notes = (f"For reading only: {str(busy).partition(';')[0]}.",)
        self._kept = None
        self.keep()

    def keep(self):
        """Bring the copy in the scene up to date, if anything changed."""
        report = self.draft.report
        if self.draft.read_only or self._kept is report or self.report_node.GetScene() is None:
            return
        files = ReportFiles(
            report_bytes(report),
            (self.folder / JOURNAL_NAME).read_bytes(),
            (self.folder / DRAFT_NAME).read_bytes(),
        )
        keep_report(self.report_node.GetScene(), files, self.volume_node, self.segmentation_node, into=self.report_node)
        self._kept = report

    def close(self):
        """Give the draft free."""
        self.draft.close()


def desk_of(report_node, actor):
    """Open the draft of a report node, in its folder on this computer, which is made from the node if need be.

    Raises InputRefused if the node was tampered with, Conflict if its folder is gone and its trail is not in the scene.
    """
    files = files_of(report_node)
    folder = _folder_for(files, report_node)
    return Desk(report_node, folder, actor)


def add_addendum(desk, actor):
    """Begin an addendum to the signed report of a desk, in a folder and a node of its own; return the node."""
    folder = new_folder(f"addendum-{desk.volume_node.GetName()}")
    begin_addendum(desk.draft.report, folder, actor=actor, check=check)
    copy_masks(desk.folder, folder)
    return keep_report(desk.report_node.GetScene(), _files_in(folder), desk.volume_node, desk.segmentation_node)


def _files_in(folder):
    return ReportFiles(*((folder / name).read_bytes() for name in (REPORT_NAME, JOURNAL_NAME, DRAFT_NAME)))


def _folder_for(files, report_node):
    """Return a folder whose trail goes on from the one in the scene, made anew where there is none."""
    root = drafts_folder()
    known = [f.parent for f in root.glob(f"*/{JOURNAL_NAME}")] if root.is_dir() else []
    for folder in known:
        trail = (folder / JOURNAL_NAME).read_bytes()
        # The longer trail is the newer one, as long as one begins with the other.
        if trail.startswith(files.audit):
            return folder
    if not files.audit:
        raise Conflict(f"{report_node.GetName()} has no trail in this scene, so it cannot be worked on")
    folder = new_folder(report_node.GetName())
    folder.mkdir(parents=True)
    for name, content in ((DRAFT_NAME, files.draft), (REPORT_NAME, files.report), (JOURNAL_NAME, files.audit)):
        (folder / name).write_bytes(content)
    return folder
