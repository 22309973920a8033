"""The few questions that need an answer: a reason for overriding a flag, a signature, a file, a loss.

Dialogs are made and asked, not called statically: static functions return other things under each binding of Qt.
"""

from pathlib import Path

import qt
import slicer

from RegionReportLib.export.html import report_html
from RegionReportLib.export.text import report_text


def ask_reason(message):
    """Ask why a flag is overridden; empty if it is not."""
    dialog = qt.QInputDialog(slicer.util.mainWindow())
    dialog.setWindowTitle("Override flag")
    dialog.setLabelText(f"{message}\n\nReason for keeping the sentence as it is:")
    dialog.setMinimumWidth(420)
    accepted = dialog.exec_()
    reason = dialog.textValue().strip() if accepted else ""
    dialog.deleteLater()
    return reason


def confirm_sign(name, count):
    """Ask before a report is locked."""
    return slicer.util.confirmOkCancelDisplay(
        f"Sign {count} sentences as {name}? The report is locked then; a change is an addendum.",
        windowTitle="Sign report",
    )


def confirm_clear(count, size):
    """Ask before drafts are deleted."""
    return slicer.util.confirmOkCancelDisplay(
        f"Delete {count} drafts ({size})? Reports in saved scenes and exported files stay; what is only here is lost.",
        windowTitle="Clear drafts",
    )


def export(report):
    """Ask for a file and write the report to it as HTML or text; return its path, None if nothing was written."""
    dialog = qt.QFileDialog(slicer.util.mainWindow(), "Export report", "", "Web page (*.html);;Text (*.txt)")
    dialog.setAcceptMode(qt.QFileDialog.AcceptSave)
    dialog.setDefaultSuffix("html")
    dialog.selectFile("report.html")
    chosen = dialog.selectedFiles() if dialog.exec_() else ()
    dialog.deleteLater()
    if not chosen:
        return None
    path = Path(chosen[0])
    text = report_text(report) if path.suffix.lower() == ".txt" else report_html(report)
    path.write_text(text, encoding="utf-8")
    return path
