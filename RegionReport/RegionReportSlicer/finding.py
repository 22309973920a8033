"""Finding the place of the chosen sentence by its words: the worker's progress, and what it brings.

What is offered and what not is the library's matter (`draft.find_places`, `review.offering`).
"""

from RegionReportLib.grounding.found import Found
from RegionReportLib.report.json_form import anchor_from_dict
from RegionReportLib.review.offering import take_found

from .report_work import ReportWork
from .run import new_search


class Finding(ReportWork):
    """Finds places for the report, one sentence at a time."""

    def start(self):
        """Look for the words of the chosen sentence in the scan."""
        session = self._review.session
        if self.running or session is None or not session.editable:
            return
        if session.chosen is None:
            self._review.say("Choose a sentence first; its words are looked for in the scan.")
            return
        interpreter = self.ui.interpreterEdit.currentPath or ""
        self._begin(new_search(self._review.desk, session.chosen.id, self.ui.deviceComboBox.currentText, interpreter))

    def _take(self, session, made):
        found = [Found(f.sentence_id, f.phrase, tuple(map(anchor_from_dict, f.anchors)), f.words) for f in made.found]
        return take_found(session, found)
