"""Where models lie on this computer; no torch here, so that doors may ask."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "REGIONREPORT_MODELS"


def models_home() -> Path:
    """Return the folder that holds one folder for each model; it need not exist.

    The environment variable REGIONREPORT_MODELS decides, else the platform's place for the data of a user's programs.
    """
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "RegionReport" / "models"
