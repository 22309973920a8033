"""Writing one region of the open report anew: a menu of writers, the worker's progress, and what it brings.

What goes and what stays is the library's matter (`review.redraft`); the report is looked at when the words are there.
"""

import qt

from RegionReportLib.anatomy import regions as anatomy
from RegionReportLib.draft.choose import WRITERS, WriterChoice, model_folder, title_of
from RegionReportLib.errors import NeedMissing
from RegionReportLib.report.json_form import sentence_from_dict
from RegionReportLib.review.redraft import Rewritten, next_seed, take_redraft

from . import packages
from .report_work import ReportWork
from .run import new_redraft
from .settings import model_of


class Redrafting(ReportWork):
    """Redrafts regions of the report, one at a time."""

    def __init__(self, ui, review, idle):
        super().__init__(ui, review, idle)
        self._menu = qt.QMenu(ui.sentenceBrowser)
        self._menu.toolTipsVisible = True

    def ask(self, region_id=None):
        """Offer the writers for a region, by default that of the chosen sentence, where the mouse is."""
        if self.fill(region_id):
            self._menu.popup(qt.QCursor.pos())

    def fill(self, region_id=None):
        """Fill the menu; False where there is no region to write, or nothing may be changed."""
        session = self._review.session
        if self.running or session is None or not session.editable:
            return False
        chosen = session.chosen
        region_id = region_id or (chosen.regions[0] if chosen is not None and chosen.regions else None)
        if region_id is None:
            self._review.say("Choose a sentence of the region that is to be written anew.")
            return False
        self._menu.clear()
        self._menu.addAction(f"Redraft: {anatomy.region(region_id).name}").enabled = False
        for name in WRITERS:
            reason = _hindrance(name)
            action = self._menu.addAction(title_of(name))
            action.enabled = not reason
            action.toolTip = reason or "Its untouched sentences are replaced; what you did stays."
            action.connect("triggered()", self._writer(region_id, name))
        return True

    def start(self, region_id, writer):
        """Let a writer write a region; its sentences come into the report when they are there."""
        session = self._review.session
        if WRITERS[writer].needs and not self.ui.interpreterEdit.currentPath:
            try:
                packages.ensure_learned(WRITERS[writer].packages)
            except (packages.Declined, RuntimeError) as reason:
                self._review.say(str(reason))
                return
        report = session.report
        seed = None if writer == "measured" else next_seed(report, region_id, session.draft.head.length)
        work = new_redraft(
            self._review.desk,
            region_id,
            interpreter=self.ui.interpreterEdit.currentPath or "",
            writer=writer,
            model=model_of(writer),
            device=self.ui.deviceComboBox.currentText,
            seed=seed,
        )
        self._begin(work)

    def _writer(self, region_id, name):
        return lambda: self.start(region_id, name)

    def _take(self, session, made):
        sentences = tuple(sentence_from_dict(one) for one in made.sentences)
        return take_redraft(session, Rewritten(made.region, sentences, made.writer, made.model, made.seed))


def _hindrance(name):
    """Return why a writer cannot be asked here, empty if it can; packages are asked for when it is chosen."""
    if not WRITERS[name].by_region:
        return "It writes whole reports only."
    try:
        if WRITERS[name].needs:
            model_folder(WriterChoice(name, model_of(name)))
    except NeedMissing as reason:
        return str(reason)
    return ""
