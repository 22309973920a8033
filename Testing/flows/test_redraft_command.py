"""`regionreport redraft`: one region of a report folder written anew, by measurements or by a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.phantom.study import training_case
from RegionReportLib.report.edits import Accept
from RegionReportLib.report.sentence import Author, Sentence
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.report.verify import verify

from known_words import CLEAR, LABEL, NODULE, save_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measured draft of a small patient, beside its scan."""
    home = tmp_path_factory.mktemp("patient")
    patient = training_case(12, (40, 48, 48))
    write_nifti(patient.volume, home / "ct.nii.gz")
    write_segmentation(patient.masks, home / "masks.seg.nrrd")
    words = ["draft", str(home / "ct.nii.gz"), "--segmentation", str(home / "masks.seg.nrrd")]
    assert main([*words, "-o", str(home / "report")]) == 0
    return home / "report"


@pytest.fixture
def folder(drafted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drafted, tmp_path / "report"))


def about(folder: Path, author: Author) -> list[Sentence]:
    return [s for s in view_draft(folder).report.sentences if s.origin.author is author]


def test_a_model_adds_its_words_to_the_measured_ones_and_replaces_its_own(
    folder: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = about(folder, Author.MEASURED)
    words = ["redraft", str(folder), "--region", "lungs", "--writer", "region-tokens", "--model", str(model)]
    assert main([*words, "--device", "cpu", "--name", "Dr A"]) == 0
    assert f"○ {NODULE}  [{LABEL}]" in capsys.readouterr().out
    assert {s.id for s in before} <= {s.id for s in about(folder, Author.MEASURED)}
    assert [s.text for s in about(folder, Author.MODEL)] == [NODULE, CLEAR]
    last = view_draft(folder).history()[-1].act
    assert (last.actor, last.kind, last.data["seed"]) == ("Dr A", "redraft", None)
    assert last.data["model"].startswith("hand-made ") and len(last.data["model"].split()[-1]) == 64
    assert verify(folder) == ()
    assert main(["history", str(folder)]) == 0
    assert "redraft of lungs by region-tokens hand-made " in capsys.readouterr().out

    nodule = about(folder, Author.MODEL)[0]
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(Accept(nodule.id))
    assert main([*words, "--device", "cpu", "--seed", "3"]) == 0
    assert about(folder, Author.MODEL)[0].id == nodule.id
    assert [s.text for s in about(folder, Author.MODEL)].count(NODULE) == 1


def test_the_measured_writer_says_the_same_and_leaves_no_trace(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail = (folder / "audit.jsonl").read_bytes()
    assert main(["redraft", str(folder), "--region", "bones"]) == 0
    assert "says the same as before" in capsys.readouterr().out
    assert (folder / "audit.jsonl").read_bytes() == trail
    assert main(["redraft", str(folder), "--region", "bones", "--seed", "3"]) == 3
    assert "takes neither a model nor a seed" in capsys.readouterr().err


def test_what_is_missing_is_told_in_one_line(
    folder: Path, drafted: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["redraft", str(folder), "--region", "lungs", "--writer", "region-tokens", "--device", "cpu"]
    assert main([*words, "--model", str(tmp_path)]) == 4
    assert "no region-token model in" in capsys.readouterr().err
    assert main([*words, "--model", str(model), "--volume", str(tmp_path / "gone.nii")]) == 3
    assert "is not there; say where it lies now" in capsys.readouterr().err
    (folder / "segmentation.seg.nrrd").unlink()
    assert main([*words, "--model", str(model), "--volume", str(drafted.parent / "ct.nii.gz")]) == 3
    assert "has no segmentation.seg.nrrd" in capsys.readouterr().err
    other = training_case(13, (40, 48, 48))
    write_nifti(other.volume, tmp_path / "other.nii.gz")
    shutil.copyfile(drafted / "segmentation.seg.nrrd", folder / "segmentation.seg.nrrd")
    assert main([*words, "--model", str(model), "--volume", str(tmp_path / "other.nii.gz")]) == 3
    assert len(view_draft(folder).history()) == 1
