"""Files that are damaged, foreign or in doubt are each refused in one line that names the cause."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish

Scan = npt.NDArray[np.int16]
GRID = np.diag((-2.0, -2.2, 2.5, 1.0))
SIZE = (40, 36, 30)


def cause_of(path: Path) -> str:
    """Read `path`, which must be refused in one line that begins with the file, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(InputRefused) as refusal:
            finish(read_volume(path))
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    message = str(refusal.value)
    assert "\n" not in message
    assert "Traceback" not in message
    assert len(message) < 600
    return message


def nifti(hu: npt.NDArray[Any], affine: npt.NDArray[np.float64] = GRID, **fields: Any) -> bytes:
    """A NIfTI-1 file; `hu` is (k, j, i), `fields` overwrite header fields without a check."""
    image = nib.Nifti1Image(hu.T, affine, dtype=hu.dtype)
    image.set_sform(affine, 1)
    image.set_qform(affine, 0)
    header = bytearray(image.to_bytes())
    view = np.ndarray((), nib.Nifti1Header().template_dtype, header)
    for name, value in fields.items():
        view[name] = value
    return bytes(header)


def nrrd(hu: npt.NDArray[Any], packed: bytes | None = None, **fields: str | None) -> bytes:
    lines = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "40 36 30",
        "space_directions": "(2,0,0) (0,2.2,0) (0,0,2.5)",
        "endian": "little",
        "encoding": "raw",
        "space_origin": "(0,0,0)",
    } | fields
    text = "".join(f"{name.replace('_', ' ')}: {value}\n" for name, value in lines.items() if value is not None)
    return b"NRRD0004\n" + text.encode() + b"\n" + (hu.astype("<i2").tobytes() if packed is None else packed)


def mha(hu: npt.NDArray[Any], packed: bytes | None = None, **fields: str | None) -> bytes:
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0",
        "ElementSpacing": "2 2.2 2.5",
        "DimSize": "40 36 30",
        "ElementType": "MET_SHORT",
    } | fields
    last = lines.pop("ElementDataFile", "LOCAL")
    text = "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None)
    return f"{text}ElementDataFile = {last}\n".encode() + (hu.astype("<i2").tobytes() if packed is None else packed)


def scaled(*spacing: float) -> npt.NDArray[np.float64]:
    return np.diag((*spacing, 1.0))


def with_crc_broken(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 0xFF]) + packed[-7:]


def with_byte_flipped(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]


def skewed() -> npt.NDArray[np.float64]:
    affine = GRID.copy()
    affine[0, 1] = 6.0
    return affine


def flat() -> npt.NDArray[np.float64]:
    affine = GRID.copy()
    affine[:3, 1] = affine[:3, 0]
    return affine


def contradicting(hu: Scan) -> bytes:
    image = nib.Nifti1Image(hu.T, GRID)
    image.set_sform(GRID, 1)
    image.set_qform(np.diag((2.0, -2.2, 2.5, 1.0)), 1)
    return image.to_bytes()


def with_nan(hu: Scan) -> npt.NDArray[np.float32]:
    spoiled = hu.astype(np.float32)
    spoiled[20, 3, 3] = np.nan
    return spoiled


def with_inf(hu: Scan) -> npt.NDArray[np.float64]:
    spoiled = hu.astype(np.float64)
    spoiled[20, 3, 3] = -np.inf
    return spoiled


def like_mr(shape: tuple[int, ...]) -> npt.NDArray[np.int16]:
    """Background near 0, tissue spread broadly, no negative values."""
    rng = np.random.default_rng(2)
    _, j, i = np.indices(shape)
    inside = ((i - 20) / 17) ** 2 + ((j - 18) / 14) ** 2 < 1
    return np.where(inside, rng.gamma(6, 110, shape), rng.gamma(1, 12, shape)).astype(np.int16)


def rgb(hu: Scan) -> bytes:
    voxels = np.zeros(hu.T.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    image = nib.Nifti1Image(voxels, GRID)
    image.set_sform(GRID, 1)
    return image.to_bytes()


Make = Callable[[Scan], bytes]
KINDS: dict[str, tuple[str, Make, str]] = {
    # what is in no format at all
    "empty file": ("ct.nii.gz", lambda hu: b"", "empty"),
    "unknown ending": ("ct.png", lambda hu: b"\x89PNG" * 99, "neither DICOM nor one of .nii"),
    "no ending": ("ct", lambda hu: b"x" * 999, "neither DICOM nor one of .nii"),
    "numpy file": ("ct.npy", lambda hu: b"\x93NUMPY" + bytes(999), "neither DICOM"),
    "text as nifti": ("ct.nii", lambda hu: b"hello world " * 99, "not a NIfTI file"),
    "pickle as nifti": ("ct.nii", lambda hu: pickle.dumps(hu), "not a NIfTI file"),
    "picture as nifti.gz": ("ct.nii.gz", lambda hu: gzip.compress(b"\x89PNG" * 999), "not a NIfTI file"),
    "text as nrrd": ("ct.nrrd", lambda hu: b"hello world " * 99, "not an NRRD file"),
    "binary as mha": ("ct.mha", lambda hu: bytes(range(256)) * 40, "not a MetaImage"),
    "nrrd as mha": ("ct.mha", nrrd, "not a MetaImage"),
    "hdr/img pair": ("ct.nii", lambda hu: nifti(hu, magic=b"ni1"), "two-file NIfTI"),
    # truncated, damaged
    "nifti cut in its header": ("ct.nii", lambda hu: nifti(hu)[:200], "truncated"),
    "nifti cut": ("ct.nii", lambda hu: nifti(hu)[:-5000], "truncated: 81.4 kB of the 86.4 kB that"),
    "gz cut": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu))[:-9000], "truncated"),
    "gz cut in the header": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu))[:30], "truncated"),
    "gz without its last bytes": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu))[:-4], "truncated"),
    "gz with a wrong check sum": ("ct.nii.gz", lambda hu: with_crc_broken(gzip.compress(nifti(hu))), "damaged"),
    "gz with a flipped byte": ("ct.nii.gz", lambda hu: with_byte_flipped(gzip.compress(nifti(hu))), "damaged"),
    "gz around a short file": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu)[:-5000]), "truncated"),
    "gz around a long file": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu) + bytes(9000)), "more voxels than"),
    "longer than its header": ("ct.nii", lambda hu: nifti(hu) + bytes(9000), "claims only"),
    "nrrd cut": ("ct.nrrd", lambda hu: nrrd(hu)[:-2], "truncated"),
    "nrrd without end of header": ("ct.nrrd", lambda hu: nrrd(hu, b"")[:60], "has no end"),
    "nrrd gz cut": ("ct.nrrd", lambda hu: nrrd(hu, gzip.compress(hu.tobytes())[:-9], encoding="gzip"), "truncated"),
    "mha cut": ("ct.mha", lambda hu: mha(hu)[:-2], "truncated"),
    "mha zlib cut": (
        "ct.mha",
        lambda hu: mha(hu, gzip.compress(hu.tobytes())[:-9], CompressedData="True"),
        "truncated",
    ),
    "mha zlib damaged": (
        "ct.mha",
        lambda hu: mha(hu, with_crc_broken(gzip.compress(hu.tobytes())), CompressedData="True"),
        "damaged",
    ),
    "mha without data": ("ct.mha", lambda hu: mha(hu, b"", CompressedData="True"), "no voxels behind"),
    # hostile or damaged headers
    "claims 30000 cubed": ("ct.nii", lambda hu: nifti(hu, dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]), "too large"),
    "claims 30000 cubed, small voxels": (
        "ct.nrrd",
        lambda hu: nrrd(
            hu,
            gzip.compress(hu.tobytes()),
            sizes="20000 20000 20000",
            encoding="gzip",
            space_directions="(.1,0,0) (0,.1,0) (0,0,.1)",
        ),
        "no scan packs",
    ),
    "bomb": (
        "ct.nii.gz",
        lambda hu: gzip.compress(nifti(hu, dim=[3, 1024, 1024, 900, 1, 1, 1, 1]) + bytes(2**26)),
        "no scan packs",
    ),
    "negative size": ("ct.nii", lambda hu: nifti(hu, dim=[3, -40, 36, 30, 1, 1, 1, 1]), "damaged"),
    "99 dimensions": ("ct.nii", lambda hu: nifti(hu, dim=[99, 40, 36, 30, 1, 1, 1, 1]), "99 dimensions"),
    "voxels begin in the header": ("ct.nii", lambda hu: nifti(hu, vox_offset=10), "begin at byte"),
    "voxels begin far away": ("ct.nii.gz", lambda hu: gzip.compress(nifti(hu, vox_offset=3e38)), "begin at byte"),
    "voxels begin nowhere": ("ct.nii", lambda hu: nifti(hu, vox_offset=np.nan), "begin at byte"),
    "unknown number type": ("ct.nii", lambda hu: nifti(hu, datatype=4321), "unknown data type"),
    "bits contradict the type": ("ct.nii", lambda hu: nifti(hu, bitpix=64), "64 bits per voxel"),
    "endless nrrd header": ("ct.nrrd", lambda hu: b"NRRD0004\n" + b"# more\n" * 400_000, "has no end"),
    "hostile nrrd dimension": ("ct.nrrd", lambda hu: nrrd(hu, dimension="999999999999"), "dimensions"),
    "nrrd sizes that are words": ("ct.nrrd", lambda hu: nrrd(hu, sizes="many 36 30"), "sizes"),
    "nrrd sizes beyond numbers": ("ct.nrrd", lambda hu: nrrd(hu, sizes="1e400 36 30"), "sizes"),
    "nrrd in text": ("ct.nrrd", lambda hu: nrrd(hu, encoding="ascii"), "encoding 'ascii'"),
    "nrrd without byte order": ("ct.nrrd", lambda hu: nrrd(hu, endian=None), "byte order"),
    "mha in text": ("ct.mha", lambda hu: mha(hu, BinaryData="False"), "as text"),
    "mha with a hostile field": ("ct.mha", lambda hu: mha(hu, DimSize="40 36 " + "9" * 100_000), "DimSize"),
    # not one 3D image of single values
    "2D": ("ct.nii", lambda hu: nifti(hu[0]), "not one 3D image"),
    "2D mha": ("ct.mha", lambda hu: mha(hu, NDims="2"), "not one 3D image"),
    "4D": ("ct.nii", lambda hu: nifti(np.stack([hu, hu])), "not one 3D image"),
    "4D nrrd": (
        "ct.nrrd",
        lambda hu: nrrd(hu, dimension="4", sizes="2 40 36 30", space_directions="none (2,0,0) (0,2,0) (0,0,2)"),
        "not one 3D image",
    ),
    "colours": ("ct.nii", rgb, "colours"),
    "colours mha": ("ct.mha", lambda hu: mha(hu, ElementNumberOfChannels="3"), "colours"),
    "complex": ("ct.nii", lambda hu: nifti(hu.astype(np.complex64)), "complex"),
    # not Hounsfield units
    "8-bit": ("ct.nii", lambda hu: nifti(((hu + 1024) / 16).clip(0, 255).astype(np.uint8)), "8-bit values"),
    "0 to 1": ("ct.nii", lambda hu: nifti((hu + 1024).astype(np.float32) / 4095), "normalised"),
    "-1 to 1": ("ct.nii", lambda hu: nifti((hu / 1100).clip(-1, 1).astype(np.float32)), "normalised"),
    "z-scored": ("ct.nii", lambda hu: nifti((hu / 100).astype(np.float32)), "too narrow"),
    "0 to 255": ("ct.nii", lambda hu: nifti(((hu + 1024) / 16).clip(0, 255).astype(np.int16)), "8-bit picture"),
    "offset by 1024": ("ct.nii", lambda hu: nifti(hu + np.int16(1024)), "near +1024"),
    "offset by 1000": ("ct.nii", lambda hu: nifti(hu + np.int16(1000)), "near +1024"),
    "offset and padded": (
        "ct.nii",
        lambda hu: nifti(np.where(np.arange(40) < 4, -2000, hu + 1024).astype(np.int16)),
        "near +1024",
    ),
    "offset, padding left at -1024": (
        "ct.nii",
        lambda hu: nifti(np.where(np.arange(40) < 4, -1024, hu + 1024).astype(np.int16)),
        "near +1024",
    ),
    "cut to a soft-tissue window": ("ct.nii", lambda hu: nifti(hu.clip(-160, 240)), "windowed copy"),
    "magnetic resonance": ("ct.nii", lambda hu: nifti(like_mr(hu.shape)), "not CT"),
    "label map": ("ct.nrrd", lambda hu: nrrd((hu > -500).astype(np.int16) * 7), "label map"),
    "constant": ("ct.nii", lambda hu: nifti(np.full_like(hu, -1000)), "constant"),
    "NaN": ("ct.nii", lambda hu: nifti(with_nan(hu)), "NaN"),
    "infinite": ("ct.nii.gz", lambda hu: gzip.compress(nifti(with_inf(hu))), "infinite"),
    "NaN scaling": ("ct.nii", lambda hu: nifti(hu, scl_slope=1, scl_inter=np.nan), "invalid intercept nan"),
    # geometry
    "no sform and no qform": ("ct.nii", lambda hu: nifti(hu, sform_code=0), "no sform, no qform"),
    "sform against qform": ("ct.nii", contradicting, "contradict each other"),
    "zero spacing": ("ct.nii", lambda hu: nifti(hu, srow_x=[0, 0, 0, 5]), "spacing of zero"),
    "NaN in the sform": ("ct.nii", lambda hu: nifti(hu, srow_x=[np.nan, 0, 0, 5]), "no numbers"),
    "flat": ("ct.nii", lambda hu: nifti(hu, flat()), "singular"),
    "skewed": ("ct.nii", lambda hu: nifti(hu, skewed()), "skewed"),
    "metres": ("ct.nii", lambda hu: nifti(hu, scaled(0.002, 0.002, 0.0025)), "looks like metres"),
    "centimetres": ("ct.nii", lambda hu: nifti(hu, scaled(0.07, 0.07, 0.25)), "looks like centimetres"),
    "micrometres": ("ct.nii", lambda hu: nifti(hu, scaled(700, 700, 2500)), "looks like micrometres"),
    "slices of 20 mm": ("ct.nii", lambda hu: nifti(hu, scaled(2, 2, 20)), "implausible voxel spacing"),
    "small field": ("ct.nii", lambda hu: nifti(hu, scaled(0.5, 0.5, 2.5)), "too small"),
    "few slices": ("ct.nii", lambda hu: nifti(hu[:3], scaled(2, 2, 10)), "at least 8 slices"),
    "nrrd without space": ("ct.nrrd", lambda hu: nrrd(hu, space=None), "how it lies in the patient"),
    "nrrd in scanner space": ("ct.nrrd", lambda hu: nrrd(hu, space="scanner-xyz"), "how it lies in the patient"),
    "nrrd without directions": ("ct.nrrd", lambda hu: nrrd(hu, space_directions=None), "no 'space directions'"),
    "nrrd without origin": ("ct.nrrd", lambda hu: nrrd(hu, space_origin=None), "no 'space origin'"),
    "nrrd in metres": ("ct.nrrd", lambda hu: nrrd(hu, space_units='"m" "m" "m"'), "expected mm"),
    "mha without spacing": ("ct.mha", lambda hu: mha(hu, ElementSpacing=None), "no ElementSpacing"),
    "mha without directions": ("ct.mha", lambda hu: mha(hu, TransformMatrix=None), "no TransformMatrix"),
    "mha with zero directions": ("ct.mha", lambda hu: mha(hu, TransformMatrix="0 " * 9), "singular"),
    "mha with zero spacing": ("ct.mha", lambda hu: mha(hu, ElementSpacing="0 2 2"), "spacing of zero"),
    # data elsewhere
    "mhd that points outside": ("ct.mhd", lambda hu: mha(hu, b"", ElementDataFile="../secret.raw"), "outside"),
    "mhd that points to the root": ("ct.mhd", lambda hu: mha(hu, b"", ElementDataFile="/etc/passwd"), "outside"),
    "nhdr that points outside": ("ct.nhdr", lambda hu: nrrd(hu, b"", data_file="../secret.raw"), "outside"),
    "nhdr without a data file": ("ct.nhdr", nrrd, "names no data file"),
    "mhd whose data are missing": ("ct.mhd", lambda hu: mha(hu, b"", ElementDataFile="gone.raw"), "no such file"),
    "mhd of many files": ("ct.mhd", lambda hu: mha(hu, b"", ElementDataFile="LIST"), "several data files"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_refused_and_the_cause_is_named(kind: str, tmp_path: Path, scan: Scan) -> None:
    name, make, cause = KINDS[kind]
    (tmp_path / "secret.raw").write_bytes(scan.tobytes())
    folder = tmp_path / "case"
    folder.mkdir()
    path = folder / name
    path.write_bytes(make(scan))
    message = cause_of(path)
    assert cause in message
    assert message.startswith(str(folder))


def test_the_makers_of_these_files_make_good_ones_when_nothing_is_spoiled(tmp_path: Path, scan: Scan) -> None:
    for name, content in (("ct.nii", nifti(scan)), ("ct.nrrd", nrrd(scan)), ("ct.mha", mha(scan))):
        (tmp_path / name).write_bytes(content)
        assert np.array_equal(finish(read_volume(tmp_path / name)).hu, scan)


def test_simpleitk_reads_a_truncated_file_without_an_error(tmp_path: Path, scan: Scan) -> None:
    """The reason for reading the voxels ourselves; where this skips, SimpleITK may do it again."""
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(gzip.compress(nifti(scan))[:-9000])
    try:
        wrong = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) != scan
    except RuntimeError:
        pytest.skip("this SimpleITK refuses it")
    assert wrong.any()
    assert "truncated" in cause_of(path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no such file" in cause_of(tmp_path / "gone.nii.gz")
    assert "no such file" in cause_of(tmp_path / "gone")


def test_a_folder_without_images_is_refused_with_a_hint(tmp_path: Path, scan: Scan) -> None:
    assert "empty" in cause_of(tmp_path)
    (tmp_path / "readme.txt").write_text("nothing")
    assert "no DICOM images" in cause_of(tmp_path)
    (tmp_path / "ct.nii").write_bytes(nifti(scan))
    assert "give the file ct.nii itself" in cause_of(tmp_path)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    for name in ("ct.nii", "folder"):
        link = tmp_path / name
        link.symlink_to(tmp_path / f"{name}-2")
        (tmp_path / f"{name}-2").symlink_to(link)
        assert "cannot be read" in cause_of(link)
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "itself").symlink_to(folder)
    (folder / "file").write_text("nothing")
    assert "no DICOM images" in cause_of(folder)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ct.nii")
    assert "not a regular file" in cause_of(tmp_path / "ct.nii")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path, scan: Scan) -> None:
    path = tmp_path / "ct.nii"
    path.write_bytes(nifti(scan))
    path.chmod(0)
    assert "permission denied" in cause_of(path)


def test_a_refused_permission_is_named_whoever_runs_the_test(
    tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ct.nii"
    path.write_bytes(nifti(scan))

    def denied(*_: Any, **__: Any) -> io.IOBase:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert "permission denied" in cause_of(path)


def test_a_size_beyond_the_free_memory_is_refused_before_anything_is_allocated(tmp_path: Path, scan: Scan) -> None:
    path = tmp_path / "ct.nii"
    size = (8000, 8000, 8000)  # 1 TB, truly there as far as the file system says
    path.write_bytes(nifti(scan, scaled(0.12, 0.12, 0.12), dim=[3, *size, 1, 1, 1, 1])[:352])
    try:
        os.truncate(path, 352 + 2 * 8000**3)
    except OSError:
        pytest.skip("the file system keeps no sparse files of this size")
    assert "GB of memory" in cause_of(path)


def test_control_characters_of_a_file_name_do_not_reach_the_message(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31mct.nii"
    path.write_bytes(b"x" * 999)
    assert "\\n\\x1b[31mct.nii" in cause_of(path)


def test_a_file_name_that_is_no_text_is_shown_escaped(tmp_path: Path, scan: Scan) -> None:
    path = tmp_path / os.fsdecode(b"ct\xff.nii")
    try:
        path.write_bytes(nifti(scan)[:-9000])
    except OSError:
        pytest.skip("the file system wants names in UTF-8")
    assert "ct\\udcff.nii: is truncated" in cause_of(path)
    path.write_bytes(nifti(scan))
    finish(read_volume(path)).provenance.path.encode("utf-8")


def test_a_nifti_header_of_noise_never_escapes_as_another_error(tmp_path: Path, scan: Scan) -> None:
    good = nifti(scan)
    rng = np.random.default_rng(11)
    path = tmp_path / "ct.nii"
    for _ in range(150):
        spoiled = bytearray(good)
        for at in rng.integers(4, 344, 12):
            spoiled[at] = rng.integers(256)
        path.write_bytes(bytes(spoiled))
        try:
            finish(read_volume(path))
        except InputRefused as refusal:
            assert "\n" not in str(refusal)


@pytest.mark.parametrize("maker", [nrrd, mha])
def test_a_text_header_of_noise_never_escapes_as_another_error(
    tmp_path: Path, scan: Scan, maker: Callable[[Scan], bytes]
) -> None:
    good = maker(scan)
    rng = np.random.default_rng(12)
    path = tmp_path / ("ct.nrrd" if maker is nrrd else "ct.mha")
    for _ in range(150):
        spoiled = bytearray(good)
        for at in rng.integers(9, 230, 3):
            spoiled[at] = rng.integers(256)
        path.write_bytes(bytes(spoiled))
        try:
            finish(read_volume(path))
        except InputRefused as refusal:
            assert "\n" not in str(refusal)


def test_struct_of_the_header_is_what_these_tests_think(scan: Scan) -> None:
    content = nifti(scan)
    assert struct.unpack("<i", content[:4]) == (348,)
    assert struct.unpack("<3h", content[42:48]) == SIZE
