"""Known answers on plain solids, upright and on an oblique, anisotropic, left-handed grid."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.measure.examine import measure
from RegionReportLib.progress import finish
from RegionReportLib.report.measurement import QUANTITIES, Measurement

LUNG_ML = 80 * 120 * 180 / 1000
# The heart's ball bulges 20 mm into the left lung: a cap of π h² (3 r − h) / 3.
BULGE_ML = 60.7


def value(found: dict[str, Measurement], name: str) -> float:
    got = found[name].value
    assert got is not None, found[name].reason
    return got


def test_every_quantity_of_the_plain_chest_has_its_known_value(plain) -> None:
    found = plain[2]
    assert value(found, "lungs.volume.right") == pytest.approx(LUNG_ML, rel=0.02)
    assert value(found, "lungs.volume.left") == pytest.approx(LUNG_ML - BULGE_ML, rel=0.02)
    assert value(found, "lungs.volume") == pytest.approx(2 * LUNG_ML - BULGE_ML, rel=0.02)
    assert value(found, "lungs.mean_density") == pytest.approx(-860, abs=8)
    assert value(found, "lungs.density_percentile_15") == pytest.approx(-860, abs=2)
    assert value(found, "airways.transverse_diameter.trachea") == pytest.approx(16, abs=1.5)
    assert value(found, "airways.sagittal_diameter.trachea") == pytest.approx(20, abs=1.5)
    assert value(found, "airways.tracheal_index.trachea") == pytest.approx(0.8, abs=0.08)
    # Both bronchi leave at atan(30 / 35) from the midline.
    assert value(found, "airways.carina_angle") == pytest.approx(2 * np.degrees(np.arctan(30 / 35)), abs=5)
    assert value(found, "mediastinum.mediastinal_width") == pytest.approx(100, abs=2.5)
    assert value(found, "heart_great_vessels.heart_width") == pytest.approx(110, abs=2.5)
    assert value(found, "heart_great_vessels.thorax_width") == pytest.approx(260, abs=2.5)
    assert value(found, "heart_great_vessels.cardiothoracic_ratio") == pytest.approx(110 / 260, abs=0.015)
    assert value(found, "heart_great_vessels.blood_density") == pytest.approx(40, abs=1)
    assert value(found, "heart_great_vessels.calcium_volume") == 0
    assert value(found, "bones.trabecular_density.vertebrae") == pytest.approx(180, abs=3)
    assert value(found, "bones.count.vertebrae") == 3
    assert value(found, "upper_abdomen.liver_density.liver") == pytest.approx(58, abs=1)


def test_a_healthy_chest_has_no_findings(plain) -> None:
    found = plain[2]
    for side in ("right", "left"):
        assert value(found, f"lungs.fluid_volume.{side}") == 0
        assert value(found, f"lungs.extrapulmonary_air_volume.{side}") == 0
        assert value(found, f"lungs.dense_volume.{side}") == 0
        assert found[f"lungs.longest_diameter.{side}"].value is None


def test_each_measurement_has_a_place_within_its_structure(plain) -> None:
    grid, masks, found = plain
    for m in found.values():
        if m.value is None or m.quantity in ("transverse_diameter", "sagittal_diameter", "tracheal_index"):
            continue
        assert m.place is not None, m.id
        assert m.place.box.contains(m.place.point_mm), m.id
        assert grid.box.intersection(m.place.box) is not None, m.id
        if m.region_id == "lungs" and m.side is not None:
            index = grid.index_at(m.place.point_mm)
            assert index is not None
            assert masks.structures[masks.labels[index] - 1] == f"lung_{m.side.value}", m.id


def test_ids_are_unique_and_quantities_and_units_are_those_of_the_table(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    found = finish(measure(volume, masks))
    assert len({m.id for m in found}) == len(found)
    assert all(m.unit == QUANTITIES[m.quantity] for m in found)
    told = {m.quantity for m in found}
    assert told == set(QUANTITIES), "each quantity of the table is told, known or with a reason"


def test_the_same_scan_stored_the_other_way_round_gives_the_same_numbers(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    order = (1, 2, 0)
    affine = upright.affine.copy()
    # Axes permuted (k, j, i) → (j, i, k), then the first of them reversed.
    affine[:3, :3] = upright.affine[:3, [2, 0, 1]]
    affine[:3, 2] = -upright.affine[:3, 1]
    affine[:3, 3] = upright.to_ras([0, upright.shape_kji[1] - 1, 0])
    grid = Grid(tuple(upright.shape_kji[a] for a in order), affine)
    turned = Volume(volume.hu.transpose(order)[::-1], grid, volume.provenance)
    labels = np.ascontiguousarray(masks.labels.transpose(order)[::-1])
    other = RegionMasks(labels, grid, masks.structures, masks.method, masks.coverage, {})
    before = {m.id: m.value for m in finish(measure(volume, masks))}
    after = {m.id: m.value for m in finish(measure(turned, other))}
    assert before.keys() == after.keys()
    for name, number in before.items():
        if number is None:
            assert after[name] is None
        else:
            assert after[name] == pytest.approx(number, abs=0.02 * abs(number) + 0.5), name


def test_progress_rises_to_the_end_and_is_told_often(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    told: list[float] = []
    finish(measure(volume, masks), lambda p: told.append(p.fraction))
    assert told == sorted(told)
    assert len(told) >= 10


def test_cancelling_half_way_leaves_nothing_running(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    work = measure(volume, masks)
    next(work)
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_empty_masks_are_refused(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    nothing = RegionMasks(np.zeros_like(masks.labels), upright, masks.structures, "by hand", masks.coverage, {})
    with pytest.raises(InputRefused, match="empty"):
        finish(measure(volume, nothing))


def test_masks_of_another_grid_are_refused(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    moved = Grid(upright.shape_kji, upright.affine @ np.diag([1.0, 1.0, 1.1, 1.0]))
    with pytest.raises(ValueError, match="masks lie on"):
        finish(measure(Volume(volume.hu, moved, volume.provenance), masks))


def test_with_only_one_lung_what_needs_two_is_unknown_with_a_reason(chest, upright: Grid) -> None:
    volume, masks = chest.on(upright)
    labels = masks.labels.copy()
    labels[np.isin(labels, masks.values(["lung_left", "heart_great_vessels", "trachea", "main_bronchi"]))] = 0
    coverage = dict.fromkeys(REGION_IDS, Coverage.PARTIAL)
    half = RegionMasks(labels, upright, masks.structures, "by hand", coverage, {})
    found = {m.id: m for m in finish(measure(volume, half))}
    assert value(found, "lungs.volume.right") == pytest.approx(LUNG_ML, rel=0.03)
    unknown = (
        "lungs.volume",
        "lungs.volume.left",
        "lungs.fluid_volume.left",
        "airways.transverse_diameter.trachea",
        "airways.carina_angle",
        "mediastinum.mediastinal_width",
        "heart_great_vessels.heart_width",
        "heart_great_vessels.thorax_width",
        "heart_great_vessels.cardiothoracic_ratio",
        "heart_great_vessels.blood_density",
        "heart_great_vessels.calcium_volume",
    )
    for name in unknown:
        assert found[name].value is None, name
        assert found[name].reason, name


@pytest.fixture
def small() -> Callable[[np.ndarray], Volume]:
    grid = Grid((8, 8, 8), np.eye(4))
    return lambda hu: Volume(hu.astype(np.int16), grid, Provenance("", "phantom"))


def test_a_few_voxels_of_lung_are_no_lung_and_break_nothing(small) -> None:
    volume = small(np.full((8, 8, 8), -850))
    labels = np.zeros((8, 8, 8), dtype=np.uint8)
    labels[4, 4, 4] = 1
    masks = RegionMasks(
        labels, volume.grid, ("lung_right",), "by hand", dict.fromkeys(REGION_IDS, Coverage.PARTIAL), {}
    )
    found = {m.id: m for m in finish(measure(volume, masks))}
    assert all(m.value is None for m in found.values())
    assert "less than 50 mL" in found["lungs.volume.right"].reason


def test_the_width_is_taken_at_the_vessel_that_runs_from_front_to_back(made: SimpleNamespace, grid: Grid) -> None:
    chest = made.plain_chest()
    for side, name in ((1, "lung_right"), (-1, "lung_left")):
        low, high = sorted((side * 30.0, side * 50.0))
        chest.paint(name, -860, made.block((low, -60, 75), (high, 60, 120)))
    chest.paint("heart_great_vessels", 40, made.block((-12, -20, 78), (12, 50, 102)))
    # 15 mm below the arch's top at 102 mm; 20 mm above the carina at 45 mm it would be 100 mm wide.
    assert chest.measured(grid)["mediastinum.mediastinal_width"].value == pytest.approx(60, abs=3)
