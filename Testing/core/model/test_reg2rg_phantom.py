"""A simulated patient as the network sees it: crops, slots and ids have the values of the description."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from RegionReportLib.model.reg2rg_inputs import ScanInput, prepare_scan
from RegionReportLib.model.reg2rg_prompt import Words
from RegionReportLib.phantom.case import PhantomCase, make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish

SHOWN = ["abdomen", "bone", "esophagus", "heart", "lung", "mediastinum", "pleura", "trachea and bronchie"]


@pytest.fixture(scope="module")
def case() -> PhantomCase:
    # Stored to left, posterior, superior, so the network's axes are the file's: i, j, k.
    return finish(make_case(Recipe(4, (), Scan(rows=64, step_mm=6.0))))


@pytest.fixture(scope="module")
def scan(case: PhantomCase) -> ScanInput:
    return finish(prepare_scan(case.volume, case.masks))


def bounds(places_kji: np.ndarray) -> tuple[slice, slice, slice]:
    low, high = places_kji.min(axis=0)[::-1], places_kji.max(axis=0)[::-1] + 1
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def test_regions_are_shown_in_the_order_of_the_data_set(scan: ScanInput) -> None:
    assert list(scan.regions) == [name for name in SHOWN if name in scan.regions]
    assert set(scan.regions) | set(scan.skipped) == {*SHOWN, "breast", "thyroid"}
    assert scan.skipped["breast"] == "no structure of the segmentation is the breast"
    assert {"lung", "pleura", "heart", "bone", "abdomen"} <= set(scan.regions)


@pytest.mark.parametrize("name", ["heart", "lung", "pleura"])
def test_a_crop_is_the_box_of_what_is_above_air_in_the_mask(name: str, case: PhantomCase, scan: ScanInput) -> None:
    parts = {
        "heart": [
            s for s in case.masks.structures if s.startswith("heart") or s in ("pericardium", "pericardial_effusion")
        ],
        "lung": ["lung_right", "lung_left", "lung_nodule"],
        "pleura": [s for s in case.masks.structures if s.startswith(("lung_", "pleural_effusion"))],
    }[name]
    mask = np.zeros(case.volume.hu.shape, bool)
    for part in parts:
        mask |= case.masks.structure(part)
    assert scan.regions[name].box == bounds(np.argwhere(mask & (case.volume.hu > -1000)))
    assert scan.box == bounds(np.argwhere(case.volume.hu > -1000))
    share = mask.transpose(2, 1, 0)[scan.box].mean()
    assert scan.regions[name].geometry.mean().item() == pytest.approx(share, rel=0.05)


def test_every_volume_has_the_size_and_the_range_of_the_network(scan: ScanInput) -> None:
    assert scan.image.shape == (256, 256, 64)
    assert (scan.image.min().item(), scan.image.max().item()) == (-1.0, 1.0)
    for region in scan.regions.values():
        assert region.texture.shape == region.geometry.shape == (256, 256, 64)
        assert region.texture.min() >= -1
        assert region.texture.max() <= 1
        assert 0 <= region.geometry.min() < region.geometry.max() <= 1
    # Lung is dark, bone is brighter than the lung that was cut away around it.
    lung, heart = (scan.regions[name].texture for name in ("lung", "heart"))
    assert torch.quantile(lung.flatten()[::61], 0.5) < -0.4
    assert torch.quantile(heart.flatten()[::61], 0.8) > 0.6  # around 30 HU


def test_each_slot_of_the_prompt_has_its_33_ids(scan: ScanInput, published_tokenizer: Tokenizer) -> None:
    count = len(scan.regions)
    ids = Words(published_tokenizer).prompt_ids(count)
    assert [n for n in ids if 32004 <= n < 32036] == list(range(32004, 32036))
    assert [n for n in ids if n >= 32036] == list(range(32036, 32036 + 33 * count))
    assert (ids.count(32000), ids.count(32001), ids.count(32002), ids.count(32003)) == (1, 1, count, count)
    for slot in range(count):
        start = ids.index(32036 + 33 * slot)
        assert ids[start - 1] == 32002
        assert ids[start + 33] == 32003
