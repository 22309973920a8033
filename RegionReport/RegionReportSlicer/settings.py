"""The settings of this computer, not of a scene: who reads, which worker, where models and drafts lie."""

import getpass
from pathlib import Path

import ctk
import qt

from RegionReportLib.draft.choose import DEVICES, WRITERS
from RegionReportLib.errors import RegionReportError
from RegionReportLib.model.catalogue import MODELS, SHIPPED
from RegionReportLib.model.folders import models_home, shipped_folder
from RegionReportLib.report.lock import WriteLock
from RegionReportLib.segment.choose import SEGMENTERS

from .desk import drafts_folder
from .folders import Content, KeptFolder

_FIELDS = (
    ("RegionReport/Reader", "readerEdit", "text", "editingFinished()"),
    ("RegionReport/WorkerPython", "interpreterEdit", "currentPath", "currentPathChanged(QString)"),
    ("RegionReport/Segmenter", "segmenterComboBox", "currentText", "currentTextChanged(QString)"),
    ("RegionReport/ModelsFolder", "modelsEdit", "currentPath", "currentPathChanged(QString)"),
    ("RegionReport/Device", "deviceComboBox", "currentText", "currentTextChanged(QString)"),
    ("RegionReport/DraftsFolder", "draftsEdit", "currentPath", "currentPathChanged(QString)"),
)


class Settings:
    """Keeps the fields of the settings part; `say(text)` tells the user."""

    def __init__(self, ui, say):
        self.ui = ui
        for names, combo in ((SEGMENTERS, ui.segmenterComboBox), (DEVICES, ui.deviceComboBox)):
            for name in names:
                combo.addItem(name)
        # Else browsing would ask for a file.
        ui.modelsEdit.filters = ui.draftsEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.interpreterEdit.filters = ctk.ctkPathLineEdit.Files
        self._folders = [KeptFolder(ui, content, say) for content in (_MODELS, _DRAFTS)]
        kept = qt.QSettings()
        for key, widget, field, signal in _FIELDS:
            value = kept.value(key)
            if value:  # a combo box leaves what it does not list at its first
                setattr(getattr(ui, widget), field, value)
            getattr(ui, widget).connect(signal, self._keeper(key, widget, field))
        if not ui.readerEdit.text:
            ui.readerEdit.text = _user()
        ui.settingsButton.connect("contentsCollapsed(bool)", self._on_folded)

    def show(self):
        """Tell how much the folders hold."""
        for folder in self._folders:
            folder.show()

    def _on_folded(self, folded):
        if not folded:
            self.show()

    def _keeper(self, key, widget, field):
        def keep():
            qt.QSettings().setValue(key, getattr(getattr(self.ui, widget), field))
            if key.endswith("Folder"):
                self.show()

        return keep


def models_folder():
    """Return the folder of all models, which the user may have chosen in the settings."""
    chosen = qt.QSettings().value("RegionReport/ModelsFolder")
    return Path(chosen) if chosen else models_home()


def model_of(writer):
    """Return the folder of a writer's model as it is passed on, None for the one that comes with the program."""
    folder = models_folder() / writer
    if not WRITERS[writer].needs or (writer == SHIPPED.writer and not folder.is_dir() and shipped_folder()):
        return None
    return str(folder)


def _models(root):
    """Return the folders of models that the program knows; a user's other folders are none of ours."""
    names = {model.name for model in MODELS} | {name for name, kind in WRITERS.items() if kind.needs}
    return [root / name for name in names if (root / name).is_dir()]


def _drafts(root):
    """Return the folders of drafts; anything else in there is not ours."""
    return [file.parent for file in root.glob("*/draft.json")]


def _is_free(folder):
    """Tell whether nobody works on a draft."""
    try:
        WriteLock(folder, _user(), "").release()
    except (RegionReportError, OSError):
        return False
    return True


def _user():
    """Return the name of the account, empty where the system tells none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


_MODELS = Content("models", models_folder, _models, "They must be fetched again to be used.")
_DRAFTS = Content(
    "drafts",
    drafts_folder,
    _drafts,
    "Reports in saved scenes and exported files stay; what is only here is lost.",
    _is_free,
)
