"""Segmenters are chosen by name; what one lacks is said, and the best that can run is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from RegionReportLib.segment.choose import BUNDLE_VARIABLE, SEGMENTERS, best, checked_name, lacking, segmenter


@pytest.fixture(autouse=True)
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path))
    monkeypatch.delenv(BUNDLE_VARIABLE, raising=False)


def test_each_name_gives_the_segmenter_of_that_name() -> None:
    assert [segmenter(name).name for name in SEGMENTERS] == list(SEGMENTERS)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown segmenter 'nnunet', known are classical, totalsegmentator"):
        segmenter("nnunet")


@pytest.mark.parametrize("name", ["classical:folder", "monai-bundle:", "totalsegmentator-fast:x", ""])
def test_only_a_bundle_is_chosen_with_a_folder(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown segmenter .*, monai-bundle:FOLDER"):
        checked_name(name)
    assert checked_name(r"monai-bundle:C:\models\bundle") == r"monai-bundle:C:\models\bundle"


def test_without_weights_the_built_in_one_is_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "foreign"))
    assert lacking("classical") == ""
    assert "the weights of total are not in" in lacking("totalsegmentator")
    assert best(gpu=True) == "classical"


def test_a_learned_one_is_best_where_its_weights_and_a_gpu_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "foreign"))
    (tmp_path / "Dataset297_made_up").mkdir()
    assert best(gpu=True) == "totalsegmentator-fast"
    for number in range(291, 296):
        (tmp_path / f"Dataset{number}_made_up").mkdir()
    assert best(gpu=True) == "totalsegmentator"
    assert best(gpu=False) == "classical", "on a CPU it takes many minutes"
