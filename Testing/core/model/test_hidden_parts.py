"""Hiding parts of what is seen from the language model, for training and for measuring what a part is worth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from RegionReportLib.model import r2_tokens
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.model.visual_tokens import HIDEABLE, region_columns

Make = Callable[..., RegionReporter]

# Of the toy network: mask 1, spatial 1, texture 2, geometry 1, a query and two patches.
COLUMNS = {
    "mask_token": [0],
    "spatial_token": [1],
    "texture": [2, 3],
    "geometry": [4],
    "structure_tokens": [5, 6, 7],
}


@pytest.mark.parametrize(("part", "gone"), COLUMNS.items())
def test_a_hidden_part_of_a_region_is_zeros_and_all_else_is_as_it_was(
    toy_reporter: Make, toy_study: StudyInputs, part: str, gone: list[int]
) -> None:
    model = toy_reporter()
    whole = model.encode(toy_study)
    less = model.encode(whole, {part})
    kept = [n for n in range(8) if n not in gone]
    assert not less.region_tokens[:, gone].any()
    assert whole.region_tokens[:, gone].any()
    assert torch.equal(less.region_tokens[:, kept], whole.region_tokens[:, kept])
    assert torch.equal(less.global_tokens, whole.global_tokens)
    assert torch.equal(less.slice_tokens, whole.slice_tokens)
    assert less.study.attributes == toy_study.attributes


def test_columns_follow_the_parts_that_there_are(toy_reporter: Make) -> None:
    columns = region_columns(toy_reporter().config)
    assert {name: list(range(8))[where] for name, where in columns.items()} == {**COLUMNS, "finding_token": []}
    columns = region_columns(toy_reporter(findings=("nodule", "effusion")).config)
    assert {name: list(range(9))[where] for name, where in columns.items()} == {**COLUMNS, "finding_token": [8]}


def test_hidden_slices_and_attributes_leave_the_length_of_the_image_part(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter()
    less = model.encode(toy_study, {"global_tokens", "region_slices", "attributes"})
    assert not less.global_tokens.any()
    assert not less.slice_tokens.any()
    assert model.prefix(less).shape[1] == model.config.prefix_tokens


def test_even_slices_stand_in_place_of_those_of_the_regions(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    less = model.encode(toy_study, {"even_slices"})
    even = torch.tensor([0, 1, 1, 2, 3, 3])  # middles of six parts of four slices: 0.33, 1, 1.67, 2.33, 3, 3.67
    tokens = r2_tokens.slice_tokens(less.patches, even, model.config.slice_shrink)
    assert torch.allclose(less.slice_tokens, model.visual.connector(tokens))
    assert not torch.equal(less.slice_tokens, model.encode(toy_study).slice_tokens)


def test_a_part_that_cannot_be_hidden_is_named(toy_reporter: Make, toy_study: StudyInputs) -> None:
    with pytest.raises(ValueError, match="lungs"):
        toy_reporter().encode(toy_study, {"lungs"})
    assert "support" not in HIDEABLE  # it is no token
