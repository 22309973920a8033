"""The record of a training: one JSON line for each step and each validation, cut back where a run is taken up again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..imaging.atomic import whole_file

LOG = "log.jsonl"


def append(folder: Path, line: dict[str, Any]) -> None:
    """Add a line."""
    with (folder / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the lines; one that was cut off by a crash is left out."""
    path = folder / LOG
    out = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            out.append(json.loads(line))
        except ValueError:
            continue
    return out


def cut_back(folder: Path, stage: int, step: int) -> None:
    """Forget what was recorded after `step` steps of stage number `stage`: it will be done again."""
    kept = [line for line in read(folder) if (line["stage_number"], line["step"]) <= (stage, step)]
    with whole_file(folder / LOG) as file:
        file.write("".join(json.dumps(line) + "\n" for line in kept).encode())
