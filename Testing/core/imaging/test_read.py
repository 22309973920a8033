"""The same scan, stored in many ways, is the same volume."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.progress import Progress, finish

Affine = npt.NDArray[np.float64]
Scan = npt.NDArray[np.int16]


def save_nifti(path: Path, hu: npt.NDArray[Any], affine: Affine, *, order: str = "<", codes: str = "sq") -> Path:
    """Store by nibabel; `hu` is (k, j, i)."""
    image = nib.Nifti1Image(hu.T, affine, header=nib.Nifti1Header(endianness=order))
    image.set_data_dtype(hu.dtype)
    image.set_sform(affine, 1 if "s" in codes else 0)
    image.set_qform(affine, 1 if "q" in codes else 0)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def save_itk(path: Path, hu: npt.NDArray[Any], affine: Affine, *, compress: bool = False) -> Path:
    image = SimpleITK.GetImageFromArray(hu)
    lps = np.diag((-1, -1, 1)) @ affine[:3]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:, :3] / spacing).reshape(-1).tolist())
    image.SetOrigin(lps[:, 3].tolist())
    SimpleITK.WriteImage(image, str(path), compress)
    return path


def hu_at(volume: Volume, places: npt.NDArray[np.float64]) -> list[float]:
    found = [volume.grid.index_at(place) for place in places]
    assert None not in found
    return [float(volume.hu[index]) for index in found if index is not None]


@pytest.fixture(scope="module")
def expected(scan: Scan, oblique: Affine, places: npt.NDArray[np.float64]) -> list[float]:
    """What the scan holds at the places, by a plain inverse of the affine."""
    ijk = np.rint(np.linalg.inv(oblique) @ np.c_[places, np.ones(len(places))].T).astype(int)[:3]
    return [float(v) for v in scan[ijk[2], ijk[1], ijk[0]]]


ORIENTATIONS = ["RAS", "LPS", "LPI", "AIL", "SRP", "PIR", "IAL"]


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_a_nifti_file_in_any_orientation_has_the_same_values_at_the_same_places(
    tmp_path: Path, scan: Scan, oblique: Affine, places: npt.NDArray[np.float64], expected: list[float], axes: str
) -> None:
    image = nib.Nifti1Image(scan.T, oblique)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(oblique), nib.orientations.axcodes2ornt(tuple(axes))
    )
    turned = image.as_reoriented(turn)
    turned.set_sform(turned.affine, 1)
    nib.save(turned, tmp_path / "ct.nii.gz")
    volume = finish(read_volume(tmp_path / "ct.nii.gz"))
    assert volume.hu.shape == turned.shape[::-1], "file order is kept"
    assert hu_at(volume, places) == expected


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["i2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_byte_order_and_number_type_do_not_matter_and_whole_values_stay_int16(
    tmp_path: Path, scan: Scan, oblique: Affine, order: str, dtype: str, ending: str
) -> None:
    path = save_nifti(tmp_path / f"ct{ending}", scan.astype(dtype), oblique, order=order)
    volume = finish(read_volume(path))
    assert volume.hu.dtype == np.int16
    assert np.array_equal(volume.hu, scan)
    assert np.allclose(volume.grid.affine, oblique, atol=1e-4)
    assert volume.outside_hu is None
    assert volume.provenance.kind == "nifti"


@pytest.mark.parametrize(
    "stored_as",
    [("u2", 1, -1024, np.int16), ("i2", 0.5, 0, np.float32), ("i2", 2, -1000, np.int16), ("i4", 0.1, -500, np.float32)],
)
def test_slope_and_intercept_are_applied(
    tmp_path: Path, scan: Scan, oblique: Affine, stored_as: tuple[str, float, float, type]
) -> None:
    dtype, slope, intercept, kept = stored_as
    stored = np.round((scan.astype(float) - intercept) / slope).astype(dtype)
    stored[5:7] += 1  # no multiple of 1/slope
    path = save_nifti(tmp_path / "ct.nii", stored, oblique)
    with path.open("r+b") as file:
        file.seek(112)
        file.write(np.array([slope, intercept], "<f4").tobytes())
    volume = finish(read_volume(path))
    assert volume.hu.dtype == kept
    assert np.allclose(volume.hu, stored.astype(float) * slope + intercept, atol=1e-3)


def test_half_units_make_the_volume_float32_even_if_they_come_late(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    hu = scan.astype(np.float32)
    hu[-1, -1, -1] = -999.5
    volume = finish(read_volume(save_nifti(tmp_path / "ct.nii.gz", hu, oblique)))
    assert volume.hu.dtype == np.float32
    assert np.array_equal(volume.hu, hu)


def test_late_half_units_keep_the_slabs_before_them(tmp_path: Path) -> None:
    hu = np.full((70, 256, 512), -1000, np.float32)  # five slabs of 8 MiB
    hu[:, 60:200, 100:400] = 40
    hu[:, :, 17] = np.arange(70)[:, None]
    hu[60, 5, 5] = 0.25
    hu[:20, :60, :60] = -2048
    volume = finish(read_volume(save_nifti(tmp_path / "ct.nii", hu, np.diag((0.7, 0.7, 2.0, 1.0)))))
    assert np.array_equal(volume.hu, hu)
    assert volume.outside_hu == -2048, "the extremes of all slabs count"


@pytest.mark.parametrize("codes", ["s", "q", "sq"])
def test_sform_and_qform_are_chosen_as_nibabel_does(tmp_path: Path, scan: Scan, oblique: Affine, codes: str) -> None:
    path = save_nifti(tmp_path / "ct.nii", scan, oblique, codes=codes)
    volume = finish(read_volume(path))
    assert np.allclose(volume.grid.affine, nib.load(path).affine, atol=1e-5)
    assert np.allclose(volume.grid.affine, oblique, atol=1e-3)


def test_a_nifti_2_file_is_read(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    image = nib.Nifti2Image(scan.T, oblique)
    nib.save(image, tmp_path / "ct.nii.gz")
    volume = finish(read_volume(tmp_path / "ct.nii.gz"))
    assert np.array_equal(volume.hu, scan)
    assert np.allclose(volume.grid.affine, oblique)


@pytest.mark.parametrize("ending", [".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_files_of_itk_lie_where_itk_says(
    tmp_path: Path, scan: Scan, oblique: Affine, ending: str, compress: bool, dtype: type
) -> None:
    volume = finish(read_volume(save_itk(tmp_path / f"ct{ending}", scan.astype(dtype), oblique, compress=compress)))
    assert np.array_equal(volume.hu, scan)
    assert np.allclose(volume.grid.affine, oblique, atol=1e-9)
    assert volume.provenance.kind == ("nrrd" if "n" in ending else "metaimage")


def test_nrrd_in_ras_and_big_endian_is_read(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    columns = [" (" + ",".join(repr(float(x)) for x in column) + ")" for column in oblique[:3].T]
    header = (
        "NRRD0005\n# made by hand\ntype: int16\ndimension: 3\nspace: right-anterior-superior\nsizes: 40 36 30\n"
        f"space directions:{''.join(columns[:3])}\nkinds: domain domain domain\nendian: big\nencoding: gzip\n"
        f"space origin:{columns[3]}\nsome_key:=some value: with a colon\n\n"
    )
    path = tmp_path / "ct.nrrd"
    path.write_bytes(header.encode() + gzip.compress(scan.astype(">i2").tobytes()))
    volume = finish(read_volume(path))
    assert np.array_equal(volume.hu, scan)
    assert np.allclose(volume.grid.affine, oblique)


def test_big_endian_metaimage_is_read(tmp_path: Path, scan: Scan) -> None:
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = True\nCompressedData = False\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 5 6 7\nElementSpacing = 2 2.2 2.5\nDimSize = 40 36 30\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    path = tmp_path / "ct.mha"
    path.write_bytes(header.encode() + scan.astype(">i2").tobytes())
    volume = finish(read_volume(path))
    assert np.array_equal(volume.hu, scan)
    assert volume.grid.to_ras((0, 0, 0)).tolist() == [-5, -6, 7]
    assert np.allclose(volume.grid.to_ras((1, 1, 1)), (-7, -8.2, 9.5))


def test_names_beyond_ascii_work_in_every_format(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    folder = tmp_path / "Röntgen 胸部 données"
    folder.mkdir()
    for name in ("Müller.nii.gz", "Müller.nrrd", "Müller.mha"):
        save = save_nifti if name.endswith("gz") else save_itk
        assert np.array_equal(finish(read_volume(save(folder / name, scan, oblique))).hu, scan)


@pytest.mark.parametrize("padding", [-2048, -3024, -2000, -32768])
def test_padding_outside_the_scan_circle_is_recognised_and_left(
    tmp_path: Path, scan: Scan, oblique: Affine, padding: int
) -> None:
    hu = scan.copy()
    hu[:, :4, :4] = padding
    volume = finish(read_volume(save_nifti(tmp_path / "ct.nii", hu, oblique)))
    assert volume.outside_hu == padding
    assert np.array_equal(volume.hu, hu)


def test_a_few_odd_values_are_no_padding(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    hu = scan.copy()
    hu[0, 0, 0] = -1900
    hu[3, 3, 3:9] = 30000  # metal
    volume = finish(read_volume(save_nifti(tmp_path / "ct.nii", hu, oblique)))
    assert volume.outside_hu is None


def test_reading_a_gzipped_scan_needs_its_own_size_and_a_little_more(tmp_path: Path) -> None:
    hu = np.full((160, 512, 512), -1000, np.int16)
    hu[:, 100:400, 100:400] = np.random.default_rng(1).integers(20, 60, (300, 300))
    path = save_nifti(tmp_path / "ct.nii.gz", hu, np.diag((0.7, 0.7, 1.5, 1.0)))
    size = hu.nbytes
    del hu
    tracemalloc.start()
    try:
        volume = finish(read_volume(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert volume.hu.nbytes == size
    assert peak < size + 40e6


def test_reading_tells_its_progress_and_can_be_cancelled(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    path = save_nifti(tmp_path / "ct.nii.gz", scan, oblique)
    seen: list[Progress] = []
    finish(read_volume(path), seen.append)
    assert seen
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    work = read_volume(path)
    next(work)
    work.close()


def test_a_slip_in_the_unit_code_is_noted(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    path = save_nifti(tmp_path / "ct.nii", scan, oblique)
    with path.open("r+b") as file:
        file.seek(123)
        file.write(b"\x03")
    assert any("another unit" in note for note in finish(read_volume(path)).provenance.notes)


def test_a_sform_that_differs_from_the_qform_is_used_and_noted(tmp_path: Path, scan: Scan, oblique: Affine) -> None:
    image = nib.Nifti1Image(scan.T, oblique)
    moved = oblique.copy()
    moved[:3, 3] += 9
    image.set_qform(moved, 1)
    image.set_sform(oblique, 1)
    nib.save(image, tmp_path / "ct.nii")
    volume = finish(read_volume(tmp_path / "ct.nii"))
    assert np.allclose(volume.grid.affine, oblique, atol=1e-4)
    assert any("sform" in note for note in volume.provenance.notes)
