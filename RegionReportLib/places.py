"""Where a user's programs keep their data on this computer, and the models among them. Nothing is made or opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path

MODELS_VARIABLE = "REGIONREPORT_MODELS"
"""Names another folder for models."""


def data_home() -> Path:
    """Return the platform's place for the data of this user's RegionReport; it need not exist."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "RegionReport"


def models_home() -> Path:
    """Return the folder that holds one folder for each model: that of the variable, else below `data_home`."""
    chosen = os.environ.get(MODELS_VARIABLE)
    return Path(chosen).expanduser() if chosen else data_home() / "models"
