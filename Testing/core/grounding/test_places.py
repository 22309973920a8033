"""Places are checked on shapes whose extents are known by construction, straight and on an oblique left-handed grid."""

from __future__ import annotations

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side, Zone
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.place import Place


def oblique_affine() -> np.ndarray:
    """Left-handed, anisotropic (2 × 1.5 × 4 mm), tilted by 20° about x and 10° about z."""
    a, b = np.deg2rad(20), np.deg2rad(10)
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = tilt @ turn @ np.diag([-2.0, 1.5, 4.0])
    assert np.linalg.det(affine[:3, :3]) < 0
    affine[:3, 3] = (60.0, -80.0, -150.0)
    return affine


def masks_of(labels: np.ndarray, names: tuple[str, ...], affine: np.ndarray) -> RegionMasks:
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    return RegionMasks(labels.astype(np.uint8), Grid(shape, affine), names, "by hand", coverage, {})


def find(places: tuple[Place, ...], **wanted: object) -> Place:
    empty = {"structure": None, "side": None, "zone": None}
    (found,) = [p for p in places if all(getattr(p, k) == v for k, v in {**empty, **wanted}.items())]
    return found


@pytest.fixture
def chest() -> RegionMasks:
    """Two cuboid lungs of unequal height and one vertebra on a straight grid of 1 × 1 × 3 mm."""
    labels = np.zeros((40, 60, 80), np.uint8)
    labels[5:35, 10:50, 50:75] = 1  # right lung, x grows to the right of the array: RAS +x is left
    labels[5:29, 10:50, 5:30] = 2
    labels[20:22, 52:58, 38:42] = 3
    affine = np.diag([-1.0, 1.0, 3.0, 1.0])
    return masks_of(labels, ("lung_right", "lung_left", "vertebrae_T7"), affine)


def test_each_region_side_zone_and_structure_has_one_place_and_absent_regions_have_none(chest: RegionMasks) -> None:
    places = finish(places_of(chest))
    keys = [(p.region_id, p.structure, p.side, p.zone) for p in places]
    assert len(set(keys)) == len(keys)
    assert {p.region_id for p in places} == {"lungs", "bones"}
    assert sum(p.zone is not None for p in places) == 6
    assert find(places, region_id="lungs", side=Side.RIGHT, zone=Zone.LOWER).name == "right lung, lower zone"
    assert find(places, region_id="bones", structure="vertebrae_T7").side is None


def test_zones_divide_each_lung_by_its_own_height(chest: RegionMasks) -> None:
    places = finish(places_of(chest))
    # The right lung's voxel centres run from 15 to 102 mm (29 mm a third), the left one's from 15 to 84 mm (23 mm).
    for side, first, third in ((Side.RIGHT, 15.0, 29.0), (Side.LEFT, 15.0, 23.0)):
        lower = find(places, region_id="lungs", side=side, zone=Zone.LOWER)
        middle = find(places, region_id="lungs", side=side, zone=Zone.MIDDLE)
        upper = find(places, region_id="lungs", side=side, zone=Zone.UPPER)
        assert lower.box.min_mm[2] == pytest.approx(first - 1.5)
        assert lower.box.max_mm[2] == pytest.approx(first + third, abs=1.6)
        assert middle.box.min_mm[2] == pytest.approx(first + third, abs=1.6)
        assert upper.box.min_mm[2] == pytest.approx(first + 2 * third, abs=1.6)
        assert upper.box.max_mm[2] == pytest.approx(first + 3 * third + 1.5)


def test_the_box_of_a_structure_holds_its_voxels_to_their_edges(chest: RegionMasks) -> None:
    box = find(finish(places_of(chest)), region_id="bones", structure="vertebrae_T7").box
    assert box.min_mm == pytest.approx((-41.5, 51.5, 58.5))
    assert box.max_mm == pytest.approx((-37.5, 57.5, 64.5))


def test_the_point_of_a_ring_lies_in_the_ring_and_not_in_its_hole() -> None:
    labels = np.zeros((9, 41, 41), np.uint8)
    j, i = np.mgrid[-20:21, -20:21]
    labels[:, (j**2 + i**2 <= 400) & (j**2 + i**2 >= 196)] = 1
    masks = masks_of(labels, ("pericardium",), np.eye(4))
    for place in finish(places_of(masks)):
        at = masks.grid.index_at(place.point_mm)
        assert at is not None and labels[at] == 1


def test_on_an_oblique_left_handed_grid_zones_follow_the_height_of_the_patient() -> None:
    affine = oblique_affine()
    grid = Grid((50, 90, 70), affine)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape_kji), indexing="ij"), axis=-1)
    points = grid.to_ras(index[..., ::-1])
    centre = np.array(grid.box.center_mm)
    # An ellipsoid in the patient's own axes, 60 mm high: its thirds are at ±10 mm whatever the grid does.
    inside = (((points - centre) / (25.0, 30.0, 30.0)) ** 2).sum(axis=-1) <= 1
    masks = masks_of(inside, ("lung_left",), affine)
    places = finish(places_of(masks))
    for zone, low, high in ((Zone.LOWER, -30, -10), (Zone.MIDDLE, -10, 10), (Zone.UPPER, 10, 30)):
        place = find(places, region_id="lungs", side=Side.LEFT, zone=zone)
        assert place.box.min_mm[2] - centre[2] == pytest.approx(low, abs=2.5)
        assert place.box.max_mm[2] - centre[2] == pytest.approx(high, abs=2.5)
        assert low - 1 <= place.point_mm[2] - centre[2] <= high + 1
        voxels = points[inside & (points[..., 2] - centre[2] > low + 2) & (points[..., 2] - centre[2] < high - 2)]
        assert all(place.box.contains(p) for p in voxels)
        at = masks.grid.index_at(place.point_mm)
        assert at is not None and inside[at]
    whole = find(places, region_id="lungs")
    assert all(whole.box.contains(p) for p in points[inside])


def test_a_structure_of_one_voxel_keeps_its_place_in_a_large_scan() -> None:
    labels = np.zeros((60, 120, 120), np.uint8)
    labels[::59, ::119, ::119] = 1
    labels[33, 71, 71] = 2
    places = finish(places_of(masks_of(labels, ("bone", "trachea"), np.eye(4))))
    assert find(places, region_id="airways", structure="trachea").point_mm == (71.0, 71.0, 33.0)
    assert find(places, region_id="bones").box.size_mm == (120.0, 120.0, 60.0)


def test_an_empty_map_has_no_places_and_the_work_tells_growing_progress() -> None:
    work = places_of(masks_of(np.zeros((4, 5, 6)), ("trachea",), np.eye(4)))
    seen: list[Progress] = []
    assert finish(work, seen.append) == ()
    assert [p.fraction for p in seen] == sorted(p.fraction for p in seen)
    assert seen[-1].fraction == 1.0
