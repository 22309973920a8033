"""Masks of other segmenters find their structures and their place, or are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest

from RegionReportLib.anatomy.regions import Coverage, structure
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import finish
from RegionReportLib.segment.given import Given, read_given

SHAPE = (20, 24, 30)  # k, j, i


def oblique() -> npt.NDArray[np.float64]:
    """A turned, anisotropic, left-handed affine: i runs to the patient's left, slices 6 mm apart."""
    turn = np.array([[np.cos(0.2), -np.sin(0.2), 0], [np.sin(0.2), np.cos(0.2), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((-5.0, 5.5, 6.0))
    affine[:3, 3] = (60.0, -70.0, 1200.0)
    return affine


@pytest.fixture
def scan() -> Volume:
    hu = np.full(SHAPE, -900, np.int16)
    return Volume(hu, Grid(SHAPE, oblique()), Provenance("made up", "test"))


def box(*ranges: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A mask `(k, j, i)` of ones within the index ranges."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[tuple(slice(a, b) for a, b in ranges)] = 1
    return mask


def save(path: Path, labels: Any, *, flipped: bool = False) -> Path:
    """Store labels `(k, j, i)` of the scan's grid; `flipped` runs i and k the other way, at the same place."""
    affine, ijk = oblique(), np.asarray(labels).transpose(2, 1, 0)
    if flipped:
        ends = np.diag([-1.0, 1.0, -1.0, 1.0])
        ends[:3, 3] = (SHAPE[2] - 1, 0, SHAPE[0] - 1)
        affine, ijk = affine @ ends, ijk[::-1, :, ::-1]
    nib.save(nib.Nifti1Image(np.ascontiguousarray(ijk), affine), path)
    return path


def mapped(path: Path, scan: Volume, names: dict[int, str]) -> Given:
    return finish(read_given(path, scan, names))


@pytest.mark.parametrize("flipped", [False, True])
def test_values_become_structures_at_their_place(tmp_path: Path, scan: Volume, flipped: bool) -> None:
    labels = box((3, 8), (5, 9), (10, 20)) * np.uint8(51) + box((10, 15), (5, 9), (10, 20)) * np.uint8(7)
    path = save(tmp_path / "m.nii.gz", labels, flipped=flipped)
    given = mapped(path, scan, {7: "gluteus_maximus_left", 51: "heart", 90: "liver"})
    assert given.masks.structures == ("heart",), "what holds no voxel is not there"
    assert given.unknown == ("gluteus_maximus_left",)
    assert np.array_equal(given.masks.structure("heart"), labels == 51)
    assert given.masks.grid == scan.grid


def test_a_coarser_map_covers_the_same_place(tmp_path: Path, scan: Volume) -> None:
    coarse = np.zeros((10, 12, 15), np.uint8)
    coarse[2:5, 3:6, 4:9] = 1
    affine = oblique() @ np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (oblique() @ (0.5, 0.5, 0.5, 1.0))[:3]  # a coarse voxel's centre lies between two fine ones
    nib.save(nib.Nifti1Image(coarse.transpose(2, 1, 0), affine), tmp_path / "m.nii.gz")
    found = mapped(tmp_path / "m.nii.gz", scan, {1: "heart"}).masks.structure("heart")
    assert np.array_equal(found, box((4, 10), (6, 12), (8, 18)) > 0)


def test_masks_of_another_scan_are_refused(tmp_path: Path, scan: Volume) -> None:
    affine = oblique()
    affine[2, 3] += 500.0
    nib.save(nib.Nifti1Image(box((3, 8), (5, 9), (10, 20)).transpose(2, 1, 0), affine), tmp_path / "m.nii.gz")
    with pytest.raises(InputRefused, match="lie beside the scan"):
        mapped(tmp_path / "m.nii.gz", scan, {1: "heart"})


def test_a_folder_of_radgenome_masks_is_understood(tmp_path: Path, scan: Volume) -> None:
    left, right = box((4, 16), (6, 18), (18, 28)), box((4, 16), (6, 18), (2, 12))  # i runs to the patient's left
    heart = box((5, 9), (8, 12), (16, 20))
    for name, mask in {"lung": left | right, "heart": heart, "trachea and bronchie": box((16, 19), (8, 10), (14, 16)),
                       "abdomen": box((0, 3), (4, 20), (4, 26)), "breast": right}.items():  # fmt: skip
        save(tmp_path / f"{name}.nii.gz", mask.astype(np.float32), flipped=name == "heart")
    given = finish(read_given(tmp_path, scan))
    assert given.unknown == ("breast",)
    assert set(given.masks.structures) == {"lung_right", "lung_left", "heart", "airways", "upper_abdomen"}
    assert np.array_equal(given.masks.structure("heart"), heart > 0), "the smaller of two that overlap counts"
    assert np.array_equal(given.masks.structure("lung_left"), (left > 0) & (heart == 0))
    assert np.array_equal(given.masks.structure("lung_right"), right > 0)


def test_lungs_that_touch_are_parted_in_the_middle(tmp_path: Path, scan: Volume) -> None:
    save(tmp_path / "lungs.nii.gz", box((4, 16), (8, 16), (5, 25)))
    masks = finish(read_given(tmp_path, scan)).masks
    left, right = masks.structure("lung_left"), masks.structure("lung_right")
    assert abs(int(left.sum()) - int(right.sum())) < 0.05 * (left.sum() + right.sum())
    x_mm = [scan.grid.to_ras(np.argwhere(side)[:, ::-1])[:, 0] for side in (left, right)]
    assert x_mm[0].max() < x_mm[1].min() + 1e-6


def test_a_region_of_which_one_structure_was_given_is_not_called_complete(tmp_path: Path, scan: Volume) -> None:
    path = save(tmp_path / "m.nii.gz", box((6, 10), (8, 12), (10, 14)) + 2 * box((6, 10), (14, 18), (10, 14)))
    masks = mapped(path, scan, {1: "vertebrae_T12", 2: "heart_great_vessels"}).masks
    assert masks.coverage["bones"] is Coverage.PARTIAL
    assert "only some of its structures were given" in masks.coverage_notes["bones"]
    assert masks.coverage["heart_great_vessels"] is Coverage.COMPLETE
    assert masks.coverage["lungs"] is Coverage.ABSENT


@pytest.mark.parametrize(
    ("names", "value", "why"),
    [
        ({1: "gluteus"}, 1, "holds no mask whose name is known; it has gluteus"),
        ({}, 1, "it has label 1"),
        ({1: "heart"}, 0, "holds no mask whose name is known; it has none"),
    ],
)
def test_masks_that_say_nothing_are_refused(
    tmp_path: Path, scan: Volume, names: dict[int, str], value: int, why: str
) -> None:
    path = save(tmp_path / "m.nii.gz", box((3, 8), (5, 9), (10, 20)) * np.uint8(value))
    with pytest.raises(InputRefused, match=why):
        mapped(path, scan, names)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("scan_name", "labels_name", "strangers"),
    [
        ("ts-cta/ct", "labels", {"celiac_trunk", "superior_mesenteric_artery"}),
        ("ts-abdomen/ct_slab", "ct_slab_labels", {"autochthon_left", "autochthon_right", "iliopsoas_left",
                                                   "iliopsoas_right"}),
    ],
)  # fmt: skip
def test_labels_of_real_scans_keep_their_voxels_and_names(
    real_data: Path, scan_name: str, labels_name: str, strangers: set[str]
) -> None:
    volume = finish(read_volume(real_data / f"{scan_name}.nii.gz"))
    folder = (real_data / scan_name).parent
    names = json.loads((folder / "labels.json").read_text())
    stored = np.asarray(nib.load(folder / f"{labels_name}.nii.gz").dataobj).transpose(2, 1, 0)
    given = finish(read_given(folder / f"{labels_name}.nii.gz", volume))
    assert set(given.unknown) == strangers
    for value in np.unique(stored[stored > 0]):
        name = names[str(value)]
        if name not in strangers:
            assert name in structure(name).labels, "the table knows it under the name the segmenter gives"
            assert np.array_equal(given.masks.structure(name), stored == value)
