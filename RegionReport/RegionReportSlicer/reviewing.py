"""The lower part of the panel: the sentences of one report, and the acts on them.

What an act means is the session's matter; here it is wired and shown. Every slot catches its own errors, because the
event loop would swallow them.
"""

import qt
import slicer

from RegionReportLib.errors import RegionReportError
from RegionReportLib.export.text import report_text
from RegionReportLib.report.document import Status
from RegionReportLib.review.session import Filter, Session
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer
from RegionReportLib.scene.regions_here import regions_at

from .desk import desk_of
from .dialogs import ask_reason, confirm_sign, export
from .editor import Editor
from .retie import RetieMenu
from .sentences import DARK, LIGHT, report_rows

# One row, roughly: a chosen sentence whose row begins lower than this above the edge is scrolled into view.
_ROW_PX = 60


class Reviewing:
    """One review at a time; `busy(True)` is called while words are typed, so that keys rest."""

    def __init__(self, ui, parameters, busy):
        self.ui = ui
        self.session = None
        self.desk = None
        self._parameters = parameters
        self.editor = Editor(ui.editor, busy)
        self.retie = RetieMenu(ui.retieButton, self.act)
        for one in Filter:
            ui.filterComboBox.addItem(one.value)
        self._connect()
        self.show()

    def open(self, report_node):
        """Open the review of a report node, or none."""
        if self.desk is not None and report_node is not None and self.desk.report_node is report_node:
            return
        self.close()
        if report_node is not None:
            try:
                self.desk = desk_of(report_node, self.reader())
            except (RegionReportError, OSError) as problem:
                self.say(str(problem))
            else:
                desk = self.desk
                grid = desk.draft.report.study.grid
                viewer = SceneViewer(slicer.mrmlScene, desk.volume_node, desk.segmentation_node, grid, self._manner())
                self.session = Session(desk.draft, viewer, self._changed)
                self.say("; ".join(desk.draft.notes))
        self.retie.fill(self.session)
        self.show()

    def close(self):
        """End the review: everything is on the disk and in the scene, the views are as they were."""
        self.editor.end(keep=False)
        if self.session:
            self.session.viewer.clear()
        if self.desk:
            self.desk.keep()
            self.desk.close()
        self.session = self.desk = None
        self.show()

    def act(self, name, *arguments):
        """Do an act of the session by name and tell what forbids it."""
        if self.session is None:
            return
        try:
            getattr(self.session, name)(*arguments)
        except RegionReportError as problem:
            self.say(str(problem))
        else:
            self.say(self.session.problem)

    def edit(self):
        """Open the editor on the chosen sentence, or keep the words in it."""
        if self.editor.open:
            self.editor.end(keep=True)
        elif self._editable() and self.session.chosen:
            self.editor.start(self.session.chosen.text, lambda text: self.act("change_text", text))
            self.say("Ctrl+Enter keeps the words, Esc leaves them as they were.")

    def add(self):
        """Open the editor for a new sentence behind the chosen one."""
        if self._editable() and not self.editor.open:
            chosen = self.session.chosen
            region_id = chosen.regions[0] if chosen and chosen.regions else None
            self.editor.start("", lambda text: self.act("add", text, region_id))
            self.say("Write the new sentence; Ctrl+Enter keeps it, Esc leaves it.")

    def split(self):
        """Divide the chosen sentence at the editor's cursor; the first press opens the editor."""
        if not self.editor.open:
            self.edit()
            self.say("Put the cursor where the sentence is to be divided, then press Split again.")
            return
        at = self.editor.cursor
        self.editor.end(keep=True)
        self.act("split", at)

    def tie(self):
        """Open the menu of places, or take the box that was drawn."""
        if self.retie.drawing:
            self.retie.take_box(self.session.viewer.report_point)
        elif self._editable() and self.session.chosen:
            self.retie.show()

    def sign(self):
        """Sign after one question."""
        if self.session and confirm_sign(self.reader(), len(self.session.report.sentences)):
            self.act("sign", self.reader())

    def found_at(self, world_mm):
        """Mark the sentences about a place in the scene; nothing moves."""
        if self.session is None or self.desk.segmentation_node is None:
            return
        try:
            regions = [here.region_id for here in regions_at(self.desk.segmentation_node, world_mm)]
            found = self.session.find(self.session.viewer.report_point(world_mm), regions)
        except RegionReportError as problem:
            self.say(str(problem))
        else:
            self.say(f"{len(found)} sentences about this place; F goes through them." if found else "")

    def reader(self):
        """Return the name of who reads."""
        return self.ui.readerEdit.text.strip() or "reader"

    def say(self, text):
        """Tell the user one line."""
        self.ui.statusLabel.text = text

    def show(self):
        """Bring the widgets up to date with the session."""
        session = self.session
        editable, chosen = self._editable(), bool(session and session.chosen)
        for name in ("accept", "reject", "edit", "retie", "split", "merge"):
            getattr(self.ui, f"{name}Button").enabled = editable and chosen
        for name in ("add", "undo", "redo"):
            getattr(self.ui, f"{name}Button").enabled = editable
        for name in ("copy", "export"):
            getattr(self.ui, f"{name}Button").enabled = session is not None
        standing = session.standing(self.reader()) if session else None
        self.ui.signButton.enabled = bool(editable and not standing.reasons)
        self.ui.signButton.toolTip = "\n".join(r.message for r in standing.reasons[:8]) if standing else ""
        self.ui.standingLabel.text = self._standing_words(standing)
        if session:
            self._show_rows()
        else:
            self.ui.sentenceBrowser.setHtml("")

    def _standing_words(self, standing):
        if standing is None:
            return ""
        if self.session.report.signature is not None:
            return f"Signed by {self.session.report.signature.name}; a change is an addendum."
        flags = f" · {standing.open_flags} flag(s) open" if standing.open_flags else ""
        return f"{standing.judged} of {standing.total} judged{flags}"

    def _show_rows(self):
        browser = self.ui.sentenceBrowser
        dark = browser.palette.color(qt.QPalette.Base).lightness() < 128
        bar = browser.verticalScrollBar()
        before = bar.value
        browser.setHtml(report_rows(self.session, DARK if dark else LIGHT))
        if self.session.chosen:
            browser.scrollToAnchor(self.session.chosen.id)
            top, height = bar.value, browser.viewport().height
            # Nothing moves under the hand while the chosen row is in view already.
            before = before if before <= top <= before + height - _ROW_PX else max(0, top - height // 3)
        bar.setValue(before)

    def _changed(self):
        self.desk.keep()
        self.show()

    def _editable(self):
        return self.session is not None and self.session.report.status is Status.DRAFT

    def _on_link(self, url):
        kind, _, rest = url.toString().partition(":")[2].partition("/")
        if kind == "choose":
            self.act("choose", rest)
        elif kind == "flag" and self.session:
            sentence_id, _, number = rest.rpartition("/")
            self.act("choose", sentence_id)
            flag = self.session.report.sentence(sentence_id).flags[int(number)]
            reason = ask_reason(flag.message)
            if reason:
                self.act("answer", flag, reason)

    def _on_filter(self, index):
        self.act("set_filter", list(Filter)[index])

    def _copy(self):
        slicer.app.clipboard().setText(report_text(self.session.report))
        self.say("The report is in the clipboard as text.")

    def _export(self):
        try:
            path = export(self.session.report)
        except OSError as problem:
            self.say(f"Not exported: {problem}")
        else:
            self.say(f"Written to {path}" if path else "")

    def _manner(self):
        chosen = self._parameters()
        if chosen is None:
            return Manner()
        jump = Jump.CENTER if chosen.center else Jump.CENTER_IF_HIDDEN
        return Manner(jump, follow_window=chosen.followWindow, turn_3d=chosen.turn3d)

    def _connect(self):
        ui = self.ui
        ui.sentenceBrowser.connect("anchorClicked(QUrl)", self._on_link)
        ui.filterComboBox.connect("currentIndexChanged(int)", self._on_filter)
        for button, slot in (
            (ui.acceptButton, lambda: self.act("accept")),
            (ui.rejectButton, lambda: self.act("reject")),
            (ui.editButton, self.edit),
            (ui.addButton, self.add),
            (ui.splitButton, self.split),
            (ui.mergeButton, lambda: self.act("merge_with_next")),
            (ui.undoButton, lambda: self.act("undo")),
            (ui.redoButton, lambda: self.act("redo")),
            (ui.copyButton, self._copy),
            (ui.exportButton, self._export),
            (ui.signButton, self.sign),
        ):
            button.connect("clicked()", slot)
