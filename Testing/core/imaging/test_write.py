"""Written NIfTI files hold what was given, appear whole or not at all, and need no second copy."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import HuArray, Provenance, Volume
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.progress import Progress, finish

Affine = npt.NDArray[np.float64]


def volume_of(hu: HuArray, affine: Affine) -> Volume:
    k, j, i = hu.shape
    return Volume(hu, Grid((k, j, i), affine), Provenance("made up", "phantom"))


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_what_is_written_is_read_again(
    tmp_path: Path, scan: npt.NDArray[np.int16], oblique: Affine, name: str, dtype: type
) -> None:
    hu = scan.astype(dtype) + (dtype(0.25) if dtype is np.float32 else dtype(0))
    write_nifti(volume_of(hu, oblique), tmp_path / name)
    again = finish(read_volume(tmp_path / name))
    assert again.hu.dtype == dtype
    assert np.array_equal(again.hu, hu)
    assert np.allclose(again.grid.affine, oblique, atol=1e-4)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_nibabel_and_simpleitk_see_the_same_scan(tmp_path: Path, scan: npt.NDArray[np.int16], oblique: Affine) -> None:
    write_nifti(volume_of(scan, oblique), tmp_path / "ct.nii.gz")
    image = nib.load(tmp_path / "ct.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj), scan.T)
    assert np.allclose(image.get_sform(), oblique, atol=1e-4)
    assert np.allclose(image.get_qform(), oblique, atol=1e-3)
    itk = SimpleITK.ReadImage(str(tmp_path / "ct.nii.gz"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(itk), scan)
    lps = np.array(itk.TransformIndexToPhysicalPoint((3, 5, 7)))
    assert np.allclose(lps * (-1, -1, 1), (oblique @ (3, 5, 7, 1))[:3], atol=1e-3)


def test_a_sheared_grid_is_kept(tmp_path: Path, scan: npt.NDArray[np.int16]) -> None:
    sheared = np.diag((2.0, 2.2, 2.5, 1.0))
    sheared[1, 2] = 0.5
    write_nifti(volume_of(scan, sheared), tmp_path / "ct.nii")
    assert np.allclose(finish(read_volume(tmp_path / "ct.nii")).grid.affine, sheared, atol=1e-5)


def test_label_values_are_written_as_they_are(tmp_path: Path, oblique: Affine) -> None:
    labels = np.random.default_rng(0).integers(0, 3, (9, 10, 11)).astype(np.uint8)
    masks = RegionMasks(
        labels,
        Grid((9, 10, 11), oblique),
        ("trachea", "heart"),
        "test",
        dict.fromkeys(REGION_IDS, Coverage.COMPLETE),
        {},
    )
    write_nifti(masks, tmp_path / "labels.nii.gz")
    assert np.array_equal(np.asarray(nib.load(tmp_path / "labels.nii.gz").dataobj), labels.T)


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path, scan: npt.NDArray[np.int16], oblique: Affine) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(volume_of(scan, oblique), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_stopping_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, scan: npt.NDArray[np.int16], oblique: Affine
) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.fraction > 0.4:
            raise Stop

    path = tmp_path / "ct.nii"
    path.write_bytes(b"old")
    with pytest.raises(Stop):
        write_nifti(volume_of(scan, oblique), path, watch=stop)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_needs_no_second_copy(tmp_path: Path) -> None:
    volume = volume_of(np.zeros((64, 512, 512), np.int16), np.diag((0.7, 0.7, 1.0, 1.0)))
    tracemalloc.start()
    try:
        write_nifti(volume, tmp_path / "ct.nii.gz")
        assert tracemalloc.get_traced_memory()[1] < volume.hu.nbytes / 4
    finally:
        tracemalloc.stop()


def test_another_file_ending_is_a_mistake_of_the_caller(
    tmp_path: Path, scan: npt.NDArray[np.int16], oblique: Affine
) -> None:
    with pytest.raises(ValueError, match=r"\.nii or \.nii\.gz"):
        write_nifti(volume_of(scan, oblique), tmp_path / "ct.nrrd")
    assert not list(tmp_path.iterdir())
