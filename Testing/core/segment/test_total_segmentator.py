"""TotalSegmentator as a child process: its labels become structures, its failures one line, its tree ends with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil
import pytest

from RegionReportLib.errors import NeedMissing
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import Progress, finish
from RegionReportLib.segment.total_segmentator import TotalSegmentator

FOREIGN = Path(__file__).parent / "foreign"
SHAPE = (20, 24, 30)  # k, j, i


@pytest.fixture
def scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Volume:
    """A scan on an oblique grid, and what the foreign program finds in it; all weights are there."""
    turn = np.array([[np.cos(0.2), -np.sin(0.2), 0], [np.sin(0.2), np.cos(0.2), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((-5.0, 5.5, 6.0))
    weights = tmp_path / "weights"
    for number in (291, 292, 293, 294, 295, 297, 298, 913, 343):
        (weights / f"Dataset{number:03d}_made_up").mkdir(parents=True)
    total = np.zeros(SHAPE, np.uint8)
    total[4:16, 6:18, 2:12] = 12
    total[4:16, 6:18, 18:28] = 10
    total[5:9, 8:12, 13:17] = 51
    total[17:19, 3:5, 3:5] = 86
    nodules = np.zeros(SHAPE, np.uint8)
    nodules[total > 0] = 1
    nodules[8:10, 9:11, 5:7] = 2
    cavities = np.full(SHAPE, 2, np.uint8)
    cavities[3:12, 7:14, 12:18] = 3
    for task, labels in (("total", total), ("lung_nodules", nodules), ("trunk_cavities", cavities)):
        nib.save(nib.Nifti1Image(labels.transpose(2, 1, 0), affine), weights / f"{task}.nii.gz")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(weights))
    monkeypatch.setenv("PYTHONPATH", str(FOREIGN))
    monkeypatch.syspath_prepend(str(FOREIGN))
    return Volume(np.full(SHAPE, -900, np.int16), Grid(SHAPE, affine), Provenance("made up", "test"))


def test_its_labels_become_our_structures_at_their_place(scan: Volume) -> None:
    told: list[Progress] = []
    masks = finish(TotalSegmentator().segment(scan), told.append)
    assert masks.method == "totalsegmentator"
    assert masks.structures == ("lung_upper_lobe_left", "lung_upper_lobe_right", "heart")
    assert masks.structure("heart").sum() == 4 * 4 * 4
    assert masks.structure("heart")[5, 8, 13]
    assert masks.grid == scan.grid
    stages = [one.stage for one in told]
    assert "TotalSegmentator, total: part 3 of 5" in stages
    assert [one.fraction for one in told] == sorted(one.fraction for one in told)


def test_further_tasks_add_lesions_over_organs_and_cavities_where_nothing_is(scan: Volume) -> None:
    masks = finish(TotalSegmentator(fast=True, extra=("lung_nodules", "trunk_cavities")).segment(scan))
    assert masks.structure("lung_nodule").sum() == 2 * 2 * 2
    assert not masks.structure("lung_upper_lobe_right")[8, 9, 5], "the nodule lies over its lobe"
    assert masks.structure("heart").sum() == 4 * 4 * 4, "the pericardium lies around the heart, not over it"
    assert masks.structure("pericardium").sum() == 9 * 7 * 6 - 4 * 4 * 4
    assert "lung_right" not in masks.structures


def test_a_further_task_that_finds_nothing_is_no_failure(scan: Volume, tmp_path: Path) -> None:
    path = tmp_path / "weights" / "lung_nodules.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine), path)
    masks = finish(TotalSegmentator(fast=True, extra=("lung_nodules",)).segment(scan))
    assert masks.structures == ("lung_upper_lobe_left", "lung_upper_lobe_right", "heart")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("memory", "TotalSegmentator: not enough memory on the GPU"),
        ("killed", "TotalSegmentator was killed, most likely for want of memory"),
        ("licence", "TotalSegmentator: this task needs a licence of its makers"),
        ("nothing", "said that it was done with total, but wrote no masks"),
    ],
)
def test_each_failure_is_one_line(scan: Volume, monkeypatch: pytest.MonkeyPatch, act: str, why: str) -> None:
    monkeypatch.setenv("ACT", act)
    with pytest.raises(NeedMissing, match=why) as failure:
        finish(TotalSegmentator().segment(scan))
    assert "\n" not in str(failure.value)


def test_missing_weights_are_named_before_anything_is_started(scan: Volume, tmp_path: Path) -> None:
    (tmp_path / "weights" / "Dataset293_made_up").rmdir()
    with pytest.raises(NeedMissing, match=r"weights of total are not in .*: totalseg_download_weights -t total"):
        next(TotalSegmentator().segment(scan))
    next(TotalSegmentator(fast=True).segment(scan))  # needs others


def test_a_python_without_it_says_so(scan: Volume, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)  # where ours finds it is none of another Python's business
    with pytest.raises(NeedMissing, match="pip install TotalSegmentator"):
        finish(TotalSegmentator(python=str(other)).segment(scan))
    with pytest.raises(NeedMissing, match="there is no Python at"):
        finish(TotalSegmentator(python=str(tmp_path / "nowhere")).segment(scan))


def test_cancelling_ends_it_with_all_that_it_started(scan: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACT", "hang")
    work = TotalSegmentator().segment(scan)
    me = psutil.Process()
    others = set(me.children(recursive=True))  # of tests that ran before in this process
    while len(family := set(me.children(recursive=True)) - others) < 2:  # it, and the one it starts
        next(work)
    work.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_a_licence_of_the_user_is_kept_and_statistics_are_not_sent(
    scan: Volume, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    own = {"license_number": "aca_123456789012", "send_usage_stats": True, "prediction_counter": 7}
    (home / "config.json").write_text(json.dumps(own))
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(home))
    finish(TotalSegmentator().segment(scan))  # the foreign program refuses to run with statistics on
    assert json.loads((home / "config.json").read_text()) == own


def test_a_task_under_another_licence_is_not_offered() -> None:
    with pytest.raises(ValueError, match="unknown task 'heartchambers_highres', known are lung_nodules"):
        TotalSegmentator(extra=("heartchambers_highres",))
