"""The end of a review: what still forbids signing, the signature, an addendum, and what leaves the panel."""

from html import escape

import slicer

from RegionReportLib.errors import RegionReportError
from RegionReportLib.export.text import report_text
from RegionReportLib.report.document import Status

from .desk import add_addendum
from .dialogs import confirm_addendum, confirm_sign
from .exporting import ExportMenu


class Finishing:
    """The lowest row of the panel for the report of `review`; `opened(node)` shows another report."""

    def __init__(self, ui, review, opened):
        self.ui = ui
        self._review = review
        self._opened = opened
        self.export = ExportMenu(
            ui.exportButton, lambda: review.desk, review.say, lambda: ui.interpreterEdit.currentPath or ""
        )
        ui.signButton.connect("clicked()", self.sign_or_amend)
        ui.copyButton.connect("clicked()", self.copy)

    def show(self, editable):
        """Bring button and line up to date; `editable` tells whether acts are possible now."""
        session = self._review.session
        signed = session.report.status is Status.SIGNED
        standing = session.standing(self._review.reader())
        button = self.ui.signButton
        button.text = "Addendum…" if signed else "Sign…"
        button.enabled = signed or (editable and not standing.reasons)
        if signed:
            button.toolTip = "Begin a new draft that names this report; what was signed stays as it is."
        else:
            button.toolTip = standing.obstacles or "Lock the report under your name."
        self.ui.standingLabel.text = self._words(session.report, standing)

    def sign_or_amend(self):
        """Sign after one question, or begin an addendum to what is signed."""
        session = self._review.session
        if session is None:
            return
        if session.report.status is Status.SIGNED:
            self._amend(session.report)
        elif confirm_sign(self._review.reader(), len(session.report.sentences)):
            self._review.act("sign", self._review.reader())

    def copy(self):
        """Put the report into the clipboard as text."""
        if self._review.session is not None:
            slicer.app.clipboard().setText(report_text(self._review.session.report))
            self._review.say("The report is in the clipboard as text.")

    def _amend(self, signed):
        if not confirm_addendum(signed.signature):
            return
        try:
            node = add_addendum(self._review.desk, self._review.reader())
        except (RegionReportError, OSError) as problem:
            self._review.say(str(problem))
            return
        self._opened(node)
        self._review.say(
            "The addendum is open; N writes its first sentence. The signed report stays in the list above."
        )

    def _words(self, report, standing):
        signature = report.signature
        if signature is not None:
            at = signature.signed_at[:16].replace("T", " ")
            return f"<b>Signed</b> by {escape(signature.name)}, {escape(at)} UTC"
        told = f"{'Addendum · ' if report.predecessor else ''}{escape(standing.words)}"
        if not standing.reasons:
            return f"{told} · <b>ready to sign</b>"
        if any(reason.sentence_id for reason in standing.reasons):
            return f"{told} · <a href='open'>next open</a>"
        return f"{told} · {escape(standing.reasons[0].message)}"
