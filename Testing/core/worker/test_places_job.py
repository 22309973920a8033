"""Places found by words in a real worker: the stand-in of VoxTell is its child, and the report stays as it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from RegionReportLib.anatomy.regions import Side
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish
from RegionReportLib.report.json_form import anchor_from_dict
from RegionReportLib.report.place import AnchorSource
from RegionReportLib.worker.client import worker_command
from RegionReportLib.worker.messages import ErrorKind, Failed, FindPlaces, JobCancelled, PlacesFound, ScanFile
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan

from voxtell_stand_in import GRID, LARGE, chest, report_folder, use_stand_in


def asked(worker: Any, folder: Path, *sentence_ids: str, **more: Any) -> list[Any]:
    start(worker, folder, *sentence_ids, **more)
    return worker.until(lambda told: bool(told) and isinstance(told[-1], PlacesFound | Failed | JobCancelled))  # type: ignore[no-any-return]


def start(worker: Any, folder: Path, *sentence_ids: str, **more: Any) -> None:
    worker.count += 1
    worker.client.start(FindPlaces(f"job{worker.count}", str(folder), sentence_ids, **more))


def test_affirmed_sentences_get_the_places_that_their_words_name(
    drive: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_in(tmp_path, monkeypatch)
    folder = report_folder(tmp_path)
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    worker = drive(worker_command(sys.executable))
    told = asked(worker, folder)
    last = told[-1]
    assert isinstance(last, PlacesFound), last
    assert [(one.sentence_id, one.phrase) for one in last.found] == [
        ("imported-001", "right nodule"),
        ("imported-003", "left nodule"),
    ]
    (anchor,) = (anchor_from_dict(one) for one in last.found[1].anchors)
    assert (anchor.source, anchor.place.side) == (AnchorSource.VOXTELL, Side.LEFT)
    own = GRID.box_of([s.start for s in LARGE], [s.stop for s in LARGE])
    assert np.allclose((anchor.place.box.min_mm, anchor.place.box.max_mm), (own.min_mm, own.max_mm), atol=1e-3)
    assert "the sentence says 9 mm" in anchor.note
    assert any("VoxTell: phrase 1 to 2 of 2" in getattr(one, "stage", "") for one in told)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before

    volume = finish(read_volume(tmp_path / "ct.nii.gz"))
    scan = finish(hand_over_scan(volume, tmp_path / "ct.npy"))
    given = finish(hand_over_masks(replace(chest()[1], grid=volume.grid), tmp_path / "masks.npy"))
    handed_over = asked(worker, folder, "imported-003", scan=scan, masks=given)[-1]
    assert handed_over.found == last.found[1:]
    moved = ScanFile(str((tmp_path / "ct.nii.gz").rename(tmp_path / "moved.nii.gz")))
    assert isinstance(asked(worker, folder, "imported-001", scan=moved)[-1], PlacesFound)


REFUSED, MISSING = ErrorKind.REFUSED, ErrorKind.NEED_MISSING


@pytest.mark.parametrize(
    ("act", "sentence_id", "expected"),
    [
        ("", "imported-002", (REFUSED, "affirms no finding")),
        ("", "s77", (REFUSED, "no sentence 's77'")),
        ("memory", "imported-001", (MISSING, "VoxTell: not enough memory on the GPU")),
        ("killed", "imported-001", (MISSING, "killed, most likely for want of memory")),
    ],
)
def test_each_failure_is_one_line(
    drive: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
    sentence_id: str,
    expected: Any,
) -> None:
    kind, why = expected
    use_stand_in(tmp_path, monkeypatch, act)
    last = asked(drive(worker_command(sys.executable)), report_folder(tmp_path), sentence_id)[-1]
    assert isinstance(last, Failed), last
    assert (last.kind, why in last.reason, "\n" in last.reason) == (kind, True, False), last.reason


def test_cancelling_ends_voxtell_too(
    drive: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_in(tmp_path, monkeypatch, "hang")
    folder = report_folder(tmp_path)
    worker = drive(worker_command(sys.executable), cancel_s=30.0)
    start(worker, folder)
    worker.until(lambda told: len(psutil.Process(worker.client.pid).children(recursive=True)) >= 2)
    family = psutil.Process(worker.client.pid).children(recursive=True)
    worker.client.cancel()
    told = worker.until(lambda told: bool(told) and isinstance(told[-1], Failed | JobCancelled))
    assert isinstance(told[-1], JobCancelled)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
