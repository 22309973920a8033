"""The segmentation file has 3D Slicer's layout, lies where the masks lie, and can be read back."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, region, structure
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.seg_nrrd import read_segmentation, write_segmentation
from RegionReportLib.progress import Progress

Affine = npt.NDArray[np.float64]
STRUCTURES = ("heart", "lung_left", "trachea", "lung_right", "aorta", "vertebrae", "lung_nodule", "spleen")


@pytest.fixture
def masks(oblique: Affine) -> RegionMasks:
    """Eight small blocks of labels in an order unlike the table's; the spleen has no voxels."""
    labels = np.zeros((20, 30, 40), np.uint8)
    for n in range(1, 8):
        labels[n : n + 4, n : n + 9, 2 * n : 2 * n + 8] = n
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    coverage |= {"bones": Coverage.PARTIAL, "upper_abdomen": Coverage.ABSENT, "mediastinum": Coverage.ABSENT}
    notes = {"bones": "cut at the left | and\nright"}
    return RegionMasks(labels, Grid((20, 30, 40), oblique), STRUCTURES, "classical 1: test", coverage, notes)


def header_of(path: Path) -> dict[str, str]:
    text = path.read_bytes().split(b"\n\n", 1)[0].decode()
    return dict(re.split(r":=|: ", line, maxsplit=1) for line in text.splitlines()[2:])


def test_regions_become_segments_with_our_ids_names_colours_and_codes(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    header = header_of(tmp_path / "s.seg.nrrd")
    ids = [header[f"Segment{n}_ID"] for n in range(6)]
    assert ids == ["lung_right", "lung_left", "lung_nodule", "airways", "heart_great_vessels", "bones"]
    assert "Segment6_ID" not in header
    assert [header[f"Segment{n}_Name"] for n in (0, 3, 4)] == ["Right lung", "Large airways", "Heart and great vessels"]
    assert [header[f"Segment{n}_LabelValue"] for n in range(6)] == list("123456")
    assert {header[f"Segment{n}_Layer"] for n in range(6)} == {"0"}
    colour = [float(c) for c in header["Segment4_Color"].split()]
    assert np.allclose(np.array(colour) * 255, (0xE0, 0x5A, 0x5A), atol=0.01)
    assert header["Segment0_Tags"].endswith(
        "TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list"
        "~SCT^123037004^Anatomical Structure~SCT^39607008^Lung~SCT^24028007^Right"
        "~Anatomic codes - DICOM master list~^^~^^|"
    )
    assert "SCT^49755003^Morphologically Altered Structure~SCT^27925004^Nodule~^^~" in header["Segment2_Tags"]
    assert "SCT^80891009^Heart~^^~" in header["Segment4_Tags"]
    assert "RegionReport.coverage:partial|" in header["Segment5_Tags"]
    assert "RegionReport.coverage_note:cut at the left / and right|" in header["Segment5_Tags"]
    assert header["Segment3_Extent"] == "6 13 3 11 3 6"  # the trachea is label 3


def test_itk_finds_the_voxels_where_the_masks_have_them(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    image = SimpleITK.ReadImage(str(tmp_path / "s.seg.nrrd"))
    labels = SimpleITK.GetArrayFromImage(image)
    assert np.array_equal(labels == 5, masks.region("heart_great_vessels"))
    assert np.array_equal(labels == 1, masks.side("lungs", Side.RIGHT))
    assert np.array_equal(labels == 6, masks.region("bones"))
    for ijk in ((0, 0, 0), (39, 0, 0), (7, 21, 13)):
        lps = np.array(image.TransformIndexToPhysicalPoint(ijk))
        assert np.allclose(lps * (-1, -1, 1), masks.grid.to_ras(ijk), atol=1e-9)


def test_masks_by_region_come_back_as_regions(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd")
    again = read_segmentation(tmp_path / "s.seg.nrrd")
    assert np.allclose(again.grid.affine, masks.grid.affine, atol=1e-12)
    for name in REGION_IDS:
        assert np.array_equal(again.region(name), masks.region(name))
    for side in Side:
        assert np.array_equal(again.side("lungs", side), masks.side("lungs", side))
    assert again.coverage == masks.coverage
    present = {structure(s).region_id for s in again.structures}
    notes = {region: note for region, note in again.coverage_notes.items() if region in present}
    assert notes == {"bones": "cut at the left / and right"}
    assert all("not in the given" in again.coverage_notes[r] for r in REGION_IDS if r not in present)
    assert again.method == "classical 1: test"


def test_masks_by_structure_come_back_as_structures(tmp_path: Path, masks: RegionMasks) -> None:
    write_segmentation(masks, tmp_path / "s.seg.nrrd", segments="structure")
    again = read_segmentation(tmp_path / "s.seg.nrrd", grid=masks.grid)
    assert set(again.structures) == set(STRUCTURES) - {"spleen"}
    for name in STRUCTURES:
        assert np.array_equal(again.structure(name), masks.structure(name))


def saved_anew(path: Path, masks: RegionMasks, offset_kji: tuple[int, int, int]) -> None:
    """What 3D Slicer does on saving: cut down, lay out anew, drop what it does not know."""
    k, j, i = offset_kji
    labels = (masks.labels[k:, j:, i:] == 1).astype(np.uint8) * 9
    grid = masks.grid.crop(offset_kji, labels.shape)  # type: ignore[arg-type]
    lps = np.diag((-1, -1, 1)) @ grid.affine[:3]
    vectors = [f"({','.join(repr(float(x)) for x in column)})" for column in lps.T]
    header = (
        "NRRD0004\ntype: unsigned char\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {' '.join(str(n) for n in labels.shape[::-1])}\nspace directions: {' '.join(vectors[:3])}\n"
        f"kinds: domain domain domain\nencoding: gzip\nspace origin: {vectors[3]}\nSegment0_ID:=Segment_1\n"
        "Segment0_LabelValue:=9\nSegment0_Layer:=0\nSegment0_Name:=Heart\nSegment0_Tags:=\n"
        "Segment1_ID:=tumour\nSegment1_LabelValue:=8\nSegment1_Layer:=0\nSegment1_Name:=what is this\n\n"
    )
    path.write_bytes(header.encode() + gzip.compress(labels.tobytes()))


def test_a_cut_down_file_of_3d_slicer_goes_back_onto_the_scan(tmp_path: Path, masks: RegionMasks) -> None:
    path = tmp_path / "s.seg.nrrd"
    saved_anew(path, masks, (1, 1, 2))
    assert read_segmentation(path).grid.shape_kji == (19, 29, 38)
    again = read_segmentation(path, grid=masks.grid)
    assert again.structures == ("heart",), "known by its name, the unknown one left out"
    assert np.array_equal(again.structure("heart"), masks.structure("heart"))
    assert again.coverage["heart_great_vessels"] is Coverage.PARTIAL, "not stated, so not claimed"
    assert again.coverage["lungs"] is Coverage.ABSENT
    assert again.method == "file s.seg.nrrd"


def test_a_segmentation_of_another_scan_is_refused(tmp_path: Path, masks: RegionMasks) -> None:
    path = tmp_path / "s.seg.nrrd"
    write_segmentation(masks, path)
    moved, turned = masks.grid.affine.copy(), masks.grid.affine.copy()
    moved[0, 3] += 0.7
    turned[:3, 0] *= -1
    for grid in (Grid((20, 30, 40), moved), Grid((20, 30, 40), turned), masks.grid.crop((0, 0, 0), (10, 30, 40))):
        with pytest.raises(InputRefused, match="does not lie on the voxels of the scan"):
            read_segmentation(path, grid=grid)


def test_what_is_no_segmentation_is_refused(tmp_path: Path, masks: RegionMasks) -> None:
    path = tmp_path / "s.seg.nrrd"
    write_segmentation(masks, path)
    whole = path.read_bytes()
    for content, cause in (
        (re.sub(rb"Segment\d_ID", b"Other", whole), "names no segments"),
        (re.sub(rb"(_ID|_Name|_Tags):=.*", rb"\1:=thing", whole), "no segment whose name or code is known"),
        (whole.replace(b"dimension: 3", b"dimension: 4"), "overlapping"),
        (whole.replace(b"unsigned char", b"float\nendian: little"), "expected labels"),
        (whole[:-9], "truncated"),
        (whole[:600], "no end"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputRefused, match=cause):
            read_segmentation(path)


def test_empty_masks_are_not_written(tmp_path: Path, masks: RegionMasks) -> None:
    empty = RegionMasks(np.zeros_like(masks.labels), masks.grid, STRUCTURES, "test", masks.coverage, {})
    with pytest.raises(ValueError, match="empty"):
        write_segmentation(empty, tmp_path / "s.seg.nrrd")
    assert not list(tmp_path.iterdir())


def test_stopping_leaves_nothing_behind(tmp_path: Path, masks: RegionMasks) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segmentation(masks, tmp_path / "s.seg.nrrd", watch=stop)
    assert not list(tmp_path.iterdir())


def test_writing_and_reading_need_no_second_copy(tmp_path: Path, masks: RegionMasks) -> None:
    labels = np.zeros((128, 512, 512), np.uint8)
    labels[30:90, 100:400, 100:400] = 4
    large = RegionMasks(labels, Grid(labels.shape, masks.grid.affine), STRUCTURES, "test", masks.coverage, {})
    tracemalloc.start()
    try:
        write_segmentation(large, tmp_path / "s.seg.nrrd")
        assert tracemalloc.get_traced_memory()[1] < labels.nbytes / 4
        again = read_segmentation(tmp_path / "s.seg.nrrd")
        assert tracemalloc.get_traced_memory()[1] < labels.nbytes + 40e6  # and a few slabs
    finally:
        tracemalloc.stop()
    assert np.array_equal(again.side("lungs", Side.RIGHT), labels == 4)


def test_every_region_and_structure_can_be_written_and_read(tmp_path: Path) -> None:
    """Each id of the table finds its way back, whichever back-end names it."""
    for name in REGION_IDS:
        names = tuple(s.id for s in region(name).structures)
        labels = np.arange(len(names) + 1, dtype=np.uint8).reshape(1, 1, -1)
        grid = Grid((1, 1, labels.size), np.eye(4))
        coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
        masks = RegionMasks(labels, grid, names, "test", coverage, {})
        write_segmentation(masks, tmp_path / "s.seg.nrrd", segments="structure")
        again = read_segmentation(tmp_path / "s.seg.nrrd")
        assert again.structures == names
        assert np.array_equal(again.labels, labels)
        write_segmentation(masks, tmp_path / "s.seg.nrrd")
        assert np.array_equal(read_segmentation(tmp_path / "s.seg.nrrd").region(name), labels > 0)


def test_a_segment_with_a_strange_name_is_told_by_its_code(tmp_path: Path, masks: RegionMasks) -> None:
    path = tmp_path / "s.seg.nrrd"
    write_segmentation(masks, path)
    path.write_bytes(re.sub(rb"(_ID|_Name):=.*", rb"\1:=thing", path.read_bytes()))
    again = read_segmentation(path)
    assert np.array_equal(again.region("lungs"), masks.region("lungs"))
