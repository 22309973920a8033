"""Where models lie on this computer; no torch here, so that doors may ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..places import MODELS_VARIABLE
from ..places import models_home as models_home  # the doors ask for it here
from .card import CONFIG
from .catalogue import SHIPPED, KnownModel

_HERE = Path(__file__).parent
HOME_VARIABLE = MODELS_VARIABLE
PART_ENDING = ".part"
"""Of files that have not wholly arrived."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in a model's folder: its size in bytes, which files are `missing`, which arrived in part."""

    folder: Path
    size_bytes: int
    missing: tuple[str, ...]
    unfinished: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Tell whether all files are there."""
        return not self.missing


def shipped_folder() -> Path | None:
    """Return the folder of the model that comes with the program, None where it was installed without one."""
    folder = _HERE / SHIPPED.folder
    return folder if (folder / CONFIG).is_file() else None


def kept(model: KnownModel) -> Kept:
    """Return what lies in the folder of a model; nothing is opened."""
    folder = models_home() / model.name
    missing = tuple(name for name in model.files if not (folder / name).is_file())
    parts = sorted(f.relative_to(folder).as_posix() for f in folder.rglob(f".*{PART_ENDING}"))
    return Kept(folder, size_of(folder), missing, tuple(parts))


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder and below; 0 where there is none."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) if folder.is_dir() else 0


def other_folders(models: tuple[KnownModel, ...]) -> tuple[Path, ...]:
    """Return the folders beside those of known models: models of the user's own."""
    home = models_home()
    known = {model.name for model in models}
    return tuple(sorted(f for f in home.iterdir() if f.is_dir() and f.name not in known)) if home.is_dir() else ()
