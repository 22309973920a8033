"""The real job in a real worker: scan and masks from the viewer's memory in, a whole report folder and labels out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from RegionReportLib import __version__
from RegionReportLib.imaging.mask_files import read_masks
from RegionReportLib.progress import finish
from RegionReportLib.report.report_file import REPORT_NAME
from RegionReportLib.report.store import view_draft
from RegionReportLib.worker.client import worker_command
from RegionReportLib.worker.messages import Drafted, ErrorKind, ScanArray, ScanFile, SentenceWritten, StageProgress
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan, masks_of

from .block_chest import chest


@pytest.fixture
def worker(drive: Callable[..., Any]) -> Any:
    return drive(worker_command(sys.executable))


def test_a_draft_in_the_worker_is_whole_and_its_labels_come_back(worker: Any, tmp_path: Path) -> None:
    volume, masks = chest()
    told = worker.finish(
        "classical",
        scan=finish(hand_over_scan(volume, tmp_path / "ct.npy")),
        masks=finish(hand_over_masks(masks, tmp_path / "given.npy")),
        labels=str(tmp_path / "labels.npy"),
    )
    drafted = told[-1]
    assert isinstance(drafted, Drafted), drafted
    assert {"report.json", "draft.json", "audit.jsonl", "report.txt", "report.html"} <= set(drafted.files)
    record = json.loads((Path(drafted.output) / "run.json").read_text(encoding="utf-8"))
    assert record["settings"]["input_digest"] == volume.digest()
    assert (record["settings"]["segmented_by"], record["settings"]["masks_given"]) == ("blocks 1", True)
    assert record["regionreport"] == __version__ and set(record["packages"]) >= {"numpy", "SimpleITK"}
    assert record["seconds"] == drafted.seconds and {"measure", "write", "export"} <= set(record["seconds"])
    kept = read_masks(Path(drafted.output), grid=volume.grid)
    assert set(kept.structures) == set(masks.structures)  # nothing is joined that the segmenter told apart
    assert set(drafted.files) == {path.name for path in Path(drafted.output).iterdir()}
    report = view_draft(Path(drafted.output)).report
    assert report.study.digest == volume.digest()
    assert report.segmenter == "blocks 1"
    written = [one.sentence["id"] for one in told if isinstance(one, SentenceWritten)]
    assert written == [sentence.id for sentence in report.sentences]
    assert len(written) > 5
    fractions = [one.fraction for one in told if isinstance(one, StageProgress)]
    assert fractions == sorted(fractions)
    there = masks_of(drafted.masks, volume.grid)
    assert np.array_equal(there.labels, masks.labels)
    assert there.structures == masks.structures


def test_an_existing_text_is_grounded_instead_of_drafted(worker: Any, tmp_path: Path) -> None:
    volume, masks = chest()
    told = worker.finish(
        "classical",
        scan=finish(hand_over_scan(volume, tmp_path / "ct.npy")),
        masks=finish(hand_over_masks(masks, tmp_path / "given.npy")),
        text="The heart is enlarged. There is a nodule in the left lung.",
    )
    report = view_draft(Path(told[-1].output)).report
    assert [sentence.text for sentence in report.sentences] == [
        "The heart is enlarged.",
        "There is a nodule in the left lung.",
    ]
    assert report.sentences[1].anchors[0].place.region_id == "lungs"


def test_a_scan_that_cannot_be_used_is_refused_and_leaves_nothing(worker: Any, tmp_path: Path) -> None:
    absent = worker.finish("classical", scan=ScanFile(str(tmp_path / "absent.nii")))[-1]
    assert absent.kind is ErrorKind.REFUSED
    assert "absent.nii" in absent.reason
    volume, _ = chest()
    handed = finish(hand_over_scan(volume, tmp_path / "ct.npy"))
    flat = replace(handed, affine=((0.0,) * 4,) * 4)
    assert isinstance(flat, ScanArray)
    assert worker.finish("classical", scan=flat)[-1].kind is ErrorKind.REFUSED
    assert {path.name for path in tmp_path.iterdir()} == {"ct.npy"}


def test_an_unknown_writer_is_an_error_with_its_name(worker: Any, tmp_path: Path) -> None:
    volume, _ = chest()
    failed = worker.finish("classical", scan=finish(hand_over_scan(volume, tmp_path / "ct.npy")), writer="poet")[-1]
    assert "poet" in failed.reason
    assert not (tmp_path / "job1" / REPORT_NAME).exists()
