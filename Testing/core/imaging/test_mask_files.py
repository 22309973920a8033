"""The masks of a draft folder: regions for everyone, structures where more is known, and what a reader edited."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.mask_files import MASKS_NAME, STRUCTURES_NAME, copy_masks, read_masks, write_masks
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.seg_nrrd import write_segmentation

FINE = ("lung_right", "lung_left", "trachea", "main_bronchi", "aorta", "heart")


def masks(oblique: npt.NDArray[np.float64], *structures: str) -> RegionMasks:
    """Slabs of two slices, one for each structure."""
    labels = np.zeros((14, 6, 5), np.uint8)
    for n in range(len(structures)):
        labels[2 * n : 2 * n + 2, 1:5, 1:4] = n + 1
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    return RegionMasks(labels, Grid((14, 6, 5), oblique), structures, "test", coverage, {})


def segment_ids(path: Path) -> set[str]:
    return set(re.findall(r"^Segment\d+_ID:=(.+)$", path.read_bytes().split(b"\n\n")[0].decode(), re.MULTILINE))


def test_segments_have_the_ids_of_regions_whatever_is_told_apart(
    tmp_path: Path, oblique: npt.NDArray[np.float64]
) -> None:
    write_masks(masks(oblique, *FINE), tmp_path)
    assert segment_ids(tmp_path / MASKS_NAME) == {"lung_right", "lung_left", "airways", "heart_great_vessels"}
    assert segment_ids(tmp_path / STRUCTURES_NAME) == set(FINE)


def test_what_was_told_apart_comes_back(tmp_path: Path, oblique: npt.NDArray[np.float64]) -> None:
    written = masks(oblique, *FINE)
    write_masks(written, tmp_path)
    (tmp_path / "copy").mkdir()
    copy_masks(tmp_path, tmp_path / "copy")
    read = read_masks(tmp_path / "copy", grid=written.grid)
    assert set(read.structures) == set(FINE)
    for name in FINE:
        assert np.array_equal(read.structure(name), written.structure(name))


def test_no_second_file_where_nothing_more_is_known(tmp_path: Path, oblique: npt.NDArray[np.float64]) -> None:
    write_masks(masks(oblique, *FINE), tmp_path)
    write_masks(masks(oblique, "lung_right", "lung_left", "mediastinum", "bone"), tmp_path)
    assert not (tmp_path / STRUCTURES_NAME).exists(), "nor does an old one stay"
    assert read_masks(tmp_path).structures == ("lung_right", "lung_left", "mediastinum", "bone")


@pytest.mark.parametrize("change", ["moved to another region", "removed", "other lung"])
def test_regions_that_a_reader_edited_count(tmp_path: Path, oblique: npt.NDArray[np.float64], change: str) -> None:
    written = masks(oblique, *FINE)
    write_masks(written, tmp_path)
    labels = np.array(written.labels)
    labels[5, 2, 2] = {"moved to another region": 6, "removed": 0, "other lung": 3}[change]
    if change == "other lung":
        labels[0, 2, 2] = 2
    edited = RegionMasks(labels, written.grid, FINE, "reader", written.coverage, {})
    write_segmentation(edited, tmp_path / MASKS_NAME)
    read = read_masks(tmp_path, grid=written.grid)
    assert read.region("airways")[5, 2, 2] == (change == "other lung")
    assert read.structure("lung_left")[0, 2, 2] == (change == "other lung")
    assert "trachea" not in read.structures
