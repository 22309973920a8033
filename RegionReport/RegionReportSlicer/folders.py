"""A folder of this computer in the settings: how much lies in it, opened, cleared of what is ours."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import qt

from .dialogs import confirm_clear


@dataclass(frozen=True)
class Content:
    """What lies in a folder: its `name` in the plural (the stem of the widgets' names too), and where that is.

    `ours(root)` lists what may be cleared, `free(folder)` tells if now; `warning` says what is lost then.
    """

    name: str
    root: Callable[[], Path]
    ours: Callable[[Path], list[Path]]
    warning: str
    free: Callable[[Path], bool] = lambda folder: True


class KeptFolder:
    """The row of a folder; `say(text)` tells the user."""

    def __init__(self, ui, content, say):
        name = content.name
        self._size_label = getattr(ui, f"{name}SizeLabel")
        self._clear_button = getattr(ui, f"{name}ClearButton")
        self._content = content
        self._say = say
        getattr(ui, f"{name}OpenButton").connect("clicked()", self._open)
        self._clear_button.connect("clicked()", self._clear)

    def show(self):
        """Tell how many there are and how large they are."""
        held = self._held()
        self._size_label.text = f"{self._count(held)}, {_size(held)}"
        self._size_label.toolTip = str(self._content.root())
        self._clear_button.enabled = bool(held)

    def _held(self):
        root = self._content.root()
        return sorted(self._content.ours(root)) if root.is_dir() else []

    def _open(self):
        folder = self._content.root()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            self._say(f"The folder cannot be made: {problem}")
            return
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def _clear(self):
        free = [folder for folder in self._held() if self._content.free(folder)]
        if not free:
            self._say(f"All {self._content.name} are in use.")
        elif confirm_clear(f"{self._count(free)} ({_size(free)})", self._content.warning):
            for folder in free:
                shutil.rmtree(folder, ignore_errors=True)
            left = [folder for folder in free if folder.exists()]
            told = f"Not all could be deleted: {self._count(left)} left." if left else f"Deleted: {self._count(free)}."
            self._say(told)
        self.show()

    def _count(self, folders):
        plural = self._content.name
        return f"{len(folders)} {plural.removesuffix('s') if len(folders) == 1 else plural}"


def _size(folders):
    total = sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())
    return f"{total / 1e9:.1f} GB" if total >= 1e9 else f"{total / 1e6:.1f} MB"
