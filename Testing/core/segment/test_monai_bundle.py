"""A MONAI bundle segments a scan: labels in their places, progress, cancelling, and one line for each failure."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from RegionReportLib.errors import Cancelled, InputRefused, NeedMissing
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import Progress, finish
from RegionReportLib.segment.choose import BUNDLE_VARIABLE, lacking, segmenter
from RegionReportLib.segment.monai_bundle import MonaiBundle

pytest.importorskip("monai")
torch = pytest.importorskip("torch")

MakeBundle = Callable[..., Path]
AORTA, LUNG, BONE, MUSCLE, SOFT = 300, -850, 1000, -300, 0


def turned(degrees: tuple[float, float]) -> Any:
    """Return a rotation about z and then about x."""
    a, b = np.deg2rad(degrees)
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_x @ about_z


def grid_of(axes: Any, spacing_mm: tuple[float, float, float], shape_kji: tuple[int, int, int]) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = axes @ np.diag(spacing_mm)
    affine[:3, 3] = (31.0, -47.0, 120.0)
    return Grid(shape_kji, affine)


# Left-handed: i runs to the patient's left. In the second the slices are sagittal: k runs to the left, i to the head.
OBLIQUE = grid_of(turned((20, 10)) @ np.diag([-1, 1, 1]), (2.0, 3.0, 4.0), (22, 30, 37))
SAGITTAL = grid_of(turned((-15, 8))[:, [2, 1, 0]] @ np.diag([1, 1, -1]), (4.0, 3.0, 2.0), (36, 28, 21))


def scan(grid: Grid, seed: int = 3) -> Volume:
    """Return a body of soft tissue with blocks of other tissue at random, nothing about it symmetric."""
    rng = np.random.default_rng(seed)
    coarse = rng.choice([SOFT, AORTA, LUNG, BONE, MUSCLE], size=[-(-n // 5) for n in grid.shape_kji])
    hu = coarse.repeat(5, 0).repeat(5, 1).repeat(5, 2)[tuple(slice(n) for n in grid.shape_kji)]
    return Volume(np.ascontiguousarray(hu, dtype=np.int16), grid, Provenance("made in a test", "phantom"))


@pytest.mark.parametrize("grid", [OBLIQUE, SAGITTAL], ids=["oblique and left-handed", "sagittal slices"])
def test_each_voxel_gets_the_structure_of_its_density(grid: Grid, make_bundle: MakeBundle) -> None:
    volume = scan(grid)
    masks = finish(MonaiBundle(make_bundle()).segment(volume))
    assert masks.grid == grid
    assert set(masks.structures) == {"aorta", "lung_upper_lobe_right", "vertebrae_T5"}
    np.testing.assert_array_equal(masks.structure("aorta"), volume.hu == AORTA)
    np.testing.assert_array_equal(masks.structure("lung_upper_lobe_right"), volume.hu == LUNG)
    np.testing.assert_array_equal(masks.structure("vertebrae_T5"), volume.hu == BONE)
    assert masks.method.startswith("monai-bundle Body 0.2.5, 2 × 3 × 4 mm, weights ")


def test_a_bundle_of_other_voxels_finds_the_same_place(make_bundle: MakeBundle) -> None:
    hu = np.zeros(OBLIQUE.shape_kji, np.int16)
    hu[2:8, 18:28, 5:15] = BONE
    volume = Volume(hu, OBLIQUE, Provenance("made in a test", "phantom"))
    masks = finish(MonaiBundle(make_bundle(pixdim=[3.0, 3.0, 3.0])).segment(volume))
    found, true = masks.structure("vertebrae_T5"), hu == BONE
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.8
    # Middle of i 5…14, j 18…27, k 2…7; half a voxel of the bundle's is 1.5 mm.
    centre_mm = OBLIQUE.to_ras(np.argwhere(found).mean(axis=0)[::-1])
    np.testing.assert_allclose(centre_mm, OBLIQUE.to_ras((9.5, 22.5, 4.5)), atol=1.5)


def test_what_the_table_does_not_know_is_left_out_and_said(
    make_bundle: MakeBundle, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        finish(MonaiBundle(make_bundle()).segment(scan(OBLIQUE)))
    assert "Body 0.2.5: not known and left out: gluteus_maximus_left" in caplog.text


def test_padding_outside_the_scan_circle_counts_as_air(make_bundle: MakeBundle) -> None:
    hu = np.array(scan(OBLIQUE).hu)
    steps = [
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        # To -1…1 from the least to the largest value: right for -1000…1000, all wrong if -3024 counted.
        {"_target_": "ScaleIntensityd", "keys": "image", "minv": -1.024, "maxv": 1.0},
    ]
    hu[:, :3, :3] = -3024
    volume = Volume(hu, OBLIQUE, Provenance("made in a test", "phantom"), outside_hu=-3024)
    bundle = make_bundle(preprocessing={"_target_": "Compose", "transforms": steps})
    masks = finish(MonaiBundle(bundle).segment(volume))
    np.testing.assert_array_equal(masks.structure("aorta"), hu == AORTA)


def test_progress_runs_forwards_and_names_the_windows(make_bundle: MakeBundle) -> None:
    told: list[Progress] = []
    finish(MonaiBundle(make_bundle()).segment(scan(OBLIQUE)), told.append)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert told[0].stage == "opening whole_body"


def test_closing_the_work_ends_the_thread_before_another_window_is_predicted(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from RegionReportLib.segment import monai_bundle

    begun: list[Any] = []
    predict = monai_bundle._Watched.__call__

    def until_closed(self: Any, windows: Any) -> Any:
        begun.append(self)
        with contextlib.suppress(Cancelled):
            while True:
                self._tell(0.5, "a long window")
                time.sleep(0.01)
        return predict(self, windows)

    monkeypatch.setattr(monai_bundle._Watched, "__call__", until_closed)
    before = set(threading.enumerate())
    work = MonaiBundle(make_bundle()).segment(scan(OBLIQUE))
    while not begun:
        next(work)
    work.close()
    assert set(threading.enumerate()) <= before
    assert len(begun) == 1 and begun[0]._done == 0, "it stops before the network sees the window"


def test_the_low_resolution_runs_on_a_cpu_where_its_weights_are(make_bundle: MakeBundle) -> None:
    both = make_bundle("both", weights=("model.pt", "model_lowres.pt"))
    assert "6 × 6 × 6 mm" in finish(MonaiBundle(both, "cpu").segment(scan(OBLIQUE))).method
    low = make_bundle("low", weights=("model_lowres.pt",))
    assert "6 × 6 × 6 mm" in finish(MonaiBundle(low, "cpu").segment(scan(OBLIQUE))).method


def test_missing_weights_and_folders_are_named(make_bundle: MakeBundle, tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match=r"the weights of whole_body are not at .*models/model\.pt"):
        MonaiBundle(make_bundle(weights=())).check()
    with pytest.raises(NeedMissing, match="there is no MONAI bundle at"):
        MonaiBundle(tmp_path / "nowhere").check()


def test_without_monai_it_says_how_to_get_it(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("RegionReportLib.segment.monai_bundle.find_spec", lambda name: None)
    with pytest.raises(NeedMissing, match=r"need the package torch: pip install 'regionreport\[segment\]'"):
        MonaiBundle(make_bundle()).check()


def test_weights_that_would_run_something_are_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    torch.save({"model": SimpleNamespace(harm=1)}, folder / "models/model.pt")
    with pytest.raises(InputRefused, match=r"whole_body/model\.pt does not hold plain weights"):
        finish(MonaiBundle(folder).segment(scan(OBLIQUE)))


def test_weights_of_another_network_are_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    torch.save({"model": {"convInit.conv.weight": torch.zeros(8, 1, 3, 3, 3)}}, folder / "models/model.pt")
    with pytest.raises(InputRefused, match=r"model\.pt are not the weights of its network_def: .*Missing key"):
        finish(MonaiBundle(folder).segment(scan(OBLIQUE)))


def test_channels_that_the_network_does_not_give_are_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle(channel_def={"0": "background", "1": "aorta"})
    with pytest.raises(InputRefused, match=r"network_def gives \(1, 5, 16, 16, 16\), its channel_def says \(1, 2,"):
        finish(MonaiBundle(folder).segment(scan(OBLIQUE)))


def test_a_window_that_the_network_cannot_take_is_refused(make_bundle: MakeBundle) -> None:
    # Halved and doubled again 17 voxels are 18.
    window = {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 17], "overlap": 0.25}
    with pytest.raises(InputRefused, match=r"Body 0\.2\.5: its network fails on a window of 16 × 16 × 17: "):
        finish(MonaiBundle(make_bundle(inferer=window)).segment(scan(OBLIQUE)))


def test_a_scan_too_large_for_the_memory_is_refused_beforehand(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = SimpleNamespace(available=400_000_000)
    monkeypatch.setattr("RegionReportLib.segment.monai_bundle.psutil.virtual_memory", lambda: free)
    with pytest.raises(NeedMissing, match=r"needs 0\.5 GB of memory for this scan, 0\.4 GB are free; close other"):
        finish(MonaiBundle(make_bundle()).segment(scan(OBLIQUE)))


def test_a_full_gpu_is_said_in_one_line(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")  # as a GPU says it

    monkeypatch.setattr("RegionReportLib.segment.monai_bundle._run", full)
    with pytest.raises(NeedMissing, match="not enough memory on cpu for one window; close other programs"):
        finish(MonaiBundle(make_bundle(), "cpu").segment(scan(OBLIQUE)))


def test_a_defect_is_not_taken_for_a_lack_of_memory(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("RegionReportLib.segment.monai_bundle._run", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        finish(MonaiBundle(make_bundle()).segment(scan(OBLIQUE)))


@pytest.mark.skipif(torch.cuda.is_available(), reason="looks at a computer without a GPU")
def test_a_gpu_that_is_not_there_is_said(make_bundle: MakeBundle) -> None:
    with pytest.raises(NeedMissing, match="torch finds no CUDA device here"):
        finish(MonaiBundle(make_bundle(), "cuda").segment(scan(OBLIQUE)))


def test_other_devices_are_refused() -> None:
    with pytest.raises(ValueError, match="device must be auto, cpu, cuda or cuda:N, got 'tpu'"):
        MonaiBundle(Path(), "tpu")


def test_the_name_and_the_variable_choose_the_folder(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_bundle()
    monkeypatch.delenv(BUNDLE_VARIABLE, raising=False)
    monkeypatch.setenv("REGIONREPORT_MODELS", str(folder.parent))
    assert "there is no MONAI bundle at" in lacking("monai-bundle")
    assert lacking(f"monai-bundle:{folder}") == ""
    monkeypatch.setenv(BUNDLE_VARIABLE, str(folder))
    assert lacking("monai-bundle") == ""
    assert segmenter(f"monai-bundle:{folder}").name == "monai-bundle"
    (folder / "configs/inference.json").write_text("no JSON")
    assert "configs/inference.json cannot be read" in lacking("monai-bundle")
