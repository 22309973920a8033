"""Scans and masks that cross the border are the same on the other side."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import DicomSource, Provenance, Volume
from RegionReportLib.progress import finish
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan, masks_of, scan_of

# Oblique, anisotropic, left-handed.
AFFINE = np.array([[0.6, 0.1, 0.0, -120.5], [-0.1, 0.7, 0.3, 33.25], [0.05, -0.2, -2.5, 11.0], [0, 0, 0, 1]])
GRID = Grid((3, 4, 5), AFFINE)


def scan(dtype: str) -> Volume:
    hu = np.arange(60, dtype=dtype).reshape(3, 4, 5) - 1000
    dicom = DicomSource("1.2", "1.3", "1.4", ("1.5", "1.6", "1.7"), patient_name="Müller^Ä")
    return Volume(hu.astype(dtype), GRID, Provenance("scene: CT", "scene", dicom, ("a note",)), -2048.0)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_a_scan_is_the_same_on_the_other_side(tmp_path: Path, dtype: str) -> None:
    volume = scan(dtype)
    there = scan_of(finish(hand_over_scan(volume, tmp_path / "ct.npy")))
    assert there.digest() == volume.digest()
    assert np.array_equal(there.hu, volume.hu)
    assert there.grid == volume.grid
    assert there.provenance == volume.provenance
    assert there.outside_hu == -2048.0


def test_masks_are_the_same_on_the_other_side(tmp_path: Path) -> None:
    labels = (np.arange(60).reshape(3, 4, 5) % 3).astype(np.uint8)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, GRID, ("heart", "aorta"), "by hand", coverage, {"bones": "cut"})
    there = masks_of(finish(hand_over_masks(masks, tmp_path / "m.npy")), GRID)
    assert np.array_equal(there.labels, labels)
    assert (there.structures, there.method) == (masks.structures, masks.method)
    assert (there.coverage, there.coverage_notes) == (coverage, {"bones": "cut"})


def test_writing_shows_progress_and_a_closed_one_leaves_no_file(tmp_path: Path) -> None:
    work = hand_over_scan(scan("int16"), tmp_path / "ct.npy")
    assert next(work).fraction == 0.0
    assert next(work).fraction > 0.0
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_an_array_that_is_not_the_described_one_is_refused(tmp_path: Path) -> None:
    told = finish(hand_over_scan(scan("int16"), tmp_path / "ct.npy"))
    np.save(tmp_path / "flat.npy", np.zeros((3, 4), np.int16))
    np.save(tmp_path / "wide.npy", np.zeros((3, 4, 5), np.int64))
    np.save(tmp_path / "objects.npy", np.array([[[{}]]], dtype=object), allow_pickle=True)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "ct.npy").read_bytes()[:-10])
    for name in ("flat.npy", "wide.npy", "objects.npy", "cut.npy", "absent.npy"):
        with pytest.raises(InputRefused, match=name):
            scan_of(replace(told, array=str(tmp_path / name)))


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    masks = RegionMasks(
        np.zeros((3, 4, 5), np.uint8), GRID, ("heart",), "m", dict.fromkeys(REGION_IDS, Coverage.ABSENT), {}
    )
    told = finish(hand_over_masks(masks, tmp_path / "m.npy"))
    with pytest.raises(InputRefused, match="fit"):
        masks_of(told, Grid((3, 4, 6), AFFINE))


def test_the_viewers_side_loads_no_imaging_library() -> None:
    heavy = "('numpy', 'scipy', 'SimpleITK', 'nibabel', 'pydicom', 'torch', 'vtk', 'slicer')"
    code = f"import sys, RegionReportLib.worker.client; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
