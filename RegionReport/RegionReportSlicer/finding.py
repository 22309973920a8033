"""Finding the place of the chosen sentence by its words: the worker's progress, and what it brings.

What is offered and what not is the library's matter (`draft.find_places`, `review.offering`).
"""

from RegionReportLib.errors import RegionReportError
from RegionReportLib.grounding.found import Found
from RegionReportLib.report.json_form import anchor_from_dict
from RegionReportLib.review.offering import take_found

from .run import new_search
from .steps import Steps


class Finding:
    """Finds places for the report of `review`, one sentence at a time. `idle()` puts the drafting widgets back."""

    def __init__(self, ui, review, idle):
        self.ui = ui
        self._review = review
        self._idle = idle
        self._steps = None
        self._session = None

    @property
    def running(self):
        """Tell whether something is looked for."""
        return self._steps is not None

    def start(self):
        """Look for the words of the chosen sentence in the scan."""
        session = self._review.session
        if self.running or session is None or not session.editable:
            return
        if session.chosen is None:
            self._review.say("Choose a sentence first; its words are looked for in the scan.")
            return
        interpreter = self.ui.interpreterEdit.currentPath or ""
        work = new_search(self._review.desk, session.chosen.id, self.ui.deviceComboBox.currentText, interpreter)
        self._session = session
        self._steps = Steps(work, self._progress, self._done, self._failed)
        self._show()

    def cancel(self):
        """End the search; the report stays as it is."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.cancel()
            self._show()

    def _progress(self, progress):
        self.ui.draftProgressBar.value = int(1000 * progress.fraction)
        self._review.say(f"{progress.stage} · {100 * progress.fraction:.0f} %")

    def _done(self, made):
        self._steps = None
        self._show()
        if self._review.session is not self._session:
            self._review.say("Another report was opened meanwhile; the one before stays as it was.")
            return
        # Words being typed may change what is looked for: they are kept first.
        self._review.editor.end(keep=True)
        found = [Found(f.sentence_id, f.phrase, tuple(map(anchor_from_dict, f.anchors)), f.words) for f in made.found]
        try:
            told = take_found(self._session, found)
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
