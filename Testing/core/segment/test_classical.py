"""The classical segmenter on a tiny chest of known parts: sides, orientations, cuts, refusals, cancelling."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.progress import Progress, finish
from RegionReportLib.segment.choose import segmenter
from RegionReportLib.segment.classical import STRUCTURES, ClassicalSegmenter
from RegionReportLib.segment.coverage import _note

_SPEC = importlib.util.spec_from_file_location("tiny_chest", Path(__file__).with_name("chest.py"))
assert _SPEC is not None and _SPEC.loader is not None
tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny)


def dice(one: Any, other: Any) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def segmented(volume: Volume) -> RegionMasks:
    return finish(ClassicalSegmenter().segment(volume))


def centroid_mm(mask: Any, grid: Grid) -> Any:
    return grid.to_ras(np.argwhere(mask).mean(axis=0)[::-1])


@pytest.fixture(scope="module")
def plain() -> tuple[Volume, dict[str, Any], RegionMasks]:
    volume, parts = tiny.chest(tiny.grid_of((2.5, 2.5, 3.0)), noise_hu=15)
    return volume, parts, segmented(volume)


def test_each_lung_is_found_on_its_own_side(plain: tuple[Volume, dict[str, Any], RegionMasks]) -> None:
    _, parts, masks = plain
    assert dice(masks.structure("lung_right"), parts["lung_right"]) > 0.95
    assert dice(masks.structure("lung_left"), parts["lung_left"]) > 0.95


def test_the_other_organs_lie_where_they_were_put(plain: tuple[Volume, dict[str, Any], RegionMasks]) -> None:
    volume, parts, masks = plain
    assert dice(masks.region("airways"), parts["airway"]) > 0.6
    heart = masks.region("heart_great_vessels")
    assert (heart & parts["heart"]).sum() > 0.8 * parts["heart"].sum()
    vertebrae = masks.structure("vertebrae")
    assert (vertebrae & parts["vertebrae"]).sum() > 0.7 * parts["vertebrae"].sum()
    assert (masks.region("bones") & parts["bone"]).sum() > 0.7 * parts["bone"].sum()
    assert (masks.region("upper_abdomen") & parts["below"]).sum() > 0.6 * parts["below"].sum()
    assert centroid_mm(masks.region("upper_abdomen"), volume.grid)[2] < centroid_mm(heart, volume.grid)[2]


def test_structures_are_those_promised(plain: tuple[Volume, dict[str, Any], RegionMasks]) -> None:
    volume, _, masks = plain
    assert masks.structures == STRUCTURES
    assert masks.grid == volume.grid
    assert set(masks.coverage) == set(REGION_IDS)
    assert masks.method.startswith("classical")


def test_whole_lungs_are_complete_and_the_abdomen_is_cut_below(
    plain: tuple[Volume, dict[str, Any], RegionMasks],
) -> None:
    _, _, masks = plain
    assert masks.coverage["lungs"] is Coverage.COMPLETE
    assert masks.coverage["upper_abdomen"] is Coverage.PARTIAL
    assert "bottom" in masks.coverage_notes["upper_abdomen"]


def test_bones_are_complete_where_the_lungs_are_and_the_wall_is_not_cut(
    plain: tuple[Volume, dict[str, Any], RegionMasks],
) -> None:
    _, _, masks = plain
    assert masks.region("bones")[:3].any() and masks.region("bones")[-3:].any()  # the spine itself goes on
    assert masks.coverage["bones"] is Coverage.COMPLETE
    assert "bones" not in masks.coverage_notes


def test_notes_join_their_places_as_prose_does() -> None:
    assert _note(["bottom"]) == "cut at the bottom of the scan"
    assert _note(["top", "side"]) == "cut at the top and the side of the scan"
    assert _note(["top", "bottom", "side"]) == "cut at the top, the bottom and the side of the scan"


def test_the_canal_lies_within_the_arches_and_is_no_bone(
    plain: tuple[Volume, dict[str, Any], RegionMasks],
) -> None:
    volume, _, masks = plain
    canal = masks.structure("spinal_cord")
    x, y, _ = centroid_mm(canal, volume.grid)
    assert abs(x) < 3 and abs(y + 78) < 5
    assert np.median(volume.hu[canal]) < 100


def _turned(degrees: float) -> Any:
    a = np.deg2rad(degrees)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return about_z @ np.array([[1, 0, 0], [0, np.cos(a / 2), -np.sin(a / 2)], [0, np.sin(a / 2), np.cos(a / 2)]])


@pytest.mark.parametrize(
    ("spacing_mm", "directions"),
    [
        ((2.5, 2.5, 3.0), np.diag([-1.0, -1.0, 1.0])),
        pytest.param((2.5, 2.5, 3.0), np.diag([-1.0, 1.0, -1.0]), marks=pytest.mark.slow),
        pytest.param((2.0, 2.5, 2.0), np.diag([1.0, 1.0, -1.0]), marks=pytest.mark.slow),
        ((2.5, 2.0, 2.0), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])),
        ((2.0, 2.0, 3.0), _turned(15.0) @ np.diag([-1.0, 1.0, 1.0])),
        ((1.6, 1.6, 6.0), np.diag([-1.0, -1.0, 1.0])),
    ],
    ids=["LPS", "left-handed LAI", "RAI", "sagittal slices", "oblique left-handed", "thick slices"],
)
def test_any_orientation_and_spacing_gives_the_same_anatomy(
    plain: tuple[Volume, dict[str, Any], RegionMasks], spacing_mm: tuple[float, float, float], directions: Any
) -> None:
    reference, _, expected = plain
    volume, parts = tiny.chest(tiny.grid_of(spacing_mm, directions), noise_hu=15)
    masks = segmented(volume)
    for name in ("lung_right", "lung_left"):
        assert dice(masks.structure(name), parts[name]) > 0.94
    for region_id in ("lungs", "heart_great_vessels", "upper_abdomen"):
        here = centroid_mm(masks.region(region_id), volume.grid)
        there = centroid_mm(expected.region(region_id), reference.grid)
        np.testing.assert_allclose(here, there, atol=6.0)


@pytest.mark.parametrize(
    ("where", "word"), [(np.s_[36:], "bottom"), (np.s_[:62], "top")], ids=["base missing", "apex missing"]
)
def test_cut_lungs_are_partial_and_the_note_says_where(
    plain: tuple[Volume, dict[str, Any], RegionMasks], where: Any, word: str
) -> None:
    volume, _, _ = plain
    hu = np.ascontiguousarray(volume.hu[where])
    start = where.start or 0
    cut = Volume(hu, volume.grid.crop((start, 0, 0), hu.shape), volume.provenance)
    masks = segmented(cut)
    assert masks.coverage["lungs"] is Coverage.PARTIAL
    assert word in masks.coverage_notes["lungs"]


def test_consolidation_and_fluid_at_the_wall_stay_in_the_lung_region() -> None:
    grid = tiny.grid_of((2.5, 2.5, 3.0))
    volume, parts = tiny.chest(grid, noise_hu=10)
    y = grid.to_ras(np.stack(np.indices(grid.shape_kji)[::-1], axis=-1))[..., 1]
    fluid = parts["lung_right"] & (y < -35)
    hu = volume.hu.copy()
    hu[fluid] = 10
    masks = segmented(Volume(hu, grid, volume.provenance))
    inside = (masks.structure("lung_right") & fluid).sum() / fluid.sum()
    assert inside > 0.6
    assert not (masks.structure("lung_left") & fluid).any()


def test_padding_outside_the_scan_circle_changes_nothing(
    plain: tuple[Volume, dict[str, Any], RegionMasks],
) -> None:
    volume, _, expected = plain
    _, rows, columns = volume.hu.shape
    j, i = np.indices((rows, columns))
    outside = np.hypot((i - columns / 2) / (columns / 2), (j - rows / 2) / (rows / 2)) > 1.0
    hu = volume.hu.copy()
    hu[:, outside] = -3024
    masks = segmented(Volume(hu, volume.grid, volume.provenance, outside_hu=-3024.0))
    assert dice(masks.region("lungs"), expected.region("lungs")) > 0.99


@pytest.mark.parametrize("hu", [-1000, 40], ids=["air", "water"])
def test_a_scan_without_lungs_is_refused(hu: int) -> None:
    grid = Grid((40, 60, 60), np.diag([4.0, 4.0, 4.0, 1.0]))
    with pytest.raises(InputRefused, match="not a chest"):
        segmented(Volume(np.full(grid.shape_kji, hu, np.int16), grid, tiny.chest(grid)[0].provenance))


def test_progress_rises_to_the_end_and_closing_stops_the_work(
    plain: tuple[Volume, dict[str, Any], RegionMasks],
) -> None:
    volume, _, expected = plain
    seen: list[Progress] = []
    again = finish(ClassicalSegmenter().segment(volume), seen.append)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert len({p.stage for p in seen}) >= 5
    work = ClassicalSegmenter().segment(volume)
    for _ in range(len(seen) // 2):
        next(work)
    work.close()
    np.testing.assert_array_equal(again.labels, expected.labels)


def test_segmenters_are_chosen_by_name() -> None:
    assert segmenter("classical").name == "classical"
    with pytest.raises(ValueError, match="known are classical"):
        segmenter("no such")
