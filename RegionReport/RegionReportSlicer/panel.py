"""The panel: drafting above, reviewing below, keys and clicks for both."""

import slicer

from RegionReportLib.scene.storage import report_nodes

from .clicks import SliceClicks
from .drafting import Drafting
from .keys import HELP, Keys
from .reviewing import Reviewing
from .run import end_workers


class Panel:
    """Everything behind the widgets; `parameters()` returns the scene's parameter node or None."""

    def __init__(self, ui, parameters, root):
        self.ui = ui
        self._parameters = parameters
        self.reviewing = Reviewing(ui, parameters, self._busy)
        self.drafting = Drafting(ui, parameters, self.reviewing.close, self._drafted)
        review = self.reviewing
        self._keys = Keys(
            {
                "Up": lambda: review.act("step", -1),
                "Down": lambda: review.act("step", 1),
                "Return": review.edit,
                "A": lambda: review.act("accept"),
                "X": lambda: review.act("reject"),
                "R": review.tie,
                "N": review.add,
                "S": review.split,
                "M": lambda: review.act("merge_with_next"),
                "F": lambda: review.act("choose_found"),
                "Ctrl+Z": lambda: review.act("undo"),
                "Ctrl+Y": lambda: review.act("redo"),
            },
            root,
        )
        self._clicks = SliceClicks(review.found_at)
        ui.helpLabel.text = HELP

    def enter(self):
        """Take the keys and the clicks, and open the report that the scene remembers."""
        self._keys.enable(True)
        self._clicks.enable(True)
        parameters = self._parameters()
        if parameters is None or self.reviewing.session or self.drafting.running:
            return
        if parameters.report is None:
            # A scene from elsewhere may hold a report that no panel has chosen yet.
            parameters.report = next(iter(report_nodes(slicer.mrmlScene)), None)
        self.reviewing.open(parameters.report)

    def exit(self):
        """Give keys, clicks and views back; the review stays open."""
        self._keys.enable(False)
        self._clicks.enable(False)
        self.reviewing.editor.end(keep=False)
        self.reviewing.act("choose", None)

    def leave(self):
        """Let go of the scene: a draft in progress is cancelled, the review is closed with everything on the disk."""
        self.drafting.cancel()
        self.reviewing.close()

    def close(self):
        """End for good."""
        self.leave()
        self._keys.remove()
        self._clicks.enable(False)
        end_workers()

    def draft_or_cancel(self):
        """Start a draft, or cancel the one that runs."""
        self.drafting.draft_or_cancel()

    def open_report(self, node):
        """Open the review of a report node, or none."""
        if not self.drafting.running:
            self.reviewing.open(node)

    def _drafted(self, made):
        parameters = self._parameters()
        slicer.util.setSliceViewerLayers(background=parameters.inputVolume, fit=False)
        parameters.report = made.report_node
        self.reviewing.open(made.report_node)

    def _busy(self, typing):
        self._keys.enable(not typing)
