"""Texture comes from the crop alone and geometry from the mask alone; sizes are Reg2RG's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.network import RegionReporter
from RegionReportLib.model.presets import region_report

Make = Callable[..., RegionReporter]
# A region's prompt: slot, mask, spatial, two of texture, geometry, three of structure, end.
TEXTURE, GEOMETRY, STRUCTURE = slice(3, 5), slice(5, 6), slice(6, 9)


def prompt(model: RegionReporter, study: StudyInputs, region_id: str = "lungs") -> torch.Tensor:
    with torch.inference_mode():
        return model.region_prompt(study, region_id)[0]


def test_another_crop_changes_the_texture_of_its_region_and_nothing_else(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter()
    crops = toy_study.crops.clone()
    crops[0] = 255 - crops[0]
    other = replace(toy_study, crops=crops)
    one, two = prompt(model, toy_study), prompt(model, other)
    same = torch.isclose(one, two).all(dim=1).tolist()
    assert same == [n not in range(TEXTURE.start, TEXTURE.stop) for n in range(len(one))]
    assert torch.equal(prompt(model, toy_study, "bones"), prompt(model, other, "bones"))


def test_another_mask_changes_the_geometry_and_not_the_texture(toy_reporter: Make, toy_study: StudyInputs) -> None:
    model = toy_reporter()
    masks = toy_study.masks.clone()
    masks[0] = masks[0].flip(0, 1)
    one, two = prompt(model, toy_study), prompt(model, replace(toy_study, masks=masks))
    assert torch.equal(one[TEXTURE], two[TEXTURE])
    assert not torch.allclose(one[GEOMETRY], two[GEOMETRY])
    assert not torch.allclose(one[1:2], two[1:2])  # the mask token
    assert not torch.allclose(one[2:3], two[2:3])  # the spatial token


def test_another_image_under_the_same_mask_leaves_texture_and_geometry(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    model = toy_reporter()
    one, two = prompt(model, toy_study), prompt(model, replace(toy_study, slices=255 - toy_study.slices))
    assert torch.equal(one[TEXTURE], two[TEXTURE])
    assert torch.equal(one[GEOMETRY], two[GEOMETRY])
    assert not torch.allclose(one[1:2], two[1:2])
    assert not torch.allclose(one[STRUCTURE], two[STRUCTURE])


def test_the_full_size_has_the_33_tokens_of_reg2rg() -> None:
    assert region_report().local_tokens == 33


def test_fresh_texture_tokens_differ_between_crops_as_much_as_among_themselves(
    toy_reporter: Make, toy_study: StudyInputs
) -> None:
    texture = toy_reporter().visual.texture
    crops = torch.rand(8, *toy_study.crops.shape[1:])
    with torch.inference_mode():
        tokens = texture(crops)  # (8, latents, width)
    between, among = tokens.std(dim=0).mean(), tokens.std(dim=1).mean()
    assert between > 0.2 * among  # latents that outshout what they read gave less than a hundredth
