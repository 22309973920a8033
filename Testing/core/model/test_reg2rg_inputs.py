"""Preprocessing against the original's records, on traps, and on scans stored in other directions."""

from __future__ import annotations

from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.model.reg2rg_inputs import ScanInput, Where, in_published_axes, prepare, prepare_scan, resized
from RegionReportLib.progress import finish


def recorded(box: dict[str, list[int]]) -> Where:
    h, w, d = (slice(a, b) for a, b in zip(box["start"], box["end"], strict=True))
    return h, w, d


def assert_equals_original(scan: ScanInput, original: Any, record: dict[str, Any]) -> None:
    assert scan.box == recorded(record["global_box"])
    tensors = record["tensors"]
    seen = {"image": scan.image.expand(3, -1, -1, -1)}
    for name, region in scan.regions.items():
        seen[f"region:{name}"] = region.texture.expand(3, -1, -1, -1)
        seen[f"mask:{name}"] = region.geometry
        assert region.box == recorded(record["regions"][name]["crop_box"])
    assert set(seen) == set(tensors) - {"mask:thyroid"}  # the original keeps an empty mask and never reads it
    bad = {name: original.misses(tensors[name], tensor, 1e-5) for name, tensor in seen.items()}
    assert not {name: missed for name, missed in bad.items() if missed}
    assert scan.skipped == {"thyroid": "its mask is empty"}


def test_the_files_of_the_data_set_are_prepared_as_by_the_original(original: Any) -> None:
    folder, record = original.folder / "tiny", original.records["preprocess"]["tiny"]
    hu = np.asarray(nibabel.load(folder / "volumes/tiny_1/tiny_1_a/tiny_1_a_1.nii.gz").dataobj)
    masks = {
        name: np.asarray(nibabel.load(folder / f"masks/seg_tiny_1_a_1/{name}.nii.gz").dataobj)
        for name in ("heart", "lung", "thyroid")
    }
    assert_equals_original(finish(prepare(hu, masks.items())), original, record)


def test_a_volume_larger_than_the_network_is_prepared_as_by_the_original(original: Any) -> None:
    recipe = original.records["preprocess"]
    record = recipe["large"]
    hu, masks = original.formula.ct(original.salt, "large", tuple(record["shape"]), recipe["recipe"])
    wanted = ((name, masks[name]) for name in ("heart", "lung", "thyroid"))
    assert_equals_original(finish(prepare(hu, wanted)), original, record)


def test_a_larger_array_is_averaged_and_a_smaller_one_repeated() -> None:
    line = np.arange(6, dtype=np.int16).reshape(1, 1, 6)
    assert resized(line, (1, 1, 3)).flatten().tolist() == [0.5, 2.5, 4.5]
    assert resized(line, (1, 1, 4)).flatten().tolist() == [
        0.5,
        1.5,
        3.5,
        4.5,
    ]  # blocks share a voxel where 6 / 4 is no whole number
    assert resized(line, (2, 2, 12))[1, 1].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_values_are_clamped_to_the_window_and_scaled() -> None:
    hu = np.array([-999, -700, -400, 200, 900], dtype=np.float32).reshape(1, 1, 5)
    image = finish(prepare(hu, [], (1, 1, 5))).image
    np.testing.assert_allclose(image.flatten(), [-599 / 600, -0.5, 0, 1, 1], rtol=1e-6)


def test_regions_that_show_nothing_are_named_with_a_reason() -> None:
    hu = np.full((4, 4, 4), -1024, np.int16)
    hu[2, 2, 2] = 40
    air = np.zeros((4, 4, 4), bool)
    air[0, 0, 0] = True
    given = [("lung", air), ("breast", "no structure of the segmentation is the breast")]
    scan = finish(prepare(hu, given, (2, 2, 2)))
    assert not scan.regions
    assert scan.skipped == {
        "lung": "no voxel of its mask lies above -1000 HU",
        "breast": "no structure of the segmentation is the breast",
    }


def test_a_scan_of_air_is_refused() -> None:
    with pytest.raises(InputRefused, match="no voxel of the scan lies above -1000 HU"):
        finish(prepare(np.full((4, 4, 4), -1000, np.int16), []))


def oblique() -> Grid:
    """Left-handed, anisotropic, turned by 20° about the z axis; its axes run to right, posterior and inferior."""
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    affine = np.eye(4)
    affine[:3, 0] = np.array([c, s, 0]) * 0.8
    affine[:3, 1] = np.array([s, -c, 0]) * 0.9
    affine[:3, 2] = np.array([0, 0, -1]) * 3.0
    return Grid((5, 8, 6), affine)


def test_axes_run_to_left_posterior_and_superior_whatever_the_file() -> None:
    grid = oblique()
    seen = in_published_axes(np.arange(grid.size).reshape(grid.shape_kji), grid)
    assert seen.shape == (6, 8, 5)
    centre = {
        value: grid.to_ras(np.array([i, j, k])) for (k, j, i), value in np.ndenumerate(np.arange(240).reshape(5, 8, 6))
    }
    steps = [centre[int(seen[n])] - centre[int(seen[0, 0, 0])] for n in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    assert steps[0][0] < -0.7  # to the left, which is -x in RAS
    assert steps[1][1] < -0.8
    assert steps[2][2] == pytest.approx(3.0)


def test_a_scan_stored_in_other_directions_gives_the_same_input() -> None:
    rng = np.random.default_rng(3)
    hu = rng.integers(-900, 300, (5, 8, 6), dtype=np.int16)
    labels = (rng.random((5, 8, 6)) < 0.4).astype(np.uint8)
    straight = Grid((5, 8, 6), np.diag([-0.8, -0.9, 3.0, 1]))
    flipped = Grid((5, 8, 6), straight.affine @ np.diag([-1, 1, -1, 1]))

    def made(grid: Grid, turn: tuple[slice, ...]) -> ScanInput:
        volume = Volume(hu[turn].copy(), grid, Provenance("", "phantom"))
        coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
        masks = RegionMasks(labels[turn].copy(), grid, ("esophagus",), "test", coverage, {})
        return finish(prepare_scan(volume, masks, (4, 4, 4)))

    every, back = slice(None), slice(None, None, -1)
    one, other = made(straight, (every, every, every)), made(flipped, (back, every, back))
    assert list(one.regions) == ["esophagus"]
    assert torch.equal(one.image, other.image)
    assert torch.equal(one.regions["esophagus"].texture, other.regions["esophagus"].texture)
    assert torch.equal(one.regions["esophagus"].geometry, other.regions["esophagus"].geometry)
    assert set(one.skipped) == {
        "abdomen",
        "bone",
        "breast",
        "heart",
        "lung",
        "mediastinum",
        "pleura",
        "thyroid",
        "trachea and bronchie",
    }
