"""The Export menu: every format, enabled or explained; what is chosen is written by the worker."""

import qt

from RegionReportLib.errors import RegionReportError
from RegionReportLib.export.offers import Wishes, offers

from .dialogs import ask_target
from .run import new_export, series_folder
from .steps import Steps


class ExportMenu:
    """The menu of the export button; `desk()` is the open report or None, `say(text)` tells the user."""

    def __init__(self, button, desk, say, interpreter):
        self._desk = desk
        self._say = say
        self._interpreter = interpreter
        self._steps = None
        self._menu = qt.QMenu(button)
        self._menu.toolTipsVisible = True
        self._menu.connect("aboutToShow()", self.fill)
        button.setMenu(self._menu)

    @property
    def running(self):
        """Tell whether something is being written."""
        return self._steps is not None

    def fill(self):
        """List the formats as the report stands now."""
        self._menu.clear()
        desk = self._desk()
        if self.running:
            self._menu.addAction("Cancel the export").connect("triggered()", self._on_cancel)
            return
        if desk is None:
            return
        scan = series_folder(desk.draft.report)
        for offer in offers(desk.folder, desk.draft.report, Wishes(scan=scan)):
            action = self._menu.addAction(f"{offer.title}…" if offer.reason is None else offer.title)
            action.enabled = offer.reason is None
            action.toolTip = offer.reason or f"Writes {offer.file_name}."
            action.connect("triggered()", self._writer(offer, scan))

    def cancel(self):
        """End an export in progress; nothing of it stays."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.cancel()

    def _writer(self, offer, scan):
        def write():
            desk = self._desk()
            target = None if desk is None else ask_target(offer)
            if target is None:
                return
            try:
                if not desk.draft.read_only:
                    desk.draft.save()
            except RegionReportError as problem:
                self._say(f"Not exported: {problem}")
                return
            work = new_export(offer.name, desk.folder, target, scan, self._interpreter())
            self._steps = Steps(work, self._progress, lambda done: self._done(target, done), self._failed)

        return write

    def _progress(self, progress):
        self._say(f"{progress.stage} · {100 * progress.fraction:.0f} %")

    def _done(self, target, done):
        self._steps = None
        self._say(f"Written to {target}: {', '.join(done.files)}")

    def _failed(self, message, error):
        self._steps = None
        self._say(f"Not exported: {message}")

    def _on_cancel(self):
        self.cancel()
        self._say("The export was cancelled; nothing was kept.")
