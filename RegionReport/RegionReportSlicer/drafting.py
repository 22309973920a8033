"""The upper part of the panel: one button that drafts or cancels, with stage, percentage and time left."""

import time

import qt

from RegionReportLib.draft.choose import WRITERS, title_of
from RegionReportLib.worker.messages import SentenceWritten, StageProgress, Stalled

from . import packages
from .dialogs import ask_text
from .run import new_draft
from .sentences import note_page, streamed_rows
from .settings import model_of
from .steps import Steps

# Below the writers: no writer, but a report that is there already.
_EXISTING = "existing report"
# Before this nothing can be said of the time left.
_TELLING_FRACTION, _TELLING_S = 0.06, 1.5


class Drafting:
    """Drafts on demand.

    `begun()` is called before a draft, then `done(DraftInScene)` or `given_up()`; `rows(html)` shows sentences.
    """

    def __init__(self, ui, parameters, begun, done, given_up, rows):
        self.ui = ui
        self._parameters = parameters
        self._begun = begun
        self._done = done
        self._given_up = given_up
        self._rows = rows
        self._steps = None
        self._heard = []
        self._shown = 0
        self._stalled = ""
        for name in WRITERS:
            ui.writerComboBox.addItem(name)
            ui.writerComboBox.setItemData(ui.writerComboBox.count - 1, title_of(name), qt.Qt.ToolTipRole)
        ui.writerComboBox.addItem(_EXISTING)
        ui.writerComboBox.connect("currentIndexChanged(int)", self._on_writer)
        ui.loadTextButton.connect("clicked()", self._load_text)
        self._show()

    @property
    def running(self):
        """Tell whether a draft is being made."""
        return self._steps is not None

    def draft_or_cancel(self):
        """Start a draft, or cancel the one that runs."""
        if self.running:
            self.cancel()
            self._given_up()
            self._say("Cancelled; nothing was kept.")
            return
        parameters = self._parameters()
        if parameters is None or parameters.inputVolume is None:
            self._say("Choose a CT first.")
            return
        wishes = self._wishes(parameters)
        if wishes is None:
            return
        interpreter = self.ui.interpreterEdit.currentPath or ""
        work = new_draft(parameters.inputVolume, interpreter=interpreter, told=self._hear, **wishes)
        self._begun()
        self._heard, self._shown, self._stalled = [], 0, ""
        self._rows(lambda palette: note_page("Sentences appear here as they are written.", palette))
        self._steps = Steps(work, self._progress, self._drafted, self._failed)
        self._show()

    def cancel(self):
        """End a draft in progress; nothing of it stays."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.cancel()
        self._show()

    def idle(self):
        """Bring the widgets up to date; another work may have used them."""
        self._show()

    def _wishes(self, parameters):
        """Return what is to be drafted by whom; None if that cannot be, which is told."""
        wishes = {
            "segmentation_node": parameters.segmentation,
            "segmenter": self.ui.segmenterComboBox.currentText,
            "device": self.ui.deviceComboBox.currentText,
        }
        writer = self._writer()
        if writer is None:
            wishes["text"] = self.ui.pasteEdit.plainText.strip()
            if not wishes["text"]:
                self._say("Paste the report that is to be tied to its places, or load it.")
                return None
            return wishes
        wishes["writer"] = writer
        if WRITERS[writer].needs:
            wishes["model"] = model_of(writer)
            if not self.ui.interpreterEdit.currentPath:
                try:
                    packages.ensure_learned(WRITERS[writer].packages)
                except (packages.Declined, RuntimeError) as reason:
                    self._say(f"{reason} The measured writer needs none of this.")
                    return None
        return wishes

    def _hear(self, message):
        if isinstance(message, SentenceWritten):
            self._heard.append(message.sentence)
        elif isinstance(message, Stalled):
            self._stalled = f" · no progress for {message.seconds:.0f} s; wait or cancel"
        elif isinstance(message, StageProgress):
            self._stalled = ""

    def _progress(self, progress):
        self.ui.draftProgressBar.value = int(1000 * progress.fraction)
        words = f"{progress.stage} · {100 * progress.fraction:.0f} %"
        seconds = time.monotonic() - self._steps.started
        if progress.fraction > _TELLING_FRACTION and seconds > _TELLING_S:
            words += f" · {_duration(seconds * (1 - progress.fraction) / progress.fraction)} left"
        self._say(words + self._stalled)
        if len(self._heard) != self._shown:
            self._shown = len(self._heard)
            self._rows(lambda palette: streamed_rows(self._heard, palette), True)

    def _drafted(self, made):
        self._steps = None
        self._show()
        self._say("; ".join(made.notes))
        self._done(made)

    def _failed(self, message, error):
        self._steps = None
        self._show()
        self._given_up()
        self._say(message)

    def _writer(self):
        """Return the name of the chosen writer, None for an existing report."""
        chosen = self.ui.writerComboBox.currentText
        return chosen if chosen in WRITERS else None

    def _load_text(self):
        try:
            text = ask_text()
        except ValueError as problem:
            self._say(str(problem))
            return
        if text is not None:
            self.ui.pasteEdit.plainText = text

    def _on_writer(self, index):
        self._show()
        writer = self._writer()
        if writer is not None and WRITERS[writer].needs:
            self._say(f"{title_of(writer)}.")

    def _show(self):
        running, pasting = self.running, self._writer() is None
        self.ui.draftButton.text = "Cancel" if running else "Tie to places" if pasting else "Draft report"
        self.ui.draftProgressBar.visible = running
        self.ui.draftProgressBar.value = 0
        self.ui.pasteEdit.visible = self.ui.loadTextButton.visible = pasting and not running
        for widget in ("inputVolumeSelector", "segmentationSelector", "writerComboBox", "reportSelector"):
            getattr(self.ui, widget).enabled = not running

    def _say(self, text):
        self.ui.statusLabel.text = text


def _duration(seconds):
    """Return a duration as a person says it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
