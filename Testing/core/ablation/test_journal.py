"""Records in a folder: they come back as they were, a torn line spoils itself alone, another run is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.ablation.journal import ORDER, PATIENTS, Journal
from RegionReportLib.ablation.told import PatientRecord
from RegionReportLib.errors import InputRefused


def test_records_come_back_as_they_were_lowest_seed_first(tmp_path: Path, records: list[PatientRecord]) -> None:
    journal = Journal(tmp_path)
    for record in reversed(records):
        journal.append(record)
    assert list(journal.records().values()) == records
    assert Journal(tmp_path / "nowhere").records() == {}


def test_a_line_that_was_cut_off_is_left_out_and_the_next_one_is_whole(
    tmp_path: Path, records: list[PatientRecord]
) -> None:
    journal = Journal(tmp_path)
    journal.append(records[0])
    path = tmp_path / PATIENTS
    path.write_bytes(path.read_bytes()[:-40])
    assert journal.records() == {}
    journal.append(records[1])
    assert list(journal.records()) == [8]
    journal.append(records[0])
    assert list(journal.records().values()) == records


def test_a_folder_belongs_to_one_ablation(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new")
    journal.open({"model": "abc", "rows": ["all"]})
    journal.open({"model": "abc", "rows": ["all"]})
    with pytest.raises(InputRefused, match="another model: choose another"):
        journal.open({"model": "def", "rows": ["all"]})
    assert json.loads((tmp_path / "new" / ORDER).read_text())["model"] == "abc"
    (tmp_path / "new" / ORDER).write_text("{")
    with pytest.raises(InputRefused, match="is not JSON"):
        journal.open({"model": "abc", "rows": ["all"]})
