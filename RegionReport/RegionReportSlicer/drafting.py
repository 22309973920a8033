"""The upper part of the panel: one button that drafts or cancels, with stage, percentage and time left."""

import time
from html import escape

import qt

from RegionReportLib.worker.messages import SentenceWritten

from .run import new_draft
from .steps import Steps

# What the user may choose as writer; None ties a pasted report to its places instead.
WRITERS = (("measured", "measured"), ("existing report (paste)", None))


class Drafting:
    """Drafts on demand; `begun()` is called before, `done(DraftInScene)` after a draft."""

    def __init__(self, ui, parameters, begun, done):
        self.ui = ui
        self._parameters = parameters
        self._begun = begun
        self._done = done
        self._steps = None
        self._heard = []
        for label, _ in WRITERS:
            ui.writerComboBox.addItem(label)
        ui.writerComboBox.connect("currentIndexChanged(int)", self._on_writer)
        self._show()

    @property
    def running(self):
        """Tell whether a draft is being made."""
        return self._steps is not None

    def draft_or_cancel(self):
        """Start a draft, or cancel the one that runs."""
        if self.running:
            self.cancel()
            self._say("Cancelled; nothing was kept.")
            return
        parameters = self._parameters()
        if parameters is None or parameters.inputVolume is None:
            self._say("Choose a CT first.")
            return
        writer, text = self._writer(), None
        if writer is None:
            text = self.ui.pasteEdit.plainText.strip()
            if not text:
                self._say("Paste the report that is to be tied to its places.")
                return
        interpreter = self.ui.interpreterEdit.currentPath or ""
        qt.QSettings().setValue("RegionReport/WorkerPython", interpreter)
        self._begun()
        work = new_draft(
            parameters.inputVolume,
            writer=writer or "measured",
            text=text,
            segmentation_node=parameters.segmentation,
            interpreter=interpreter,
            told=self._hear,
        )
        self._heard = []
        self._steps = Steps(work, self._progress, self._drafted, self._failed)
        self._show()

    def cancel(self):
        """End a draft in progress; nothing of it stays."""
        steps, self._steps = self._steps, None
        if steps is not None:
            steps.cancel()
        self._show()

    def _hear(self, message):
        if isinstance(message, SentenceWritten):
            self._heard.append(f"<p>{escape(message.sentence['text'])}</p>")
            self.ui.sentenceBrowser.setHtml("".join(self._heard))

    def _progress(self, progress):
        self.ui.draftProgressBar.value = int(1000 * progress.fraction)
        words = f"{progress.stage} · {100 * progress.fraction:.0f} %"
        if progress.fraction > 0.05:
            seconds = time.monotonic() - self._steps.started
            words += f" · {seconds * (1 - progress.fraction) / progress.fraction:.0f} s left"
        self._say(words)

    def _drafted(self, made):
        self._steps = None
        self._show()
        self._say("; ".join(made.notes))
        self._done(made)

    def _failed(self, message, error):
        self._steps = None
        self.ui.sentenceBrowser.setHtml("")
        self._show()
        self._say(message)

    def _writer(self):
        return WRITERS[self.ui.writerComboBox.currentIndex][1]

    def _on_writer(self, index):
        self.ui.pasteEdit.visible = self._writer() is None

    def _show(self):
        self.ui.draftButton.text = "Cancel" if self.running else "Draft report"
        self.ui.draftProgressBar.visible = self.running
        self.ui.draftProgressBar.value = 0

    def _say(self, text):
        self.ui.statusLabel.text = text
