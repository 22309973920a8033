"""The panel: drafting above, reviewing below, keys and clicks for both."""

import slicer

from RegionReportLib.scene.storage import report_nodes

from .clicks import SliceClicks
from .drafting import Drafting
from .finding import Finding
from .keys import HELP, Keys
from .redrafting import Redrafting
from .reviewing import Reviewing
from .run import end_workers
from .settings import Settings


class Panel:
    """Everything behind the widgets; `parameters()` returns the scene's parameter node, None while not shown."""

    def __init__(self, ui, parameters, root):
        self.ui = ui
        self._parameters = parameters
        self._entered = False
        self.settings = Settings(ui, self._say)
        self.reviewing = Reviewing(ui, self._busy, self._opened)
        self.drafting = Drafting(
            ui, parameters, self.reviewing.close, self._drafted, self._reopen, self.reviewing.show_html
        )
        review = self.reviewing
        self.redrafting = Redrafting(ui, self.reviewing, self.drafting.idle)
        self.reviewing.redraft = self.redrafting.ask
        self.finding = Finding(ui, self.reviewing, self.drafting.idle)
        self.reviewing.retie.find = self._find
        self._keys = Keys(
            {
                "Up": lambda: review.act("step", -1),
                "Down": lambda: review.act("step", 1),
                "Return": review.edit,
                "Enter": review.edit,
                "A": lambda: review.act("accept"),
                "X": lambda: review.act("reject"),
                "R": review.tie,
                "P": self._find,
                "N": review.add,
                "S": review.split,
                "M": lambda: review.act("merge_with_next"),
                "D": self.redrafting.ask,
                "O": lambda: review.act("choose_open"),
                "F": lambda: review.act("choose_found"),
                "B": review.both,
                "K": review.answer,
                "L": review.next_filter,
                "Alt+Up": lambda: review.act("shift", -1),
                "Alt+Down": lambda: review.act("shift", 1),
                "Ctrl+Z": lambda: review.act("undo"),
                "Ctrl+Y": lambda: review.act("redo"),
            },
            root,
        )
        self._clicks = SliceClicks(review.found_at)
        ui.helpLabel.text = HELP

    def enter(self):
        """Take the keys and the clicks, and open the report that the scene remembers."""
        self._entered = True
        self._keys.enable(not self.reviewing.editor.open)
        self._clicks.enable(True)
        parameters = self._parameters()
        self.reviewing.resume()
        if parameters is None or self.reviewing.session or self.drafting.running:
            return
        if parameters.report is None:
            # A scene from elsewhere may hold a report that no panel has chosen yet.
            parameters.report = next(iter(report_nodes(slicer.mrmlScene)), None)
        self.reviewing.open(parameters.report)

    def exit(self):
        """Give keys, clicks and views back; the review stays open, and so does a draft in progress."""
        self._entered = False
        self._keys.enable(False)
        self._clicks.enable(False)
        self.reviewing.rest()

    def leave(self):
        """Let go of the scene: a draft in progress is cancelled, the review is closed with everything on the disk."""
        self.drafting.cancel()
        self.redrafting.cancel()
        self.finding.cancel()
        self.reviewing.finishing.export.cancel()
        self.reviewing.close()

    def close(self):
        """End for good."""
        self.leave()
        self._keys.remove()
        self._clicks.enable(False)
        end_workers()

    def draft_or_cancel(self):
        """Start a draft, or cancel what runs."""
        for work in (self.redrafting, self.finding):
            if work.running:
                work.cancel()
                self._say("Cancelled; the report is as it was.")
                return
        self.drafting.draft_or_cancel()

    def open_report(self, node):
        """Open the review of a report node, or none."""
        if not self.drafting.running:
            self.reviewing.open(node)

    def _drafted(self, made):
        parameters = self._parameters()
        if parameters is None:
            return  # another module is shown: the report waits in the scene, and `enter` opens it
        slicer.util.setSliceViewerLayers(background=parameters.inputVolume, fit=False)
        self._opened(made.report_node)

    def _opened(self, report_node):
        parameters = self._parameters()
        if parameters is not None:
            parameters.report = report_node
        self.reviewing.open(report_node)

    def _reopen(self):
        parameters = self._parameters()
        self.reviewing.open(parameters.report if parameters else None)

    def _find(self):
        if not (self.redrafting.running or self.drafting.running):
            self.finding.start()

    def _busy(self, typing):
        self._keys.enable(self._entered and not typing)

    def _say(self, text):
        self.ui.statusLabel.text = text
