"""Label maps of other programs: numbers and their names, or a line that says what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.label_map import label_names, names_in, read_label_map
from RegionReportLib.progress import finish

# nibabel's arrays are (i, j, k), axes right, anterior, superior; the numbers tell the axes apart.
LABELS = np.arange(24).reshape(2, 3, 4) * 100


def nifti(path: Path, values: Any, **scale: float) -> Path:
    image = nib.Nifti1Image(values, np.diag([2.0, 3.0, 4.0, 1.0]))
    if scale:
        image.header.set_slope_inter(**scale)
    nib.save(image, path)
    return path


@pytest.mark.parametrize("kind", ["uint16", "int32", "float32", "float64"])
def test_labels_are_read_whatever_the_type_of_their_numbers(tmp_path: Path, kind: str) -> None:
    labels, grid = finish(read_label_map(nifti(tmp_path / "m.nii.gz", LABELS.astype(kind))))
    assert labels.dtype == np.uint16
    assert labels[3, 2, 1] == LABELS[1, 2, 3]
    assert np.array_equal(labels, LABELS.transpose(2, 1, 0))
    assert np.allclose(grid.to_ras((1, 2, 3)), (2.0, 6.0, 12.0))


def test_labels_of_nrrd_lie_where_simpleitk_says(tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(LABELS.astype(np.uint8))
    image.SetOrigin((10.0, 20.0, 30.0))
    SimpleITK.WriteImage(image, str(tmp_path / "m.nrrd"))
    labels, grid = finish(read_label_map(tmp_path / "m.nrrd"))
    assert np.array_equal(labels, LABELS.astype(np.uint8))
    assert np.allclose(grid.to_ras((0, 0, 0)), (-10.0, -20.0, 30.0))  # LPS to RAS


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full((2, 2, 2), 0.5, np.float32), "holds fractions"),
        (np.full((2, 2, 2), np.nan, np.float32), "holds fractions"),
        (np.full((2, 2, 2), -1, np.int16), "values from -1 to -1"),
        (np.full((2, 2, 2), 70000, np.int32), "values from 70000 to 70000"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path: Path, values: Any, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        finish(read_label_map(nifti(tmp_path / "m.nii.gz", values)))


def test_names_are_found_beside_the_file_first_its_own(tmp_path: Path) -> None:
    path = nifti(tmp_path / "m.nii.gz", LABELS.astype(np.uint16))
    (tmp_path / "labels.json").write_text(json.dumps({"1": "heart"}))
    assert label_names(path) == {1: "heart"}
    (tmp_path / "m.json").write_text(json.dumps({"aorta": 2, "liver": 5}))
    assert label_names(path) == {2: "aorta", 5: "liver"}


def test_names_are_found_in_the_header_as_total_segmentator_writes_them(tmp_path: Path) -> None:
    image = nib.Nifti1Image(LABELS.astype(np.uint16), np.eye(4))
    table = (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>'
        '<VolumeInformation Index="0"><LabelTable>'
        '<Label Key="1" Red="0.2" Green="0.3" Blue="0.5" Alpha="1"><![CDATA[heart]]></Label>'
        '<Label Key="51" Red="0" Green="0" Blue="1" Alpha="1">aorta &amp; arch</Label>'
        "</LabelTable></VolumeInformation></CaretExtension>"
    )
    image.header.extensions.append(nib.nifti1.Nifti1Extension(0, table.encode()))
    nib.save(image, tmp_path / "m.nii.gz")
    assert label_names(tmp_path / "m.nii.gz") == {1: "heart", 51: "aorta & arch"}


def test_labels_without_names_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"put the names into m\.json beside it"):
        label_names(nifti(tmp_path / "m.nii.gz", LABELS.astype(np.uint16)))


@pytest.mark.parametrize("text", ["[1]", "{", '{"heart": "x"}', '"heart"', '{"heart": null}'])
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(InputRefused, match="does not map label values to names"):
        names_in(tmp_path / "labels.json")
