"""The SEG is right for whoever reads it: voxels, codes, ids, sizes; and foreign ones are read by code and name."""

from __future__ import annotations

import contextlib
import copy
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.export.dicom_carried import carried
from RegionReportLib.export.dicom_export import export_dicom
from RegionReportLib.export.dicom_import import import_sr_seg
from RegionReportLib.export.dicom_seg import SegReference, write_seg
from RegionReportLib.export.dicom_seg_reading import read_seg
from RegionReportLib.export.dicom_series import read_source_headers
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import finish

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def seg(dicom_case: Any, tmp_path: Path) -> Path:
    finish(write_seg(dicom_case.masks, dicom_case.headers, tmp_path / "seg.dcm", made_at=AT, grouping="structure"))
    return tmp_path / "seg.dcm"


@pytest.fixture
def plain(dicom_case: Any, tmp_path: Path) -> Dataset:
    path = tmp_path / "plain.dcm"
    finish(write_seg(dicom_case.masks, dicom_case.headers, path, made_at=AT, grouping="structure", deflate=False))
    return pydicom.dcmread(path)


def test_every_structure_comes_back_voxel_for_voxel_from_an_oblique_series(dicom_case: Any, seg: Path) -> None:
    back = read_seg(seg, dicom_case.volume.grid)

    assert set(back.structures) == set(dicom_case.masks.structures)
    for name in dicom_case.masks.structures:
        assert np.array_equal(back.structure(name), dicom_case.masks.structure(name)), name


def test_every_frame_lies_on_its_source_slice_and_holds_its_pixels(dicom_case: Any, plain: Dataset) -> None:
    """Found by the slice that each frame names, with pydicom alone: neither our reader nor highdicom takes part."""
    uids = dicom_case.report.study.dicom.instance_uids
    files = {(d := pydicom.dcmread(p)).SOPInstanceUID: d for p in dicom_case.folder.iterdir()}
    ids = {int(s.SegmentNumber): str(s.TrackingID) for s in plain.SegmentSequence}
    for pixels, frame in zip(plain.pixel_array, plain.PerFrameFunctionalGroupsSequence, strict=True):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        name = ids[int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)]
        wanted = dicom_case.masks.structure(name)[uids.index(source)]
        assert np.array_equal(pixels.astype(bool), wanted)
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(position, files[source].ImagePositionPatient, atol=1e-5)


def test_a_tilted_gantry_and_gaps_between_the_slices_change_nothing(
    dicom_case: Any, store_series: Callable[..., None], tmp_path: Path
) -> None:
    """Slices 5 mm thick every 9 mm, each shifted by 2 mm against the one before."""
    affine = np.diag((6.0, 7.0, 9.0, 1.0))
    affine[1, 2] = 2.0
    store_series(tmp_path / "ct", dicom_case.volume.hu, affine)
    volume = finish(read_volume(tmp_path / "ct"))
    study = replace(dicom_case.report.study, path=str(tmp_path / "ct"), grid=volume.grid, dicom=volume.provenance.dicom)
    masks = replace(dicom_case.masks, grid=volume.grid)
    report = replace(dicom_case.report, study=study)

    seg, sr = finish(export_dicom(report, masks, tmp_path, grouping="structure"))
    back, read = import_sr_seg(sr, seg)

    assert back == carried(report) and back.study.grid == volume.grid
    for name in masks.structures:
        assert np.array_equal(read.structure(name), masks.structure(name))


def test_another_program_sees_the_voxels_where_we_do(dicom_case: Any, tmp_path: Path) -> None:
    """SimpleITK reads the frames of one segment as a volume; its axes are LPS, ours RAS."""
    full = replace(dicom_case.masks, labels=np.full_like(dicom_case.masks.labels, 1))
    finish(write_seg(full, dicom_case.headers, tmp_path / "full.dcm", made_at=AT, grouping="structure", deflate=False))
    seg = pydicom.dcmread(tmp_path / "full.dcm")
    grid: Grid = dicom_case.volume.grid
    series = SimpleITK.ImageSeriesReader()
    series.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(dicom_case.folder)))
    image = series.Execute()
    for frame in seg.PerFrameFunctionalGroupsSequence:
        position = [float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient]
        i, j, k = image.TransformPhysicalPointToContinuousIndex(position)
        assert abs(i) < 1e-3 and abs(j) < 1e-3 and abs(k - round(k)) < 1e-3
        x, y, z = position
        assert np.allclose(grid.to_ijk((-x, -y, z))[:2], 0, atol=1e-3)


def test_segments_name_their_anatomy_with_side_algorithm_and_lasting_ids(plain: Dataset) -> None:
    right, left, *_ = plain.SegmentSequence
    kind = left.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("39607008", "SCT")
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "7771000"  # left
    assert (
        right.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "24028007"
    )
    assert (right.TrackingID, right.SegmentAlgorithmName) == ("lung_right", "classical 1")
    assert len({s.TrackingUID for s in plain.SegmentSequence}) == len(plain.SegmentSequence)


def test_frames_without_a_voxel_are_left_out(dicom_case: Any, plain: Dataset) -> None:
    wanted = sum(int(dicom_case.masks.structure(n).any(axis=(1, 2)).sum()) for n in dicom_case.masks.structures)
    assert int(plain.NumberOfFrames) == wanted < 8 * 14


def test_the_same_export_again_gives_the_same_bytes(dicom_case: Any, seg: Path) -> None:
    first = seg.read_bytes()
    finish(write_seg(dicom_case.masks, dicom_case.headers, seg, made_at=AT, grouping="structure"))
    assert seg.read_bytes() == first


def test_other_masks_get_another_uid(dicom_case: Any, tmp_path: Path) -> None:
    labels = dicom_case.masks.labels.copy()
    labels[5, 5, 5] = (labels[5, 5, 5] + 1) % 3
    changed = replace(dicom_case.masks, labels=labels)
    one, other = (
        finish(write_seg(m, dicom_case.headers, tmp_path / "seg.dcm", made_at=AT)) for m in (dicom_case.masks, changed)
    )
    assert one.instance_uid != other.instance_uid and one.series_uid == other.series_uid


def test_regions_are_whole_and_the_lungs_go_by_side(dicom_case: Any, tmp_path: Path) -> None:
    reference = finish(write_seg(dicom_case.masks, dicom_case.headers, tmp_path / "seg.dcm", made_at=AT))
    back = read_seg(tmp_path / "seg.dcm", dicom_case.volume.grid)

    assert reference.numbers["heart"] == reference.numbers["aorta"] == 5
    assert reference.numbers["lung_right"] == 1 and reference.numbers["lung_left"] == 2
    for region in ("heart_great_vessels", "bones", "lungs"):
        assert np.array_equal(back.region(region), dicom_case.masks.region(region))


def test_a_place_finds_its_segments(dicom_case: Any) -> None:
    seg = SegReference("1", "2", "3", {"lung_right": 1, "lung_left": 2, "heart": 5, "aorta": 6})
    lungs, left, right, heart, aorta = dicom_case.report.places

    assert [seg.segments(p) for p in (lungs, left, right, heart, aorta)] == [(1, 2), (2,), (1,), (5, 6), (6,)]
    assert seg.segments(replace(heart, structure="pericardium")) == (5, 6)
    assert seg.segments(replace(heart, region_id="bones")) == ()


def test_a_foreign_seg_is_read_by_codes_and_then_by_names(dicom_case: Any, plain: Dataset, tmp_path: Path) -> None:
    """As TotalSegmentator and 3D Slicer write them: no tracking ids of ours, names in their own spelling."""
    plain.Manufacturer = "Somebody else"
    for segment in plain.SegmentSequence:
        segment.TrackingID = "Segment_9"
        segment.SegmentLabel = f"made up {segment.SegmentNumber}"
    by_name = plain.SegmentSequence[0]
    by_name.SegmentLabel = "lung_left"  # the code wins: this one is coded as the right lung
    unknown = plain.SegmentSequence[-1]
    unknown.SegmentedPropertyTypeCodeSequence[0].CodeValue = "1234"
    named = plain.SegmentSequence[5]
    named.SegmentedPropertyTypeCodeSequence[0].CodeValue = "5678"
    named.SegmentLabel = "AORTA"
    plain.save_as(tmp_path / "foreign.dcm")

    back = read_seg(tmp_path / "foreign.dcm", dicom_case.volume.grid)

    assert "upper_abdomen" not in back.structures
    for name in ("lung_right", "lung_left", "aorta", "heart"):
        assert np.array_equal(back.structure(name), dicom_case.masks.structure(name)), name
    assert back.coverage["lungs"].value == "partial" and "does not state" in back.coverage_notes["lungs"]


def test_a_fractional_seg_counts_from_one_half(dicom_case: Any, plain: Dataset, tmp_path: Path) -> None:
    pixels = plain.pixel_array.astype(np.uint8) * 128
    pixels[pixels == 0] = 127
    plain.SegmentationType, plain.SegmentationFractionalType = "FRACTIONAL", "PROBABILITY"
    plain.MaximumFractionalValue, plain.BitsAllocated, plain.BitsStored, plain.HighBit = 255, 8, 8, 7
    plain.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    plain.save_as(tmp_path / "fractional.dcm")

    back = read_seg(tmp_path / "fractional.dcm", dicom_case.volume.grid)
    assert np.array_equal(back.structure("aorta"), dicom_case.masks.structure("aorta"))


def test_a_file_that_unpacks_without_end_is_refused(
    dicom_case: Any, seg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportLib.export.dicom_file._LARGEST", 20_000)
    assert seg.stat().st_size < 20_000
    with pytest.raises(InputRefused, match="unpacks to more than"):
        read_seg(seg, dicom_case.volume.grid)


def test_frames_in_another_order_are_put_where_they_belong(dicom_case: Any, plain: Dataset, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(int(plain.NumberOfFrames))
    groups = list(plain.PerFrameFunctionalGroupsSequence)
    plain.PixelData = np.packbits(plain.pixel_array[order].reshape(-1), bitorder="little").tobytes() + b"\0"
    plain.PixelData = plain.PixelData[: len(plain.PixelData) // 2 * 2]
    plain.PerFrameFunctionalGroupsSequence = [groups[n] for n in order]
    plain.save_as(tmp_path / "shuffled.dcm")

    back = read_seg(tmp_path / "shuffled.dcm", dicom_case.volume.grid)
    assert np.array_equal(back.structure("lung_left"), dicom_case.masks.structure("lung_left"))


def test_a_seg_of_another_scan_is_refused(dicom_case: Any, seg: Path) -> None:
    shifted = dicom_case.volume.grid.affine.copy()
    shifted[:3, 3] += 3.0
    with pytest.raises(InputRefused, match="does not lie on the voxels"):
        read_seg(seg, Grid(dicom_case.volume.grid.shape_kji, shifted))
    with pytest.raises(InputRefused, match="reaches beyond"):
        read_seg(seg, dicom_case.volume.grid.crop((0, 0, 0), (5, 19, 23)))


@pytest.mark.parametrize("cut", [0, 100, 140, 300, 1000])
def test_a_cut_file_is_refused(dicom_case: Any, seg: Path, tmp_path: Path, cut: int) -> None:
    (tmp_path / "cut.dcm").write_bytes(seg.read_bytes()[:cut])
    with pytest.raises(InputRefused):
        read_seg(tmp_path / "cut.dcm", dicom_case.volume.grid)


def test_without_highdicom_the_need_is_named(dicom_case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(NeedMissing, match=r"pip install 'regionreport\[dicom\]'"):
        finish(write_seg(dicom_case.masks, dicom_case.headers, tmp_path / "seg.dcm", made_at=AT))
    assert not list(tmp_path.iterdir())


def test_a_header_that_no_seg_can_copy_is_refused(dicom_case: Any, tmp_path: Path) -> None:
    headers = copy.deepcopy(dicom_case.headers)
    headers[0].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]
    with pytest.raises(InputRefused, match="do not allow a SEG"):
        finish(write_seg(dicom_case.masks, headers, tmp_path / "seg.dcm", made_at=AT))


def test_a_damaged_file_is_refused_or_read_and_nothing_else(dicom_case: Any, plain: Dataset, tmp_path: Path) -> None:
    plain.save_as(tmp_path / "plain.dcm")
    content = (tmp_path / "plain.dcm").read_bytes()
    random = np.random.default_rng(3)
    for _ in range(60):
        damaged = bytearray(content)
        for at in random.integers(132, len(content), 4):
            damaged[at] = random.integers(256)
        (tmp_path / "damaged.dcm").write_bytes(damaged)
        with contextlib.suppress(InputRefused):
            read_seg(tmp_path / "damaged.dcm", dicom_case.volume.grid)


def test_a_scan_that_is_not_from_dicom_is_refused_with_the_reason(dicom_case: Any) -> None:
    study = replace(dicom_case.report.study, dicom=None, path="/data/ct.nii.gz")
    with pytest.raises(InputRefused, match=r"'ct\.nii\.gz' did not come from DICOM"):
        finish(read_source_headers(study))


def test_one_slice_of_the_series_leads_to_all(dicom_case: Any) -> None:
    study = replace(dicom_case.report.study, path=str(next(dicom_case.folder.iterdir())))
    assert finish(read_source_headers(study)) == dicom_case.headers


def test_a_series_that_lacks_slices_is_refused(dicom_case: Any, tmp_path: Path) -> None:
    for path in sorted(dicom_case.folder.iterdir())[:-2]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputRefused, match="lacks 2 of the 14 slices"):
        finish(read_source_headers(dicom_case.report.study, tmp_path))
