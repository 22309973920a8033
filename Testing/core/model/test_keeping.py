"""Models whose files lie in folders: taken from the user, removed, and nothing else removed with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.model.catalogue import KnownModel, Source
from RegionReportLib.model.digests import read_record
from RegionReportLib.model.keeping import remove, take
from RegionReportLib.progress import finish

FILES = {"configs/words.json": b"words", "models/weights.bin": b"weights"}
NESTED = KnownModel("nested", "Files in folders", "none", (Source("open/nested", tuple(FILES), "MIT"),), 0.1)


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder, its files taken from a folder of the user."""
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "models"))
    for name, content in FILES.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True)
        (tmp_path / "own" / name).write_bytes(content)
    return finish(take(NESTED, tmp_path / "own"))


def test_files_in_folders_are_taken_and_recorded(taken: Path) -> None:
    assert {name: (taken / name).read_bytes() for name in FILES} == FILES
    assert set(read_record(taken)) == set(FILES)


def test_what_is_not_ours_stays(taken: Path) -> None:
    (taken / "models/mine.txt").write_text("mine")
    assert remove(NESTED) >= sum(len(content) for content in FILES.values())
    assert sorted(f.name for f in taken.rglob("*")) == ["mine.txt", "models"]


def test_a_record_cannot_have_files_elsewhere_deleted(taken: Path) -> None:
    outside = taken.parent / "precious.bin"
    outside.write_bytes(b"precious")
    entry = {"sha256": "0", "stamp": [0, 0]}
    names = {"../precious.bin": entry, str(outside): entry}
    (taken / "regionreport-model.json").write_text(json.dumps({"files": names}))
    remove(NESTED)
    assert outside.read_bytes() == b"precious"
    assert not taken.exists()
