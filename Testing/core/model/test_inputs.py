"""From scan and masks to tensors: places, windows, crops and slots, on an oblique left-handed grid too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.box import Box
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.model.config import ModelConfig
from RegionReportLib.model.inputs import (
    StudyInputs,
    crop_of,
    pooled,
    sample_shape,
    shuffled,
    study_inputs,
    target_of,
    windowed,
    working_grid,
)
from RegionReportLib.progress import finish

LUNG, BONE = "lung_right", "sternum"
NAMES = (LUNG, BONE)


def oblique_grid() -> Grid:
    """Left-handed, anisotropic, turned by 20 degrees about z and 10 about x."""
    a, b = np.deg2rad(20), np.deg2rad(10)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn = turn @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.5, 1.5, 4.0])
    affine[:3, 3] = (70.0, -60.0, 900.0)
    return Grid((40, 90, 100), affine)


def scan(grid: Grid, blocks: dict[str, tuple[slice, slice, slice]], hu: dict[str, int]) -> tuple[Volume, RegionMasks]:
    values = np.full(grid.shape_kji, -1000, np.int16)
    labels = np.zeros(grid.shape_kji, np.uint8)
    for n, name in enumerate(NAMES, start=1):
        if name in blocks:
            labels[blocks[name]] = n
            values[blocks[name]] = hu[name]
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    return Volume(values, grid, Provenance("made", "phantom")), RegionMasks(labels, grid, NAMES, "made", coverage, {})


def inputs_of(made: tuple[Volume, RegionMasks], config: ModelConfig) -> StudyInputs:
    return finish(study_inputs(*made, config))


def test_the_working_grid_fills_its_box_from_right_front_below() -> None:
    grid = working_grid(Box((-100.0, -50.0, 10.0), (100.0, 70.0, 40.0)), (3, 6, 10))
    assert grid.spacing_mm == (20.0, 20.0, 10.0)
    assert grid.to_ras((0, 0, 0)).tolist() == [90.0, 60.0, 15.0]
    assert grid.to_ras((9, 5, 2)).tolist() == [-90.0, -40.0, 35.0]
    assert grid.box == Box((-100.0, -50.0, 10.0), (100.0, 70.0, 40.0))


def test_image_and_mask_lie_where_the_patient_has_them_on_an_oblique_grid(toy_config: ModelConfig) -> None:
    grid = oblique_grid()
    blocks = {
        LUNG: (slice(4, 34), slice(10, 80), slice(10, 90)),
        BONE: (slice(24, 30), slice(60, 70), slice(20, 35)),
    }
    finer = replace(toy_config, slices=replace(toy_config.slices, size=(40, 48, 48), sample_mm=2.0), box=None)
    made = inputs_of(scan(grid, blocks, {LUNG: -800, BONE: 700}), finer)
    there = grid.to_ras((27.0, 64.5, 26.5))  # the middle of the bone, whose block was painted over the lung's
    # Four slices of 40 mm could not tell: these are of 4 mm.
    for weight in (made.masks[4], made.slices[:, 2]):  # its mask; bright in the bone window
        k, j, i = np.indices(weight.shape)
        mass = weight.double().numpy()
        mean = [float((axis * mass).sum() / mass.sum()) for axis in (i, j, k)]
        assert np.allclose(made.frame.to_ras(mean), there, atol=1.0)  # a quarter of a voxel
    assert made.masks[1].sum() == 0  # no airways


def test_the_voxels_of_a_mask_keep_their_volume(toy_config: ModelConfig) -> None:
    grid = oblique_grid()
    made = inputs_of(scan(grid, {LUNG: (slice(5, 30), slice(20, 70), slice(20, 80))}, {LUNG: -800}), toy_config)
    ml = float(made.masks[0].double().sum()) / 255 * made.frame.voxel_ml
    assert ml == pytest.approx(25 * 50 * 60 * 1.5 * 1.5 * 4.0 / 1000, rel=0.03)


def test_the_frame_follows_the_masks_and_not_the_field_of_view(toy_config: ModelConfig) -> None:
    block = (slice(10, 20), slice(30, 50), slice(40, 60))
    small = Grid((30, 60, 70), np.diag([2.0, 2.0, 3.0, 1.0]))
    large = Grid((50, 100, 110), np.diag([2.0, 2.0, 3.0, 1.0]))
    one, two = (inputs_of(scan(g, {LUNG: block}, {LUNG: -700}), toy_config) for g in (small, large))
    assert one.frame == two.frame
    # 80..120, 60..100 and 30..60 mm with half a voxel less and 10 mm more on each side; slices are square.
    assert np.allclose(one.frame.box.min_mm, (79 - 10, 59 - 10, 28.5 - 10))
    assert np.allclose(one.frame.box.max_mm, (119 + 10, 99 + 10, 58.5 + 10))


def test_masks_may_lie_on_a_grid_of_their_own(toy_config: ModelConfig) -> None:
    grid = oblique_grid()
    volume, masks = scan(grid, {LUNG: (slice(4, 34), slice(10, 80), slice(10, 90))}, {LUNG: -800})
    part = (slice(2, 36), slice(8, 82), slice(8, 92))
    own = RegionMasks(
        masks.labels[part], grid.crop((2, 8, 8), (34, 74, 84)), NAMES, "made", masks.coverage, masks.coverage_notes
    )
    one, other = inputs_of((volume, masks), toy_config), inputs_of((volume, own), toy_config)
    assert np.allclose(one.frame.affine, other.frame.affine)
    assert torch.equal(one.masks, other.masks)
    assert torch.equal(one.slices, other.slices)


def test_a_scan_of_one_slice_is_shown(toy_config: ModelConfig) -> None:
    grid = Grid((1, 60, 70), np.diag([2.0, 2.0, 5.0, 1.0]))
    made = inputs_of(scan(grid, {LUNG: (slice(0, 1), slice(10, 50), slice(10, 60))}, {LUNG: -800}), toy_config)
    assert made.slices.shape == (4, 3, 24, 24)
    assert made.masks[0].any()


def test_a_whole_body_is_drawn_coarser_and_not_in_more_memory() -> None:
    chest = Box((0.0, 0.0, 0.0), (350.0, 350.0, 300.0))
    body = Box((0.0, 0.0, 0.0), (600.0, 600.0, 1900.0))
    assert sample_shape(chest, 1.0) == (300, 350, 350)
    assert 50_000_000 < np.prod(sample_shape(body, 1.0)) < 62_000_000


def test_masks_without_a_voxel_are_refused(toy_config: ModelConfig) -> None:
    with pytest.raises(InputRefused, match="empty"):
        inputs_of(scan(oblique_grid(), {}, {}), toy_config)


def test_windows_are_those_of_lung_soft_tissue_and_bone() -> None:
    hu = torch.tensor([-1350.0, -600.0, 40.0, 240.0, 400.0, 3000.0])
    lung, soft, bone = windowed(hu).tolist()
    assert lung == [0, 128, 236, 255, 255, 255]  # 750/1500 of 255 is 127.5, to even
    assert soft == [0, 0, 128, 255, 255, 255]
    assert bone == [0, 0, 66, 100, 128, 255]


def test_blocks_of_voxels_become_their_means() -> None:
    values = np.arange(16, dtype=np.int16).reshape(2, 2, 4)
    assert pooled(values, (1, 1, 2)).tolist() == [[[6.5, 8.5]]]


def test_a_crop_shows_the_region_alone_and_not_where_it_lies() -> None:
    rng = np.random.default_rng(1)
    texture = rng.integers(-300, 300, (4, 4, 4)).astype(np.int16)
    crops = []
    for at in (1, 5):
        hu = np.full((12, 12, 12), 900, np.int16)
        inside = np.zeros(hu.shape, bool)
        block = (slice(at, at + 4),) * 3
        hu[block] = texture
        inside[block] = True
        inside[at, at, at] = False
        crops.append(crop_of(hu, inside, (4, 4, 4)))
    assert torch.equal(crops[0], crops[1])
    # In the crop the axes are (h, w, d) = (j, i, k); the bone around is not seen, nor what the mask leaves out.
    expected = windowed(torch.from_numpy(texture).float())[:, 3, 1, 2]
    assert crops[0][:, 1, 2, 3].tolist() == expected.tolist()
    assert crops[0][:, 0, 0, 0].tolist() == windowed(torch.tensor(-1024.0)).tolist()


def test_an_empty_region_has_a_black_crop() -> None:
    assert not crop_of(np.zeros((3, 3, 3), np.int16), np.zeros((3, 3, 3), bool), (2, 2, 2)).any()


def test_shuffling_changes_slots_and_neither_images_nor_targets(toy_study: StudyInputs) -> None:
    generator = torch.Generator().manual_seed(3)
    orders = {shuffled(toy_study, generator).slots for _ in range(20)}
    assert len(orders) > 15
    made = shuffled(toy_study, torch.Generator().manual_seed(3))
    again = shuffled(toy_study, torch.Generator().manual_seed(3))
    assert made.slots == again.slots != toy_study.slots
    assert sorted(made.slots) == sorted(REGION_IDS)
    assert made.masks is toy_study.masks
    assert made.regions == toy_study.regions
    for region_id in REGION_IDS:
        assert made.slots[made.slot(region_id)] == region_id
        assert made.index(region_id) == toy_study.index(region_id)


def test_a_target_names_the_region_first_and_says_when_there_is_nothing() -> None:
    assert target_of("bones", " Old fracture <box>. ") == "Osseous structures: Old fracture <box>."
    assert target_of("lungs", None) == "Lungs: <none>"
    assert target_of("lungs", "  ") == "Lungs: <none>"


@pytest.mark.parametrize(
    "wrong",
    [
        {"slots": ("lungs",) * 6},
        {"masks": torch.zeros(5, 4, 24, 24, dtype=torch.uint8)},
        {"slices": torch.zeros(4, 3, 24, 20, dtype=torch.uint8)},
        {"slices": torch.zeros(4, 1, 24, 24, dtype=torch.uint8)},
    ],
)
def test_inputs_that_do_not_fit_each_other_cannot_be_made(toy_study: StudyInputs, wrong: dict[str, Any]) -> None:
    fields = {
        name: getattr(toy_study, name)
        for name in ("slices", "masks", "crops", "attributes", "frame", "regions", "slots")
    }
    with pytest.raises(ValueError, match=r"slots|masks|slices"):
        StudyInputs(**{**fields, **wrong})
