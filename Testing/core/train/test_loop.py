"""A training runs its stages, records them, keeps the best, and goes on exactly where it was stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from RegionReportLib.errors import InputRefused
from RegionReportLib.model import checkpoint
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.progress import Work, finish
from RegionReportLib.train import record
from RegionReportLib.train.loop import Place, learning_rate, train
from RegionReportLib.train.recipe import Data, Recipe, Stage
from RegionReportLib.train.sources import Sources

from .conftest import Blobs, tiny_config

QUICK: dict[str, Any] = {"batch": 2, "learning_rate": 3e-3, "warm_up": 2, "validate_every": 2, "save_every": 2}
RECIPE = Recipe(
    "test",
    (
        Stage("contrast", 3, {"contrast": 1.0, "support": 1.0}, **QUICK),
        Stage("writing", 5, {"writing": 1.0, "support": 0.5}, **QUICK),
        Stage("boxes", 2, {"boxes": 1.0}, parts=("box_head.",), false_boxes=0.5, **QUICK),
    ),
    data=Data(vocabulary_cases=4, validation_cases=4),
    label="made for a test",
)
SOURCES = Sources(Blobs(12), Blobs(4, first=500))


def running(folder: Path, config: ModelConfig, recipe: Recipe = RECIPE) -> Work[Path]:
    return train(recipe, Place(folder), config=config, sources=SOURCES)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "seconds"} for line in record.read(folder)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    finish(running(folder, tiny_config()))
    return folder


def test_each_step_and_each_look_is_recorded(whole: Path) -> None:
    steps = [(x["stage"], x["step"]) for x in lines(whole) if x["kind"] == "train"]
    assert steps == [(s.name, n) for s in RECIPE.stages for n in range(1, s.steps + 1)]
    looks = [(x["stage"], x["step"]) for x in lines(whole) if x["kind"] == "validation"]
    assert looks == [("contrast", 2), ("contrast", 3), ("writing", 2), ("writing", 4), ("writing", 5), ("boxes", 2)]
    first = lines(whole)[0]
    assert first["loss"] == pytest.approx(first["contrast"] + first["support"], rel=1e-5)


def test_the_model_can_be_loaded_and_carries_its_label(whole: Path) -> None:
    model = finish(checkpoint.load(whole / "model"))
    assert model.config.name == "tiny"
    card = json.loads((whole / "model" / "card.json").read_text())
    assert card["label"] == "made for a test"
    assert card["digest"] == hashlib.sha256((whole / "model" / checkpoint.WEIGHTS).read_bytes()).hexdigest()
    assert set(card["validation"]) == {"contrast", "writing", "boxes"}
    assert card["support"]["sentences"] > 0  # its score was calibrated
    # Whoever judges the model must know which patients taught it.
    assert (card["data"]["train"], card["data"]["validation"]) == ([1_000_000, 2000], [2_000_000, 64])


def test_a_stage_changes_only_its_parts(whole: Path) -> None:
    before, after = (load_file(whole / f"best-{name}.safetensors") for name in ("writing", "boxes"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("box_head.") for name in changed)


@pytest.mark.parametrize("stop_after", ["contrast: step 1 of 3", "writing: step 3 of 5"])
def test_a_run_that_was_stopped_goes_on_to_the_same_losses(
    whole: Path, tmp_path: Path, config: ModelConfig, stop_after: str
) -> None:
    work = running(tmp_path, config)
    for progress in work:
        if progress.stage.startswith(stop_after):
            break
    work.close()
    torch.manual_seed(12345)  # what happens between does not matter
    finish(running(tmp_path, config))
    assert lines(tmp_path) == lines(whole)
    ours, theirs = (load_file(folder / "model" / checkpoint.WEIGHTS) for folder in (tmp_path, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_training_that_is_done_is_not_done_again(whole: Path, config: ModelConfig) -> None:
    before = lines(whole)
    finish(running(whole, config))
    assert lines(whole) == before


def test_a_folder_of_another_recipe_is_left_alone(whole: Path, config: ModelConfig) -> None:
    with pytest.raises(InputRefused, match="the training of another recipe"):
        finish(running(whole, config, replace(RECIPE, seed=1)))


def test_the_best_weights_are_those_with_the_lowest_validation_loss(whole: Path) -> None:
    card = json.loads((whole / "model" / "card.json").read_text())
    for stage, best in card["validation"].items():
        assert best["loss"] == min(x["loss"] for x in lines(whole) if x["kind"] == "validation" and x["stage"] == stage)


def test_the_rate_climbs_and_falls() -> None:
    stage = Stage("s", 10, {"writing": 1.0}, learning_rate=1.0, warm_up=4)
    assert [learning_rate(stage, n) for n in (0, 1, 3)] == [0.25, 0.5, 1.0]
    assert learning_rate(stage, 4) == pytest.approx(1.0)
    assert learning_rate(stage, 7) == pytest.approx(0.1 + 0.9 / 2)  # half-way down
    assert learning_rate(stage, 10) == pytest.approx(0.1)
