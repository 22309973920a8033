"""`regionreport evaluate --ablation` as a user meets it: tables, printed and written; refusals of one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main

from known_words import save_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_model(tmp_path_factory.mktemp("model"))
    card = {"data": {"train": [1, 20], "validation": [30, 5], "shape_kji": [24, 48, 48], "evenness": 1.0}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def test_the_tables_are_printed_and_written(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = ["--phantoms", "2", "--first", "41", "--rows", "no-mask", "-o", str(out)]
    assert main(["evaluate", "--ablation", str(model), *words]) == 0
    printed = capsys.readouterr().out
    assert printed == (out / "ablation.md").read_text(encoding="utf-8")
    assert printed.startswith("# Ablation on 2 held-out phantoms\n\nSeeds 41 to 42.")
    assert "| normal template | - | 0.000 |" in printed and "| measured writer |" in printed
    assert json.loads((out / "ablation.json").read_text())["patients"] == 2
    assert "| nodule |" in (out / "findings.md").read_text(encoding="utf-8")
    assert len((out / "patients.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    # Once more: nothing is written about again.
    assert main(["evaluate", "--ablation", str(model), *words]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--first", "15"), 3, "not held out: 1 to 20 are the seeds of train"),
        (("--phantoms", "0"), 3, "at least one patient"),
        (("--rows", "masks"), 3, "no row masks; rows are even, r2"),
        (("--jobs", "0"), 3, "--jobs must be at least 1"),
        (("--pairs", "x.csv"), 3, "either --ablation or texts"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert main(["evaluate", "--ablation", str(model), "-o", str(tmp_path / "out"), *words]) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error
    assert not (tmp_path / "out").exists()


def test_without_a_folder_or_a_model_it_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--ablation", str(model)]) == 3
    assert "say with -o" in capsys.readouterr().err
    assert main(["evaluate", "--ablation", str(tmp_path), "-o", str(tmp_path / "out")]) == 4
    assert "no region-token model" in capsys.readouterr().err
