"""A recipe file becomes one frozen value, or is refused in one line."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.model.config import SliceChoice
from RegionReportLib.train.recipe import Data, Recipe, Stage, read_recipe, recipe_from

STAGE = {"name": "writing", "steps": 3, "losses": {"writing": 1.0}}
PLAIN: dict[str, Any] = {"name": "short", "stages": [STAGE], "data": {"train": [10, 5], "validation": [20, 5]}}


def refusal(content: Any) -> str:
    with pytest.raises(ValueError) as caught:
        recipe_from(content)
    return str(caught.value)


def test_json_and_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(PLAIN))
    lines = ['name = "short"', "[data]", "train = [10, 5]", "validation = [20, 5]"]
    lines += ["[[stages]]", 'name = "writing"', "steps = 3", "losses = { writing = 1.0 }"]
    (tmp_path / "r.toml").write_text("\n".join(lines))
    read = read_recipe(tmp_path / "r.json")
    assert read == Recipe(
        "short", (Stage("writing", 3, {"writing": 1.0}),), data=Data(train=(10, 5), validation=(20, 5))
    )
    if sys.version_info >= (3, 11):
        assert read_recipe(tmp_path / "r.toml") == read
        assert read_recipe(tmp_path / "r.toml").digest == read.digest


def test_any_change_of_a_recipe_changes_its_digest() -> None:
    first = recipe_from(PLAIN)
    other = recipe_from({**PLAIN, "stages": [{**STAGE, "learning_rate": 2e-4}]})
    assert first.digest != other.digest


def test_what_is_wrong_is_named() -> None:
    assert "stepz" in refusal({**PLAIN, "stages": [{**STAGE, "stepz": 1}]})
    assert "known are" in refusal({**PLAIN, "preset": "huge"})
    assert "share seeds" in refusal({**PLAIN, "data": {"train": [0, 100], "validation": [50, 10]}})
    assert "must not be shown false sentences" in refusal({**PLAIN, "stages": [{**STAGE, "false_boxes": 0.5}]})
    assert "needs stages" in refusal({"name": "empty"})
    assert "losses are" in refusal({**PLAIN, "stages": [{**STAGE, "losses": {"luck": 1.0}}]})
    assert "without names ['wings']" in refusal({**PLAIN, "without": ["wings"]})
    assert "missing" in refusal({"stages": [STAGE]})


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputRefused, match=r"broken\.json"):
        read_recipe(tmp_path / "broken.json")


def test_parts_can_be_switched_off_alone() -> None:
    config = recipe_from({**PLAIN, "without": ["mask_token", "boxes", "even_slices"]}).config
    assert not config.parts.mask_token and config.parts.spatial_token
    assert config.box is None
    assert config.parts.region_slices is SliceChoice.EVEN
    assert recipe_from({**PLAIN, "without": ["region_slices"]}).config.slice_tokens == 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="this Python reads no TOML")
@pytest.mark.parametrize("name", ["demo", "demo_cpu"])
def test_the_demonstration_recipes_are_labelled_and_keep_their_seeds_apart(name: str) -> None:
    with_stages = read_recipe(Path(str(files("RegionReportLib.train") / "recipes" / f"{name}.toml")))
    assert [stage.name for stage in with_stages.stages] == ["seeing", "writing", "boxes"]
    assert "not for patients" in with_stages.label
    spans = [
        set(range(a, a + n)) for a, n in (with_stages.data.train, with_stages.data.validation, with_stages.data.test)
    ]
    assert len(set.union(*spans)) == sum(len(s) for s in spans)
