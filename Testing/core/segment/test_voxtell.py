"""VoxTell as a child process: phrases become masks at their place in the patient, its failures one line.

Most tests talk to a strict stand-in; the last ones to the real predictor, where a Python has it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest

from RegionReportLib.errors import NeedMissing
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import Progress, finish
from RegionReportLib.segment.child import ChildFailed
from RegionReportLib.segment.voxtell import PYTHON_VARIABLE, VoxTell
from RegionReportLib.segment.voxtell_space import turned, turned_back

HERE = Path(__file__).parent
FOREIGN = HERE / "foreign"
# Oblique, anisotropic, left-handed: i runs to the back, j to the left, k to the feet and a little to the front.
TURN = np.array([[np.cos(0.3), 0, np.sin(0.3)], [0, 1, 0], [-np.sin(0.3), 0, np.cos(0.3)]])
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = TURN @ np.array([[0.0, -3.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 0.0, -5.0]])
SHAPE = (11, 30, 26)  # k, j, i


def scan(affine: np.ndarray = OBLIQUE) -> Volume:
    """A scan of air with a bright block far to the patient's right and a smaller one far to the left."""
    grid = Grid(SHAPE, affine)
    hu = np.full(SHAPE, -900, np.int16)
    for point, reach in ((right_of(grid), 2), (left_of(grid), 1)):
        at = grid.index_at(point)
        assert at is not None
        k, j, i = (slice(n - reach, n + reach + 1) for n in at)
        hu[k, j, i] = 60
    return Volume(hu, grid, Provenance("made up", "test"))


def right_of(grid: Grid) -> tuple[float, float, float]:
    x, y, z = grid.box.center_mm
    return x + 18, y, z


def left_of(grid: Grid) -> tuple[float, float, float]:
    x, y, z = grid.box.center_mm
    return x - 18, y, z


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with the names of VoxTell's files."""
    for name in (
        "voxtell_v1.1/plans.json",
        "voxtell_v1.1/fold_0/checkpoint_final.pth",
        "config.json",
        "tokenizer.json",
    ):
        path = tmp_path / "voxtell" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return tmp_path / "voxtell"


@pytest.fixture
def voxtell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> VoxTell:
    """VoxTell with the stand-in in place of the real packages."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOREIGN), str(HERE / "foreign_torch")]))
    monkeypatch.syspath_prepend(str(FOREIGN))
    return VoxTell(folder)


@pytest.mark.parametrize("affine", [OBLIQUE, np.diag((-2.0, -2.0, 3.0, 1.0)), np.diag((2.0, 2.0, 3.0, 1.0))])
def test_a_side_in_the_words_is_the_patients_side_however_the_voxels_lie(voxtell: VoxTell, affine: np.ndarray) -> None:
    volume = scan(affine)
    found = finish(voxtell.find(volume, ["right nodule", "Left nodule", "nodule"]))
    right, left, both = found.cuts
    assert right is not None
    assert left is not None
    assert both is not None
    assert (right.mask.sum(), left.mask.sum(), both.mask.sum()) == (125, 27, 152)
    where = volume.grid.box_of([s.start for s in right.where], [s.stop for s in right.where])
    assert where.contains(right_of(volume.grid))
    assert not where.contains(left_of(volume.grid))
    assert (volume.hu[left.where][left.mask] == 60).all()


def test_the_digest_of_the_weights_is_told_and_each_window(voxtell: VoxTell) -> None:
    told: list[Progress] = []
    found = finish(voxtell.find(scan(), [f"right nodule {n}" for n in range(5)]), told.append)
    assert found.method == "VoxTell, weights 44136fa355b3"  # SHA-256 of the two bytes "{}"
    stages = [one.stage for one in told]
    assert "VoxTell: phrase 1 to 4 of 5, window 2 of 2" in stages
    assert "VoxTell: phrase 5 of 5, window 1 of 2" in stages
    assert [one.fraction for one in told] == sorted(one.fraction for one in told)


def test_a_phrase_of_which_nothing_is_found_has_no_cut(voxtell: VoxTell) -> None:
    volume = scan()
    dark = Volume(np.minimum(volume.hu, -500), volume.grid, volume.provenance)
    assert finish(voxtell.find(dark, ["right nodule"])).cuts == (None,)


@pytest.mark.parametrize("act", ["gpu", "gpu in a thread"])
def test_a_full_gpu_is_tried_again_with_less(voxtell: VoxTell, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    monkeypatch.setenv("ACT", act)
    told: list[Progress] = []
    assert finish(voxtell.find(scan(), ["right nodule"]), told.append).cuts[0] is not None
    assert any("the GPU is full" in one.stage for one in told)


@pytest.mark.parametrize(
    ("act", "why", "kind"),
    [
        ("memory", "VoxTell: not enough memory on the GPU", NeedMissing),
        ("memory of a thread", "VoxTell: not enough memory on the GPU", NeedMissing),
        ("main memory", "VoxTell: not enough memory$", NeedMissing),
        ("killed", "VoxTell was killed, most likely for want of memory", NeedMissing),
        ("nothing", "said that it was done, but wrote no masks", NeedMissing),
        ("defect", r"ended without a result \(exit code 1\): ValueError: Encountered inf", ChildFailed),
    ],
)
def test_each_failure_is_one_line(
    voxtell: VoxTell, monkeypatch: pytest.MonkeyPatch, act: str, why: str, kind: type[Exception]
) -> None:
    monkeypatch.setenv("ACT", act)
    with pytest.raises(kind, match=why) as failure:
        finish(voxtell.find(scan(), ["right nodule"]))
    assert "\n" not in str(failure.value)


def test_weights_that_hold_more_than_numbers_are_not_opened(voxtell: VoxTell, folder: Path) -> None:
    (folder / "voxtell_v1.1/fold_0/checkpoint_final.pth").write_text("thing")
    with pytest.raises(NeedMissing, match="more than plain numbers"):
        finish(voxtell.find(scan(), ["right nodule"]))


def test_a_language_model_that_is_not_whole_says_so(voxtell: VoxTell, folder: Path) -> None:
    (folder / "config.json").write_text("")
    with pytest.raises(NeedMissing, match="language model is not complete"):
        finish(voxtell.find(scan(), ["right nodule"]))


def test_phrases_with_known_vectors_need_no_language_model(voxtell: VoxTell, folder: Path) -> None:
    (folder / "config.json").write_text("")  # opening it would fail
    bank = folder / "embeddings/voxtell_v1.1/text_embeddings.npz"
    bank.parent.mkdir(parents=True)
    bank.touch()
    assert finish(voxtell.find(scan(), ["Left nodule"])).cuts[0] is not None


def test_missing_weights_are_named_before_anything_is_started(voxtell: VoxTell, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(NeedMissing, match=r"lacks tokenizer\.json; regionreport models fetch voxtell"):
        next(voxtell.find(scan(), ["right nodule"]))


def test_a_python_without_it_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.symlink_to(Path(sys.executable).resolve())  # outside its environment nothing is installed
    monkeypatch.setenv("PYTHONPATH", str(FOREIGN))  # ours is none of another Python's business
    with pytest.raises(NeedMissing, match="VoxTell: is not installed there: pip install voxtell"):
        finish(VoxTell(folder, str(bare)).find(scan(), ["right nodule"]))
    monkeypatch.setenv(PYTHON_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(NeedMissing, match="there is no Python at"):
        VoxTell(folder).check()


def test_cancelling_ends_it_with_all_that_it_started(voxtell: VoxTell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACT", "hang")
    work = voxtell.find(scan(), ["right nodule"])
    me = psutil.Process()
    others = set(me.children(recursive=True))
    while len(family := set(me.children(recursive=True)) - others) < 2:
        next(work)
    work.close()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_turning_puts_right_front_and_head_last_and_back_is_the_same(flips: tuple[int, int, int]) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.diag((2.0, 3.0, 4.0)) @ np.diag(flips) @ np.eye(3)[[2, 0, 1]]
    grid = Grid((3, 4, 5), affine)
    index = np.indices((3, 4, 5)).reshape(3, -1).T  # k, j, i of each voxel
    x = grid.to_ras(index[:, ::-1])[:, 0].reshape(3, 4, 5)
    z = grid.to_ras(index[:, ::-1])[:, 2].reshape(3, 4, 5)
    assert (np.diff(turned(x, grid), axis=2) > 0).all()
    assert (np.diff(turned(z, grid), axis=0) > 0).all()
    assert (turned_back(turned(x, grid), grid) == x).all()


REAL = os.environ.get(PYTHON_VARIABLE) or (sys.executable if find_spec("voxtell") is not None else None)


@pytest.mark.slow
@pytest.mark.skipif(REAL is None, reason=f"voxtell is not installed here, and {PYTHON_VARIABLE} names no Python")
class TestTheRealPredictor:
    """On weights of the published sizes whose answer is known, see `voxtell_real/make_weights.py`."""

    def test_it_finds_what_is_bright_where_it_lies(self, tmp_path: Path) -> None:
        volume = scan()
        crop = Volume(volume.hu[:, 2:14, :12].copy(), volume.grid.crop((0, 2, 0), (11, 12, 12)), volume.provenance)
        crop_hu = np.full(crop.hu.shape, -900, np.int16)
        crop_hu[2:5, 8:11, 3:5] = 60
        crop = Volume(crop_hu, crop.grid, crop.provenance)
        told: list[Progress] = []
        work = VoxTell(weights(tmp_path), str(REAL)).find(
            crop, ["Nodule in the right lower lobe", "left pleural effusion"]
        )
        bright, hidden = finish(work, told.append).cuts
        assert bright is not None
        assert bright.where == (slice(2, 5), slice(8, 11), slice(3, 5))
        assert bright.mask.all()
        assert hidden is None
        assert any("phrase 1 to 2 of 2, window 1 of 1" in one.stage for one in told)

    def test_it_reads_a_scan_in_the_order_that_is_handed_over(self, tmp_path: Path) -> None:
        """Its own reader turns a file into the same array."""
        from RegionReportLib.imaging.write import write_nifti

        volume = scan()
        write_nifti(volume, tmp_path / "ct.nii.gz")
        asked = (
            "import sys, numpy; from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient as Reader;"
            "numpy.save(sys.argv[2], Reader().read_images([sys.argv[1]])[0][0])"
        )
        subprocess.run([str(REAL), "-c", asked, str(tmp_path / "ct.nii.gz"), str(tmp_path / "own.npy")], check=True)
        assert (np.load(tmp_path / "own.npy") == turned(volume.hu, volume.grid)).all()

    def test_it_does_not_unpickle_objects(self, tmp_path: Path) -> None:
        with pytest.raises(NeedMissing, match="more than plain numbers"):
            finish(VoxTell(weights(tmp_path, "hidden"), str(REAL)).find(scan(), ["left pleural effusion"]))


def weights(folder: Path, *hidden: str) -> Path:
    made = folder / "voxtell"
    subprocess.run([str(REAL), str(HERE / "voxtell_real/make_weights.py"), str(made), *hidden], check=True)
    return made
