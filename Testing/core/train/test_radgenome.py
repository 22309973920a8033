"""RadGenome-Chest CT is read from its published layout; the tree is made here, from a phantom cut to pieces."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.phantom.study import training_case
from RegionReportLib.train.radgenome_layout import TRAIN, VALIDATION, Split, entries, volume_path
from RegionReportLib.train.radgenome_source import RadGenomeSource, open_radgenome, parted
from RegionReportLib.train.recipe import Data, Recipe, Stage
from RegionReportLib.train.sources import sources_of

ROWS = (
    ("train_1_a_1.nii.gz", "", "The whole report."),
    ("train_1_a_1.nii.gz", "lung", "There is a nodule of 4.5 mm in the left lung. No effusion."),
    ("train_1_a_1.nii.gz", "lung/left lung", "There is a nodule of 4.5 mm in the left lung."),
    ("train_1_a_1.nii.gz", "pleura", "No effusion. The pleura is smooth."),
    ("train_1_a_1.nii.gz", "heart", "An older row."),
    ("train_1_a_1.nii.gz", "heart", "Heart size is normal."),
    ("train_1_a_1.nii.gz", "trachea and bronchie", "Trachea is open."),
    ("train_2_a_1.nii.gz", "lung", "A volume that was not downloaded."),
)
PARTS = {"lung": "lungs", "heart": "heart_great_vessels", "trachea and bronchie": "airways", "abdomen": "upper_abdomen"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One volume in each split, with four of ten masks, under the identity affine as published."""
    folder = tmp_path_factory.mktemp("radgenome")
    case = training_case(7, (60, 96, 96))
    for split, name, rows in ((TRAIN, "train_1_a_1.nii.gz", ROWS), (VALIDATION, "valid_3_b_1.nii.gz", VALID)):
        root = folder / "dataset"
        volume = root / split.volumes / volume_path(name)
        masks = root / split.masks / f"seg_{name.removesuffix('.nii.gz')}"
        for path in (volume.parent, masks):
            path.mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.asarray(case.volume.hu).T.astype(np.int16), np.eye(4)), volume)
        for part, region_id in PARTS.items():
            inside = case.masks.region(region_id).T.astype(np.uint8)
            nib.save(nib.Nifti1Image(inside, np.eye(4)), masks / f"{part}.nii.gz")
        with (root / split.table).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("Volumename", "Anatomy", "Sentence"), *rows])
    return folder


VALID = (("valid_3_b_1.nii.gz", "bone", "Bones are normal."),)


def test_a_volume_lies_in_the_folder_of_its_patient_and_scan() -> None:
    assert volume_path("train_12_b_1.nii.gz") == Path("train_12", "train_12b", "train_12_b_1.nii.gz")
    with pytest.raises(InputRefused, match="volumes are named like"):
        volume_path("scan.nii.gz")


def test_only_bare_region_names_are_read_and_the_last_of_a_doubled_row_counts(tree: Path) -> None:
    (entry,) = entries(tree, TRAIN)
    assert entry.name == "train_1_a_1.nii.gz"
    texts = dict(entry.texts)
    assert set(texts) == {"lung", "pleura", "heart", "trachea and bronchie"}
    assert texts["heart"] == "Heart size is normal."


def test_ten_regions_become_six_and_say_each_sentence_once(tree: Path, config: ModelConfig) -> None:
    train, validation = open_radgenome(tree, config)
    case = train.case(0)
    assert [(s.region_id, s.text) for s in case.wordings[0]] == [
        ("lungs", "There is a nodule of 4.5 mm in the left lung."),
        ("lungs", "No effusion."),
        ("lungs", "The pleura is smooth."),
        ("airways", "Trachea is open."),
        ("heart_great_vessels", "Heart size is normal."),
    ]
    assert case.id == "train_1_a_1"
    assert all(not s.boxes and not s.topics for s in case.wordings[0])
    assert [s.text for s in validation.case(0).wordings[0]] == ["Bones are normal."]


def test_the_image_has_its_true_spacing_and_the_masks_that_there_are(tree: Path, config: ModelConfig) -> None:
    inputs = open_radgenome(tree, config)[0].case(0).inputs
    z = inputs.frame.box.size_mm[2]
    assert z > 120  # of 60 slices those between the ends of the masks, 3 mm apart and not 1
    shown = {name: int(inputs.masks[n].max()) for n, name in enumerate(inputs.regions)}
    assert {name for name, most in shown.items() if most == 0} == {"mediastinum", "bones"}
    assert inputs.slices.float().std() > 10
    assert any(line.startswith("Lungs:") for line in inputs.attributes)


def test_lungs_are_parted_at_their_middle_by_the_patients_sides() -> None:
    inside = np.zeros((2, 2, 8), dtype=bool)
    inside[:, :, [1, 2, 5, 6]] = True
    # i runs to the left: small i is the patient's right.
    right, left = parted(inside, Grid((2, 2, 8), np.diag([-1.0, 1, 1, 1])))
    assert np.flatnonzero(right[0, 0]).tolist() == [1, 2]
    assert np.flatnonzero(left[0, 0]).tolist() == [5, 6]


def test_a_recipe_can_name_the_data_set(tree: Path, tmp_path: Path, config: ModelConfig) -> None:
    recipe = Recipe("r", (Stage("s", 1, {"writing": 1.0}),), data=Data(source="radgenome", folder=str(tree)))
    sources = sources_of(recipe, config, tmp_path)
    assert (len(sources.train), len(sources.validation)) == (1, 1)
    assert sources.train.case(0).id == "train_1_a_1"
    assert (tmp_path / sources.train.name / "000000.npz").exists()


def test_what_is_no_such_folder_is_refused(tmp_path: Path, config: ModelConfig) -> None:
    with pytest.raises(InputRefused, match=r"no train_region_report\.csv"):
        open_radgenome(tmp_path, config)
    (tmp_path / "train_region_report.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputRefused, match="needs the columns"):
        open_radgenome(tmp_path, config)
    (tmp_path / "t.csv").write_text("Volumename,Anatomy,Sentence\ntrain_9_a_1.nii.gz,lung,Text.\n")
    assert entries(tmp_path, Split("v", "m", "t.csv")) == ()
    assert len(RadGenomeSource(config, TRAIN, ())) == 0
