"""The few questions that need an answer: a reason for overriding a flag, a signature, a file to export to."""

from pathlib import Path

import qt
import slicer

from RegionReportLib.export.html import report_html
from RegionReportLib.export.text import report_text


def ask_reason(message):
    """Ask why a flag is overridden; empty if it is not."""
    answer = qt.QInputDialog.getText(
        slicer.util.mainWindow(), "Override flag", f"{message}\n\nReason for keeping the sentence as it is:"
    )
    return (answer or "").strip()


def confirm_sign(name, count):
    """Ask before a report is locked."""
    return slicer.util.confirmOkCancelDisplay(
        f"Sign {count} sentences as {name}? The report is locked then; a change is an addendum.",
        windowTitle="Sign report",
    )


def export(report):
    """Ask for a file and write the report to it as HTML or text; return its path, None if nothing was written."""
    chosen = qt.QFileDialog.getSaveFileName(
        slicer.util.mainWindow(), "Export report", "report.html", "Web page (*.html);;Text (*.txt)"
    )
    if not chosen:
        return None
    path = Path(chosen)
    text = report_text(report) if path.suffix.lower() == ".txt" else report_html(report)
    path.write_text(text, encoding="utf-8")
    return path
