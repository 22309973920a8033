"""The records of a run in its folder, one line for each patient, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused
from ..imaging.atomic import whole_file
from .told import PatientRecord

ORDER, PATIENTS = "order.json", "patients.jsonl"


@dataclass(frozen=True, slots=True)
class Journal:
    """The records in `folder`."""

    folder: Path

    def open(self, order: Mapping[str, Any]) -> None:
        """Begin a run, or take up the one that is there; InputRefused if that one is of another `order`."""
        path = self.folder / ORDER
        if path.exists():
            try:
                known = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as cause:
                raise InputRefused(f"{path} is not JSON: {cause}") from cause
            other = sorted(name for name in {*known, *order} if known.get(name) != order.get(name))
            if other:
                raise InputRefused(f"{self.folder} holds an ablation with another {', '.join(other)}: choose another")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write((json.dumps(dict(order), indent=1) + "\n").encode())

    def append(self, record: PatientRecord) -> None:
        """Add a patient."""
        path = self.folder / PATIENTS
        line = json.dumps(record.to_dict(), ensure_ascii=False) + "\n"
        # A line that a crash cut off is ended first, so that it spoils itself alone.
        torn = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" + line if torn else line)

    def records(self) -> dict[int, PatientRecord]:
        """Return the patients by seed, lowest first; a line that was cut off is left out."""
        path, found = self.folder / PATIENTS, {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                record = PatientRecord.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
            found[record.seed] = record
        return dict(sorted(found.items()))
