"""The settings that belong to this computer and not to a scene: who reads, which worker, where drafts lie."""

import getpass
import shutil

import qt

from RegionReportLib.errors import RegionReportError
from RegionReportLib.report.lock import WriteLock

from .desk import drafts_folder
from .dialogs import confirm_clear

_FIELDS = (
    ("RegionReport/Reader", "readerEdit", "text", "editingFinished()"),
    ("RegionReport/WorkerPython", "interpreterEdit", "currentPath", "currentPathChanged(QString)"),
    ("RegionReport/DraftsFolder", "draftsEdit", "currentPath", "currentPathChanged(QString)"),
)


class Settings:
    """Keeps the fields of the settings part; `say(text)` tells the user."""

    def __init__(self, ui, say):
        self.ui = ui
        self._say = say
        kept = qt.QSettings()
        for key, widget, field, signal in _FIELDS:
            setattr(getattr(ui, widget), field, kept.value(key) or "")
            getattr(ui, widget).connect(signal, self._keeper(key, widget, field))
        if not ui.readerEdit.text:
            ui.readerEdit.text = _user()
        ui.settingsButton.connect("contentsCollapsed(bool)", self._on_folded)
        ui.draftsOpenButton.connect("clicked()", self._open)
        ui.draftsClearButton.connect("clicked()", self._clear)

    def show(self):
        """Tell how many drafts there are and how large they are."""
        drafts = _drafts()
        self.ui.draftsSizeLabel.text = f"{len(drafts)} drafts, {_size(drafts)}"
        self.ui.draftsSizeLabel.toolTip = str(drafts_folder())
        self.ui.draftsClearButton.enabled = bool(drafts)

    def _on_folded(self, folded):
        if not folded:
            self.show()

    def _keeper(self, key, widget, field):
        def keep():
            qt.QSettings().setValue(key, getattr(getattr(self.ui, widget), field))
            if key == "RegionReport/DraftsFolder":
                self.show()

        return keep

    def _open(self):
        folder = drafts_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            self._say(f"The folder cannot be made: {problem}")
            return
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def _clear(self):
        free = [folder for folder in _drafts() if _is_free(folder)]
        if not free:
            self._say("All drafts are being worked on.")
        elif confirm_clear(len(free), _size(free)):
            for folder in free:
                shutil.rmtree(folder, ignore_errors=True)
            left = [folder for folder in free if folder.exists()]
            self._say(f"{len(left)} drafts could not be deleted." if left else f"{len(free)} drafts were deleted.")
        self.show()


def _drafts():
    """Return the folders of drafts; anything else in there is not ours."""
    root = drafts_folder()
    return sorted(f.parent for f in root.glob("*/draft.json")) if root.is_dir() else []


def _is_free(folder):
    """Tell whether nobody works on a draft."""
    try:
        WriteLock(folder, _user(), "").release()
    except (RegionReportError, OSError):
        return False
    return True


def _size(folders):
    total = sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())
    return f"{total / 1e6:.1f} MB"


def _user():
    """Return the name of the account, empty where the system tells none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
