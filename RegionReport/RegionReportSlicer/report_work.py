"""Work of the worker for the open report, one at a time: its progress in the panel, and what it brings into the report.

What comes into the report and what stays is the library's matter; subclasses hand the result over in `_take`.
"""

from RegionReportLib.errors import RegionReportError

from .steps import Steps


class ReportWork:
    """Work for the report of `review`. `idle()` puts the drafting widgets back at its end."""

    def __init__(self, ui, review, idle):
        self.ui = ui
        self._review = review
        self._idle = idle
        self._steps = None
        self._session = None

    @property
    def running(self):
        """Tell whether the worker is at it."""
        return self._steps is not None

    def cancel(self):
        """End the work; the report stays as it is."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.cancel()
            self._show()

    def _begin(self, work):
        """Let the worker do `work` for the report that is open now."""
        self._session = self._review.session
        self._steps = Steps(work, self._progress, self._done, self._failed)
        self._show()

    def _take(self, session, made):
        """Bring the result into the report of `session` and return in words what became of it."""
        raise NotImplementedError

    def _progress(self, progress):
        self.ui.draftProgressBar.value = int(1000 * progress.fraction)
        self._review.say(f"{progress.stage} · {100 * progress.fraction:.0f} %")

    def _done(self, made):
        self._steps = None
        self._show()
        if self._review.session is not self._session:
            self._review.say("Another report was opened meanwhile; the one before stays as it was.")
            return
        # Words being typed belong to a sentence that may change or go: they are kept first.
        self._review.editor.end(keep=True)
        try:
            told = self._take(self._session, made)
        except RegionReportError as problem:
            told = str(problem)
        self._review.say(told)

    def _failed(self, message, error):
        self._steps = None
        self._show()
        self._review.say(message)

    def _show(self):
        self._idle()
        if self.running:
            self.ui.draftButton.text = "Cancel"
            self.ui.draftProgressBar.visible = True
