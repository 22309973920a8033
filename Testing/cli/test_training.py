"""`regionreport train`: from a recipe file to a model folder, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.cli.main import main

RECIPE: dict[str, Any] = {
    "name": "one step",
    "label": "made for a test",
    "stored": "fp16",
    "data": {
        "train": [10, 2],
        "validation": [20, 1],
        "test": [30, 1],
        "shape_kji": [24, 48, 48],
        "wordings": 1,
        "vocabulary_cases": 1,
        "validation_cases": 1,
    },
    "stages": [{"name": "writing", "steps": 1, "batch": 1, "losses": {"writing": 1.0}}],
}


def recipe(folder: Path, **changed: Any) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps({**RECIPE, **changed}))
    return path


def test_a_recipe_becomes_a_model_that_is_smaller_than_25_mb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(recipe(tmp_path)), "-o", str(tmp_path / "out")]) == 0
    model = tmp_path / "out" / "model"
    assert capsys.readouterr().out.strip() == str(model)
    assert sum(f.stat().st_size for f in model.iterdir()) < 25e6
    assert json.loads((model / "card.json").read_text())["label"] == "made for a test"
    steps = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [(s["kind"], s["step"]) for s in steps] == [("train", 1), ("validation", 1)]
    # Another recipe does not go on in this folder.
    assert main(["train", str(recipe(tmp_path, seed=1)), "-o", str(tmp_path / "out")]) == 3
    assert "another recipe" in capsys.readouterr().err


def test_a_recipe_that_cannot_be_followed_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(recipe(tmp_path, preset="huge")), "-o", str(tmp_path / "out")]) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "unknown preset 'huge'" in error
    assert not (tmp_path / "out").exists()
