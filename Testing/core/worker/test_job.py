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
from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.mask_files import read_masks
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import finish
from RegionReportLib.report.report_file import REPORT_NAME
from RegionReportLib.report.store import view_draft
from RegionReportLib.worker.client import worker_command
from RegionReportLib.worker.messages import Drafted, ErrorKind, ScanArray, ScanFile, SentenceWritten, StageProgress
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan, masks_of

GRID = Grid((40, 56, 60), np.array([[-5, 0.4, 0, 150], [0.3, 5.5, 1, -160], [0, -0.6, 7.5, -250], [0, 0, 0, 1]]))
BLOCKS = {
    "lung_right": (slice(10, 34), slice(12, 44), slice(6, 22)),
    "lung_left": (slice(10, 34), slice(12, 44), slice(38, 54)),
    "trachea": (slice(26, 38), slice(24, 27), slice(29, 32)),
    "mediastinum": (slice(14, 38), slice(28, 34), slice(24, 36)),
    "heart_great_vessels": (slice(8, 22), slice(34, 46), slice(22, 34)),
    "bone": (slice(2, 39), slice(6, 11), slice(26, 34)),
    "upper_abdomen": (slice(1, 7), slice(14, 44), slice(12, 50)),
}


def chest() -> tuple[Volume, RegionMasks]:
    """A chest of blocks on an oblique, anisotropic, left-handed grid."""
    labels, hu = np.zeros(GRID.shape_kji, np.uint8), np.full(GRID.shape_kji, -1000, np.int16)
    hu[:, 4:-4, 3:-3] = 30
    for number, (name, where) in enumerate(BLOCKS.items(), start=1):
        labels[where] = number
        hu[where] = {"lung_right": -850, "lung_left": -850, "trachea": -1000, "bone": 500}.get(name, 50)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, GRID, tuple(BLOCKS), "blocks 1", coverage, {})
    return Volume(hu, GRID, Provenance("scene: CT of Müller", "scene")), masks


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
