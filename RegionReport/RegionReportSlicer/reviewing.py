"""The lower part of the panel: the sentences of one report, and the acts on them.

What an act means is the session's matter; here it is wired and shown. Every slot catches its own errors, because the
event loop would swallow them.
"""

import slicer

from RegionReportLib.errors import RegionReportError
from RegionReportLib.review.session import Filter, Session
from RegionReportLib.review.standing import has_two_sides
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer
from RegionReportLib.scene.regions_here import regions_at

from .desk import desk_of
from .dialogs import ask_reason
from .editor import Editor
from .finishing import Finishing
from .retie import RetieMenu
from .rows import Rows
from .sentences import note_page, report_rows

_EMPTY = "No report yet. Choose a chest CT and press Draft report; everything stays on this computer."


class Reviewing:
    """One review at a time.

    `busy(True)` is called while words are typed, so that keys rest; `opened(node)` shows another report.
    """

    def __init__(self, ui, busy, opened):
        self.ui = ui
        self.session = None
        self.desk = None
        self.redraft = lambda region_id: None
        """Offers to write a region anew; the panel puts in who does it."""
        self._tell_busy = busy
        self._splitting = False
        self._rows = Rows(ui.sentenceBrowser)
        self.editor = Editor(ui.editor, self._busy)
        self.retie = RetieMenu(ui.retieButton, self.act, self.say)
        self.finishing = Finishing(ui, self, opened)
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
                self.say("; ".join(desk.notes))
        self.retie.fill(self.session)
        self.show()

    def close(self):
        """End the review: everything is on the disk and in the scene, the views are as they were."""
        self.editor.end(keep=False)
        self.retie.drop_box()
        if self.session:
            self.session.viewer.clear()
        if self.desk:
            self.desk.keep()
            self.desk.close()
        self.session = self.desk = None
        self.retie.fill(None)
        self.show()

    def rest(self):
        """Give the views back while another module is shown; words that are being typed stay."""
        self.retie.drop_box()
        if self.session:
            self.session.viewer.clear()

    def resume(self):
        """Bring the chosen sentence into view again."""
        if self.session and self.session.chosen:
            self.act("show")

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
            self.editor.start(self.session.chosen.text, lambda words, at: self.act("change_text", words))
            self.say("Ctrl+Enter keeps the words, Esc leaves them as they were.")

    def add(self):
        """Open the editor for a new sentence behind the chosen one."""
        if self._editable() and not self.editor.open:
            chosen = self.session.chosen
            region_id = chosen.regions[0] if chosen and chosen.regions else None
            self.editor.start("", lambda words, at: self.act("add", words, region_id))
            self.say("Write the new sentence; Ctrl+Enter keeps it, Esc leaves it.")

    def split(self):
        """Open the editor to divide the chosen sentence at its cursor, or divide it there."""
        if self._splitting:
            self.editor.end(keep=True)
        elif self._editable() and self.session.chosen and not self.editor.open:
            text = self.session.chosen.text
            self._splitting = True
            self.editor.start(text, self._divide, at=len(text) // 2)
            self.say("Put the cursor where the sentence is to be divided; Ctrl+Enter divides it, Esc leaves it.")

    def both(self):
        """Show both sides of the first flag of the chosen sentence that has two."""
        flags = self.session.chosen.flags if self.session and self.session.chosen else ()
        for flag in filter(has_two_sides, flags):
            self.act("show_both", flag)
            return

    def answer(self):
        """Override the first open flag of the chosen sentence, or else of the report, with a reason."""
        if self.session is None:
            return
        chosen = self.session.chosen
        for flag in (*(chosen.flags if chosen else ()), *self.session.report.flags):
            if flag.blocking and flag.answer is None:
                self._answer(flag)
                return

    def next_filter(self):
        """List the next kind of sentences."""
        combo = self.ui.filterComboBox
        combo.setCurrentIndex((combo.currentIndex + 1) % combo.count)

    def tie(self):
        """Open the menu of places, or take the box that was drawn."""
        if self.retie.drawing:
            self.retie.take_box()
        elif self._editable() and self.session.chosen:
            self.retie.show()

    def found_at(self, world_mm):
        """Mark the sentences about a place in the scene; nothing moves."""
        if self.session is None:
            return
        node = self.desk.segmentation_node
        if node is None or node.GetScene() is None:
            self.say("Without the segmentation of this report it is not known which region was clicked.")
            return
        try:
            regions = [here.region_id for here in regions_at(node, world_mm)]
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
        ui, session = self.ui, self.session
        ui.reviewArea.visible = session is not None
        if session is None:
            self._rows.show(lambda palette: note_page(_EMPTY, palette))
            return
        typing = self.editor.open
        editable = self._editable() and not typing
        for name in ("accept", "reject", "retie", "merge", "up", "down"):
            getattr(ui, f"{name}Button").enabled = editable and session.chosen is not None
        for name in ("add", "undo", "redo"):
            getattr(ui, f"{name}Button").enabled = editable
        ui.editButton.text = "Keep" if typing and not self._splitting else "Edit"
        ui.editButton.enabled = (typing and not self._splitting) or (editable and session.chosen is not None)
        ui.splitButton.enabled = self._splitting or (editable and session.chosen is not None)
        self.finishing.show(editable)
        chosen = session.chosen.id if session.chosen else ""
        self._rows.show(lambda palette: report_rows(session, palette), chosen)

    def show_html(self, rows, to_end=False):
        """Show other rows than those of a review; `rows(palette)` writes them."""
        self._rows.show(rows, to_end=to_end)

    def _busy(self, typing):
        self._splitting = self._splitting and typing
        self._tell_busy(typing)
        self.show()

    def _divide(self, words, at):
        # Where the words were changed before, they are kept first.
        lost = len(words) - len(words.lstrip())
        self.act("change_text", words)
        self.act("split", at - lost)

    def _changed(self):
        self.desk.keep()
        self.show()

    def _editable(self):
        return self.session is not None and self.session.editable

    def _on_link(self, url):
        if self.session is None:
            return
        # Words being typed belong to the sentence that was chosen until now.
        self.editor.end(keep=True)
        kind, _, rest = url.toString().partition(":")[2].partition("/")
        if kind == "redraft":
            self.redraft(rest)
            return
        sentence_id, _, number = rest.partition("/")
        chosen = self.session.chosen
        if kind == "choose" or (sentence_id and (chosen is None or chosen.id != sentence_id)):
            self.act("choose", sentence_id)
        if kind in ("flag", "both"):
            self._on_flag(kind, sentence_id, int(number))

    def _on_flag(self, kind, sentence_id, number):
        report = self.session.report
        flags = report.sentence(sentence_id).flags if sentence_id else report.flags
        if kind == "both":
            self.act("show_both", flags[number])
        else:
            self._answer(flags[number])

    def _answer(self, flag):
        if self._editable():
            reason = ask_reason(flag.message)
            if reason:
                self.act("answer", flag, reason)

    def _on_filter(self, index):
        self.act("set_filter", list(Filter)[index])

    def _on_standing(self, link):
        self.editor.end(keep=True)
        self.act("choose_open")

    def _manner(self):
        ui = self.ui
        jump = Jump.CENTER if ui.centerCheckBox.checked else Jump.CENTER_IF_HIDDEN
        return Manner(jump, follow_window=ui.followWindowCheckBox.checked, turn_3d=ui.turn3dCheckBox.checked)

    def _on_manner(self, checked):
        if self.session:
            self.session.viewer.clear()  # what the old manner changed
            self.session.viewer.manner = self._manner()
            self.resume()

    def _connect(self):
        ui = self.ui
        ui.sentenceBrowser.connect("anchorClicked(QUrl)", self._on_link)
        ui.filterComboBox.connect("currentIndexChanged(int)", self._on_filter)
        for box in (ui.followWindowCheckBox, ui.centerCheckBox, ui.turn3dCheckBox):
            box.connect("toggled(bool)", self._on_manner)
        ui.standingLabel.connect("linkActivated(QString)", self._on_standing)
        for button, slot in (
            (ui.acceptButton, lambda: self.act("accept")),
            (ui.rejectButton, lambda: self.act("reject")),
            (ui.editButton, self.edit),
            (ui.addButton, self.add),
            (ui.splitButton, self.split),
            (ui.mergeButton, lambda: self.act("merge_with_next")),
            (ui.undoButton, lambda: self.act("undo")),
            (ui.redoButton, lambda: self.act("redo")),
            (ui.upButton, lambda: self.act("shift", -1)),
            (ui.downButton, lambda: self.act("shift", 1)),
        ):
            button.connect("clicked()", slot)
