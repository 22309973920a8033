"""The ten regions of the model from the structures of ours: unions, reasons, nothing silently empty."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, structure
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.model.reg2rg_regions import PUBLISHED_REGIONS, REGION_NAMES, masks_of, published_region

STRUCTURES = ("lung_left", "pleural_effusion_left", "heart", "aorta", "trachea", "spinal_cord", "esophagus")


def masks(coverage: Coverage = Coverage.COMPLETE, without: int = 0) -> RegionMasks:
    labels = np.arange(8, dtype=np.uint8).reshape(1, 1, 8)
    labels = np.where(labels == without, 0, labels).astype(np.uint8)
    grid = Grid((1, 1, 8), np.eye(4))
    return RegionMasks(labels, grid, STRUCTURES, "test 1", dict.fromkeys(REGION_IDS, coverage), {})


def labels_in(name: str, given: RegionMasks) -> list[int]:
    mask = dict(masks_of(given))[name]
    assert not isinstance(mask, str), mask
    return np.flatnonzero(mask).tolist()


def test_the_regions_have_the_names_and_the_order_of_the_data_set() -> None:
    assert REGION_NAMES == (
        "abdomen", "bone", "breast", "esophagus", "heart", "lung", "mediastinum", "pleura", "thyroid",
        "trachea and bronchie",
    )  # fmt: skip


def test_every_structure_of_the_table_exists() -> None:
    for region in PUBLISHED_REGIONS:
        for name in (*region.core, *region.also):
            structure(name)


def test_masks_are_unions_of_structures() -> None:
    assert labels_in("lung", masks()) == [1]
    assert labels_in("pleura", masks()) == [1, 2]
    assert labels_in("heart", masks()) == [3]
    assert labels_in("trachea and bronchie", masks()) == [5]
    assert labels_in("esophagus", masks()) == [7]


def test_a_region_without_its_masks_is_left_out_with_a_reason() -> None:
    found = dict(masks_of(masks()))
    assert found["breast"] == "no structure of the segmentation is the breast"
    assert found["thyroid"] == "the segmentation (test 1) holds none of: thyroid_gland"
    assert found["mediastinum"] == "the segmentation (test 1) holds none of: mediastinum"  # vessels alone are none
    assert found["bone"] == "the segmentation (test 1) holds none of: bone, sternum, vertebrae …"  # nor is the cord


def test_a_structure_that_is_named_but_empty_counts_as_missing() -> None:
    assert dict(masks_of(masks(without=3)))["heart"] == (
        "the segmentation (test 1) holds none of: heart, heart_myocardium, heart_atrium_left …"
    )


def test_a_region_outside_the_scan_is_left_out() -> None:
    assert dict(masks_of(masks(Coverage.ABSENT)))["lung"] == "not covered by the scan"


def test_an_unknown_name_is_refused() -> None:
    assert published_region("pleura").region_id == "lungs"
    with pytest.raises(ValueError, match="unknown region 'cerebellum', known are abdomen, bone"):
        published_region("cerebellum")
