"""A folder of DICOM slices becomes the volume it was cut from, or is refused with what is wrong with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless, generate_uid

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.read import list_series, read_volume
from RegionReportLib.progress import finish

Scan = npt.NDArray[np.int16]
Affine = npt.NDArray[np.float64]
Write = Callable[..., list[Path]]


def cause_of(path: Path, **keywords: Any) -> str:
    with pytest.raises(InputRefused) as refusal:
        finish(read_volume(path, **keywords))
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message


@pytest.fixture
def oblique_lps() -> Affine:
    """Right-handed, oblique, anisotropic, in LPS."""
    a, b = 0.3, 0.25
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tip @ np.diag((2.0, 2.2, 2.5))
    affine[:3, 3] = (-101.5, -88.25, -512.0)
    return affine


def test_slices_are_sorted_by_place_and_lie_where_dicom_says(
    tmp_path: Path, scan: Scan, oblique_lps: Affine, write_series: Write
) -> None:
    paths = write_series(tmp_path, scan, affine_lps=oblique_lps)
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, scan)
    assert volume.hu.dtype == np.int16
    # The third pixel of the second row of the fifth slice, by the formula of PS3.3 C.7.6.2.1.1.
    fifth = pydicom.dcmread(paths[4])
    row, column = np.array(fifth.ImageOrientationPatient).reshape(2, 3)
    lps = np.array(fifth.ImagePositionPatient) + row * fifth.PixelSpacing[1] * 2 + column * fifth.PixelSpacing[0] * 1
    assert np.allclose(volume.grid.to_ras((2, 1, 4)), lps * (-1, -1, 1), atol=1e-4)
    uids = [pydicom.dcmread(p).SOPInstanceUID for p in paths]
    source = volume.provenance.dicom
    assert source is not None
    assert list(source.instance_uids) == uids
    assert (source.patient_id, source.patient_name, source.series_description) == ("P-17", "Doe^Jane", "Thorax 2.5")
    assert source.accession_number == source.study_date == source.patient_birth_date == ""
    assert volume.provenance.notes == ()


def test_simpleitk_agrees_about_the_place_and_the_values(
    tmp_path: Path, scan: Scan, oblique_lps: Affine, write_series: Write
) -> None:
    write_series(tmp_path, scan, affine_lps=oblique_lps)
    volume = finish(read_volume(tmp_path))
    itk = SimpleITK.ReadImage(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    assert np.array_equal(SimpleITK.GetArrayFromImage(itk), volume.hu)
    for ijk in ((0, 0, 0), (39, 35, 29), (3, 30, 11)):
        lps = np.array(itk.TransformIndexToPhysicalPoint(ijk))
        assert np.allclose(volume.grid.to_ras(ijk), lps * (-1, -1, 1), atol=1e-3)


def test_slices_from_head_to_feet_give_the_same_places(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    """Rows that run the other way turn the normal, and with it the order of the slices."""
    turned = np.diag((2.0, -2.2, 2.5, 1.0))  # left-handed: slices are stored against their normal
    write_series(tmp_path, scan, affine_lps=turned)
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, scan[::-1])
    assert np.allclose(volume.grid.to_ras((1, 1, 0)), (-2.0, 2.2, 29 * 2.5))


def test_slope_and_intercept_of_each_slice_are_used(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    def change(image: FileDataset, k: int) -> None:
        image.RescaleSlope, image.RescaleIntercept = (1, -1024) if k % 2 else (2, -1500)
        hu = scan[k].astype(int) // 2 * 2
        image.PixelData = ((hu - image.RescaleIntercept) // int(image.RescaleSlope)).astype("<u2").tobytes()

    write_series(tmp_path, scan, change=change)
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, scan.astype(int) // 2 * 2)


def test_a_fractional_slope_gives_float32(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    write_series(tmp_path, scan, RescaleSlope="0.5", RescaleIntercept="-700.25")
    volume = finish(read_volume(tmp_path))
    assert volume.hu.dtype == np.float32
    assert np.allclose(volume.hu, (scan.astype(float) + 1024) * 0.5 - 700.25)


def test_signed_pixels_and_padding_are_read(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    padded = scan.copy()
    padded[:, :3, :3] = -2000

    def change(image: FileDataset, k: int) -> None:
        image.PixelRepresentation, image.RescaleIntercept = 1, 0
        image.PixelData = padded[k].astype("<i2").tobytes()
        image.add_new("PixelPaddingValue", "SS", -2000)

    write_series(tmp_path, scan, change=change)
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, padded)
    assert volume.outside_hu == -2000


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, RLELossless])
def test_other_transfer_syntaxes_are_decoded(tmp_path: Path, scan: Scan, write_series: Write, syntax: str) -> None:
    for k, path in enumerate(write_series(tmp_path, scan)):
        image = pydicom.dcmread(path)
        if syntax == RLELossless:
            image.compress(RLELossless)
            image.save_as(path)
        else:
            image.file_meta.TransferSyntaxUID = syntax
            image.PixelData = (scan[k].astype(int) + 1024).astype(">u2").tobytes()
            pydicom.dcmwrite(path, image, little_endian=False, implicit_vr=False)
    assert np.array_equal(finish(read_volume(tmp_path)).hu, scan)


def test_jpeg_2000_is_decoded(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    for path in write_series(tmp_path, scan):
        image = pydicom.dcmread(path)
        writer = SimpleITK.ImageFileWriter()
        writer.SetUseCompression(True)
        writer.SetFileName(str(tmp_path / "packed.dcm"))
        writer.Execute(SimpleITK.Cast(SimpleITK.ReadImage(str(path)), SimpleITK.sitkInt16))
        packed = pydicom.dcmread(tmp_path / "packed.dcm")
        assert packed.file_meta.TransferSyntaxUID in ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.70")
        image.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
        image.PixelRepresentation, image.RescaleIntercept = 1, 0
        image.PixelData = packed.PixelData
        image["PixelData"].is_undefined_length = True
        image.save_as(path)
    (tmp_path / "packed.dcm").unlink()
    assert np.array_equal(finish(read_volume(tmp_path)).hu, scan)


def test_a_tilted_gantry_gives_a_sheared_grid(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    tilted = np.diag((2.0, 2.2, 2.5, 1.0))
    tilted[1, 2] = 2.5 * np.tan(np.radians(12))
    write_series(tmp_path, scan, affine_lps=tilted)
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, scan)
    assert np.allclose(volume.grid.affine, np.diag((-1, -1, 1, 1)) @ tilted, atol=1e-5)
    assert volume.grid.voxel_ml == pytest.approx(2.0 * 2.2 * 2.5 / 1000)
    assert any("tilted by 12.0°" in note for note in volume.provenance.notes)


def test_localisers_captures_reports_and_copies_do_not_disturb(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    paths = write_series(tmp_path / "a", scan)
    write_series(tmp_path / "b", scan[:2], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_series(tmp_path / "c", scan[:1], SOPClassUID="1.2.840.10008.5.1.4.1.1.7", Modality="OT")
    shutil.copy(paths[3], tmp_path / "copy.dcm")
    (tmp_path / "notes.txt").write_text("not a scan")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"nonsense")
    volume = finish(read_volume(tmp_path))
    assert np.array_equal(volume.hu, scan)
    assert volume.provenance.notes == ("1 files that repeat a slice were left out.",)
    assert [s.slices for s in list_series(tmp_path)] == [31]


def test_several_series_are_listed_and_one_can_be_chosen(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    write_series(tmp_path, scan, SeriesDescription="Lung 2.5 B60")
    write_series(tmp_path, scan[:12] // 2, SeriesDescription="Recon 5.0 Bröd", SpecificCharacterSet="ISO_IR 192")
    write_series(tmp_path, scan[:3], SeriesDescription="Bolus")
    write_series(tmp_path, scan, SeriesDescription="T2", Modality="MR")
    found = list_series(tmp_path)
    assert {(s.description, s.modality, s.slices, s.rows, s.columns) for s in found} == {
        ("Lung 2.5 B60", "CT", 30, 36, 40),
        ("Recon 5.0 Bröd", "CT", 12, 36, 40),
        ("Bolus", "CT", 3, 36, 40),
        ("T2", "MR", 30, 36, 40),
    }
    message = cause_of(tmp_path)
    assert "2 CT series" in message
    assert "'Lung 2.5 B60' (CT, 30 slices of 40 × 36" in message
    assert "Bröd" in message
    lung = next(s for s in found if s.description == "Lung 2.5 B60")
    assert lung.series_uid in message
    assert np.array_equal(finish(read_volume(tmp_path, series_uid=lung.series_uid)).hu, scan)
    assert "has no series 1.2.3; it holds" in cause_of(tmp_path, series_uid="1.2.3")
    mr = next(s for s in found if s.modality == "MR")
    assert "modality MR, expected CT" in cause_of(tmp_path, series_uid=mr.series_uid)


def test_what_a_header_says_cannot_write_to_the_terminal(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    write_series(tmp_path, scan, SeriesDescription="\x1b[2Jboo")
    write_series(tmp_path, scan, SeriesDescription="second")
    message = cause_of(tmp_path)
    assert "\x1b" not in message
    assert "[2Jboo" in message


def test_a_single_file_stands_for_its_series(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    wanted = write_series(tmp_path, scan)[7]
    write_series(tmp_path, scan[:20], SeriesDescription="another")
    bare = tmp_path / "IM7"
    wanted.rename(bare)
    assert np.array_equal(finish(read_volume(bare)).hu, scan)


def test_folders_below_are_searched_and_names_beyond_ascii_work(
    tmp_path: Path, scan: Scan, write_series: Write
) -> None:
    write_series(tmp_path / "Jürgen" / "胸部", scan)
    assert np.array_equal(finish(read_volume(tmp_path)).hu, scan)


def test_missing_slices_are_named_by_their_position(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    paths = write_series(tmp_path, scan)
    for k in (5, 6, 20):
        paths[k].unlink()
    message = cause_of(tmp_path)
    assert "3 slices are missing, at 12.5, 15.0, 50.0 mm" in message
    assert "27 slices 2.50 mm apart" in message


def test_two_phases_in_one_series_are_refused(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    uid = generate_uid()
    write_series(tmp_path, scan, SeriesInstanceUID=uid)
    write_series(tmp_path, scan + np.int16(5), SeriesInstanceUID=uid)
    assert "30 of 60 slices lie at the position of another" in cause_of(tmp_path)


def odd(keyword: str, value: Any, at: int | None = 7) -> Callable[[FileDataset, int], None]:
    """Change one attribute of one slice, or of all."""

    def change(image: FileDataset, k: int) -> None:
        if at is None or k == at:
            if value is None:
                delattr(image, keyword)
            else:
                setattr(image, keyword, value)

    return change


def resized(image: FileDataset, k: int) -> None:
    if k == 7:
        image.Rows, image.Columns = 18, 80


def eight_bit(image: FileDataset, k: int) -> None:
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.PixelData = bytes(36 * 40)


def coloured(image: FileDataset, k: int) -> None:
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PlanarConfiguration = 3, "RGB", 0


def short(image: FileDataset, k: int) -> None:
    if k == 7:
        image.PixelData = image.PixelData[:-400]


def tilted_one(image: FileDataset, k: int) -> None:
    if k == 7:
        image.ImagePositionPatient = [0, 4.0, 7 * 2.5]


def uneven(image: FileDataset, k: int) -> None:
    image.ImagePositionPatient = [0, 0, 2.5 * k + (0.9 if k > 11 else 0)]


def not_encoded_here(image: FileDataset, k: int) -> None:
    image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    image.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
    image["PixelData"].is_undefined_length = True


def broken_jpeg(image: FileDataset, k: int) -> None:
    image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    image.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(60)])
    image["PixelData"].is_undefined_length = True


def unscaled(image: FileDataset, k: int) -> None:
    image.RescaleIntercept = 0


SPOILED: dict[str, tuple[Callable[[FileDataset, int], None], str]] = {
    "sizes": (resized, "mixes slices of different sizes"),
    "orientations": (odd("ImageOrientationPatient", [1, 0, 0, 0, 0, -1]), "mixes slices of different orientations"),
    "pixel spacings": (odd("PixelSpacing", [1, 1]), "mixes slices of different pixel spacings"),
    "no position": (odd("ImagePositionPatient", None), "no ImagePositionPatient"),
    "no orientation": (odd("ImageOrientationPatient", None, None), "no ImageOrientationPatient"),
    "no spacing": (odd("PixelSpacing", None, None), "no PixelSpacing"),
    "two numbers of position": (odd("ImagePositionPatient", [1, 2]), "damaged ImagePositionPatient"),
    "singular orientation": (odd("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], None), "singular"),
    "zero spacing": (odd("PixelSpacing", [0, 0], None), "spacing of zero"),
    "magnetic resonance": (odd("Modality", "MR", None), "holds no CT"),
    "only localisers": (odd("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"], None), "only localisers"),
    "enhanced": (odd("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2.1", None), "Enhanced CT Image Storage"),
    "multi-frame": (odd("NumberOfFrames", 3, None), "not a single-slice CT image"),
    "not in HU": (odd("RescaleType", "MGML", None), "MGML"),
    "slope zero": (odd("RescaleSlope", 0), "RescaleSlope of zero"),
    "without its rescale": (unscaled, "near +1024"),
    "8-bit": (eight_bit, "8-bit"),
    "colours": (coloured, "colours"),
    "short pixels": (short, "truncated or damaged"),
    "shifted": (tilted_one, "shifted against each other"),
    "uneven": (uneven, "distances of its slices vary from 2.50 to 3.40 mm"),
    "syntax": (not_encoded_here, "High-Throughput JPEG 2000"),
    "damaged JPEG 2000": (broken_jpeg, "truncated or damaged"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_series_is_refused_and_the_cause_is_named(kind: str, tmp_path: Path, scan: Scan, write_series: Write) -> None:
    change, cause = SPOILED[kind]
    write_series(tmp_path, scan, change=change)
    assert cause in cause_of(tmp_path)


def test_one_slice_is_no_volume(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    write_series(tmp_path, scan[:1])
    assert "only 1 slice" in cause_of(tmp_path)
    write_series(tmp_path / "more", scan[:4])
    assert "at least 8 slices" in cause_of(tmp_path / "more")


def test_a_truncated_or_damaged_file_is_named(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    paths = write_series(tmp_path, scan)
    whole = paths[9].read_bytes()
    paths[9].write_bytes(whole[:-700])
    assert "truncated" in cause_of(tmp_path)
    paths[9].write_bytes(whole[:300])
    assert "truncated" in cause_of(tmp_path) or "missing" in cause_of(tmp_path)


def test_an_index_of_a_medium_is_no_scan(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    (path,) = write_series(tmp_path, scan[:1])
    image = pydicom.dcmread(path)
    image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    image.save_as(tmp_path / "DICOMDIR")
    path.unlink()
    assert "an index or a report" in cause_of(tmp_path / "DICOMDIR")
    assert "no DICOM images" in cause_of(tmp_path)


def test_a_deflated_file_is_refused_before_it_is_unpacked(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    for path in write_series(tmp_path, scan[:2]):
        image = pydicom.dcmread(path)
        image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        image.save_as(path)
    assert "Deflated" in cause_of(tmp_path)


def test_a_file_far_larger_than_a_slice_is_not_loaded(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    paths = write_series(tmp_path, scan)
    with paths[2].open("ab") as file:
        file.truncate(3 * 2**30)
    assert "larger than one slice" in cause_of(tmp_path)


def test_noise_in_a_file_never_escapes_as_another_error(tmp_path: Path, scan: Scan, write_series: Write) -> None:
    paths = write_series(tmp_path, scan)
    good = paths[4].read_bytes()
    rng = np.random.default_rng(13)
    for _ in range(60):
        spoiled = bytearray(good)
        for at in rng.integers(132, 1100, 4):
            spoiled[at] = rng.integers(256)
        paths[4].write_bytes(bytes(spoiled))
        try:
            finish(read_volume(tmp_path))
        except InputRefused as refusal:
            assert "\n" not in str(refusal)
