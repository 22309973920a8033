"""The few questions that need an answer: a reason for overriding a flag, a signature, a file, a loss.

Dialogs are made and asked, not called statically: static functions return other things under each binding of Qt.
"""

from pathlib import Path

import qt
import slicer

# Characters of a report are a few thousand.
_LARGEST_TEXT = 2_000_000


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


def confirm_clear(what, warning):
    """Ask before something of the user's computer is deleted."""
    return slicer.util.confirmOkCancelDisplay(f"Delete {what}? {warning}", windowTitle="Clear folder")


def confirm_addendum(signature):
    """Ask before a signed report gets an addendum."""
    return slicer.util.confirmOkCancelDisplay(
        f"Start an addendum to the report signed by {signature.name}? What was signed stays as it is; a new draft "
        "without sentences is begun, which names it.",
        windowTitle="Addendum",
    )


def ask_text():
    """Ask for a text file and return its content, None if none was chosen; ValueError says why it cannot be read."""
    chosen = _chosen_path("Load report", qt.QFileDialog.ExistingFile, "Text (*.txt);;All files (*)")
    if chosen is None:
        return None
    try:
        if chosen.stat().st_size > _LARGEST_TEXT:
            raise ValueError(f"{chosen.name} is too large for a report")
        return chosen.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise ValueError(f"{chosen.name} cannot be read as text: {problem}") from problem


def ask_target(offer):
    """Ask for the folder into which an export is written; None if none was chosen or a file there is to stay."""
    folder = _chosen_path(f"{offer.title}: folder for {offer.file_name}", qt.QFileDialog.Directory, "")
    if folder is None or not (folder / offer.file_name).exists():
        return folder
    return folder if confirm_replace(offer.file_name, folder) else None


def confirm_replace(name, folder):
    """Ask before a file is replaced."""
    return slicer.util.confirmOkCancelDisplay(f"{folder} holds {name} already. Replace it?", windowTitle="Replace file")


def _chosen_path(title, mode, kinds):
    dialog = qt.QFileDialog(slicer.util.mainWindow(), title, "", kinds)
    dialog.setFileMode(mode)
    if mode == qt.QFileDialog.Directory:
        dialog.setOption(qt.QFileDialog.ShowDirsOnly, True)
    chosen = dialog.selectedFiles() if dialog.exec_() else ()
    dialog.deleteLater()
    return Path(chosen[0]) if chosen else None
