"""Calibre of bent and tilted tubes of known radius, whatever way the voxels lie."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.resample import nearest, resampled
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.measure.frame import frame_of
from RegionReportLib.measure.scan import Scan
from RegionReportLib.measure.vessels import vessel_measurements
from RegionReportLib.progress import finish
from RegionReportLib.report.measurement import Measurement
from RegionReportLib.segment.given import read_given

ASCENDING, DESCENDING, LARGEST, TRUNK, RATIO = (
    "heart_great_vessels.transverse_diameter.aorta.ascending",
    "heart_great_vessels.transverse_diameter.aorta.descending",
    "heart_great_vessels.transverse_diameter.aorta.largest",
    "heart_great_vessels.transverse_diameter.pulmonary_artery",
    "heart_great_vessels.pulmonary_aortic_ratio.pulmonary_artery",
)


def line(*corners: tuple[float, float, float]) -> np.ndarray:
    """Points 1 mm apart along a polyline."""
    parts = [
        a + np.linspace(0, 1, int(np.linalg.norm(b - a)) + 1)[:, None] * (b - a)
        for a, b in zip(np.array(corners, float), np.array(corners[1:], float), strict=False)
    ]
    return np.concatenate(parts)


def hook() -> tuple[np.ndarray, np.ndarray]:
    """An aorta: 34 mm wide and leaning 20° forwards as it ascends, a half ring of 30 mm, then 24 mm wide downwards."""
    lean = np.tan(np.radians(20.0)) * 60
    up = line((10, 30 + lean, -30), (10, 30, 30))
    turn = np.linspace(0, np.pi, 95)[:, None]
    arch = np.array([0.0, 0.0, 30.0]) + np.cos(turn) * np.array([10.0, 30, 0]) + np.sin(turn) * np.array([0, 0, 30.0])
    down = line((-10, -30, 30), (-10, -30, -70))
    radii = np.concatenate([np.full(len(up), 17.0), np.linspace(17, 12, len(arch)), np.full(len(down), 12.0)])
    return np.concatenate([up, arch, down]), radii


def forked(made: SimpleNamespace):
    """A pulmonary artery: a trunk of 26 mm leaning back, branches of 18 mm to either side."""
    trunk = line((-15, 62, -35), (-15, 30, 0))
    left, right = line((-15, 30, 0), (-60, 5, 0)), line((-15, 30, 0), (60, -5, 0))
    wide, narrow = made.pipe(trunk, 13.0), made.pipe(np.concatenate([left, right]), 9.0)
    return lambda p: wide(p) | narrow(p)


def grid_of(made: SimpleNamespace, axes: np.ndarray, spacing: tuple[float, float, float] = (1.5, 1.8, 2.2)) -> Grid:
    return made.turned_grid((0, 10, -5), (130, 170, 190), spacing, axes)


def measured(scan: Scan) -> dict[str, Measurement]:
    return {m.id: m for m in finish(vessel_measurements(scan))}


@pytest.mark.parametrize(
    ("axis", "degrees"), [("x", 0.0), ("x", 20.0), ("y", 20.0), ("z", 20.0), ("left-handed oblique", 0.0)]
)
def test_a_bent_aorta_has_its_calibre_across_the_vessel_however_the_grid_lies(
    made: SimpleNamespace, axis: str, degrees: float
) -> None:
    axes = made.oblique_axes() if axis.startswith("left") else made.rotation(axis, degrees)
    scan = made.scan_of(grid_of(made, axes), [("aorta", 300, made.pipe(*hook()))])
    found = measured(scan)
    assert found[ASCENDING].value == pytest.approx(34, abs=0.7)
    assert found[DESCENDING].value == pytest.approx(24, abs=0.7)
    assert found[LARGEST].value == pytest.approx(34, abs=0.7)
    place = found[ASCENDING].place
    assert place is not None and place.structure == "aorta"
    assert place.point_mm[1] > 20 and abs(place.point_mm[0] - 10) < 3
    assert found[DESCENDING].place.point_mm[1] == pytest.approx(-30, abs=2)


def test_a_tube_tilted_by_40_degrees_is_not_wider_than_an_upright_one(made: SimpleNamespace) -> None:
    tilt = np.tan(np.radians(40.0)) * 100
    tube = made.pipe(line((0, -tilt / 2, -50), (0, tilt / 2, 50)), 15.0)
    scan = made.scan_of(grid_of(made, made.oblique_axes()), [("aorta", 300, tube)])
    # An axial slice would show 30 / cos 40° = 39 mm.
    assert measured(scan)[LARGEST].value == pytest.approx(30, abs=0.6)


def test_a_bulge_is_found_where_it_is(made: SimpleNamespace) -> None:
    points, radii = hook()
    at = np.array([-10.0, -30, -20])
    bulge = np.maximum(radii, 24.0 - 0.03 * ((points - at) ** 2).sum(axis=1))
    found = measured(made.scan_of(grid_of(made, np.eye(3)), [("aorta", 300, made.pipe(points, bulge))]))
    largest = found[LARGEST]
    assert largest.value == pytest.approx(48, abs=2)
    assert largest.reason.startswith("descending aorta")
    assert largest.place.point_mm == pytest.approx(tuple(at), abs=4)


def test_the_trunk_is_measured_before_it_forks_and_compared_with_the_ascending_aorta(made: SimpleNamespace) -> None:
    painted = [("pulmonary_artery", 350, forked(made)), ("aorta", 300, made.pipe(*hook()))]
    aside = np.array([0, 30.0, 0])  # the artery in front of the aorta, so that neither cuts the other
    painted[0] = ("pulmonary_artery", 350, lambda p: forked(made)(p - aside))
    grid = made.turned_grid((0, 25, -5), (190, 220, 190), (1.5, 1.8, 2.2), made.oblique_axes())
    found = measured(made.scan_of(grid, painted))
    assert found[TRUNK].value == pytest.approx(26, abs=1)
    assert found[RATIO].value == pytest.approx(26 / 34, abs=0.04)
    assert found[TRUNK].place.point_mm[2] < 0


def test_a_lone_descending_aorta_is_named_by_the_spine_behind_it(made: SimpleNamespace) -> None:
    tube = made.pipe(line((-15, -20, -70), (-15, -20, 70)), 12.0)
    spine = made.block((-18, -70, -80), (18, -35, 80))
    scan = made.scan_of(grid_of(made, np.eye(3)), [("vertebrae_T8", 200, spine), ("aorta", 300, tube)])
    found = measured(scan)
    assert found[DESCENDING].value == pytest.approx(24, abs=0.6)
    assert found[ASCENDING].value is None
    assert "too little of the ascending aorta" in found[ASCENDING].reason
    assert found[RATIO].value is None


def test_below_the_top_of_l1_the_aorta_is_abdominal(made: SimpleNamespace) -> None:
    tube = made.pipe(line((-15, -20, -90), (-15, -20, 80)), 12.0)
    spine = [
        ("vertebrae_T12", 200, made.block((-18, -70, 0), (18, -35, 80))),
        ("vertebrae_L1", 200, made.block((-18, -70, -90), (18, -35, 0))),
    ]
    found = measured(made.scan_of(grid_of(made, np.eye(3)), [*spine, ("aorta", 300, tube)]))
    assert found[DESCENDING].place.point_mm[2] > 0


def test_without_masks_of_the_vessels_nothing_is_claimed(made: SimpleNamespace) -> None:
    found = measured(made.scan_of(grid_of(made, np.eye(3), (4, 4, 4)), [("liver", 60, made.ball((0, 0, 0), 40))]))
    assert [m.value for m in found.values()] == [None] * 5
    assert found[LARGEST].reason == "aorta not in the masks"
    assert found[TRUNK].reason == "pulmonary artery not in the masks"


def test_a_section_cut_by_the_edge_of_the_scan_does_not_count(made: SimpleNamespace) -> None:
    tube = made.pipe(line((0, 0, -100), (0, 0, 100)), 15.0)
    grid = made.turned_grid((10, 0, 0), (26, 80, 160), (1.5, 1.5, 1.5), np.eye(3))
    assert measured(made.scan_of(grid, [("aorta", 300, tube)]))[LARGEST].value is None


@pytest.mark.real_data
def test_the_aorta_of_a_real_scan_is_plausible_and_stable_when_the_grid_turns(
    made: SimpleNamespace, real_data: Path
) -> None:
    folder = real_data / "ts-cta"
    volume = finish(read_volume(folder / "ct.nii.gz"))
    names = {int(n): name for n, name in json.loads((folder / "labels.json").read_text()).items()}
    masks = finish(read_given(folder / "labels.nii.gz", volume, names)).masks
    straight = measured(_scan(volume, masks))
    assert 25 < straight[ASCENDING].value < 38
    assert 20 < straight[DESCENDING].value < 38
    assert 18 < straight[TRUNK].value < 32
    for axis in "xy":
        grid = made.turned_grid(volume.grid.box.center_mm, (255, 270, 315), (1.5,) * 3, made.rotation(axis, 20.0))
        hu = resampled(np.asarray(volume.hu).astype(np.float32), volume.grid, grid, -1024).astype(np.int16)
        labels = nearest(masks.labels, masks.grid, grid)
        turned = RegionMasks(labels, grid, masks.structures, masks.method, masks.coverage, masks.coverage_notes)
        found = measured(_scan(Volume(hu, grid, volume.provenance), turned))
        for name in (ASCENDING, DESCENDING, LARGEST, TRUNK):
            assert found[name].value == pytest.approx(straight[name].value, abs=1.0), name


def _scan(volume: Volume, masks: RegionMasks) -> Scan:
    from RegionReportLib.measure.contrast import blood_pool

    frame = finish(frame_of(volume, masks))
    return Scan(volume, masks, frame, masks.bounds(), blood_pool(volume, frame))
