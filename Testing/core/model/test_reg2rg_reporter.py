"""From a folder of files and a scan to a text or a reason for each of the ten regions."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import NeedMissing
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.model.reg2rg import Reg2RG
from RegionReportLib.model.reg2rg_checkpoint import Placing
from RegionReportLib.model.reg2rg_config import Reg2RGConfig
from RegionReportLib.model.reg2rg_regions import REGION_NAMES
from RegionReportLib.model.reg2rg_reporter import open_reporter, placing_for
from RegionReportLib.progress import Progress, finish


@pytest.fixture
def folder(tmp_path: Path, tiny_config: Reg2RGConfig, published_tokenizer: Tokenizer) -> Path:
    """A published folder in small: ten regions, the words of the base model."""
    torch.manual_seed(3)
    config = wide(tiny_config)
    torch.save(Reg2RG(config).state_dict(), tmp_path / "pytorch_model.bin")
    published_tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def wide(config: Reg2RGConfig) -> Reg2RGConfig:
    return replace(config, max_regions=10, language=replace(config.language, vocabulary=32000))


@pytest.mark.parametrize("one_pass", [False, True])
def test_each_region_gets_a_text_or_a_reason(folder: Path, tiny_config: Reg2RGConfig, one_pass: bool) -> None:
    reporter = finish(open_reporter(folder, wide(tiny_config)))
    grid = Grid((8, 16, 16), np.diag([-1.0, -1.0, 2.0, 1.0]))
    rng = np.random.default_rng(0)
    volume = Volume(rng.integers(-900, 200, grid.shape_kji, dtype=np.int16), grid, Provenance("", "phantom"))
    labels = rng.integers(0, 4, grid.shape_kji, dtype=np.uint8)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, grid, ("heart", "lung_left", "esophagus"), "test", coverage, {})
    seen: list[Progress] = []
    texts = finish(reporter.report(volume, masks, one_pass=one_pass), seen.append)
    assert tuple(t.region for t in texts) == REGION_NAMES
    assert all(t.text is not None or t.reason for t in texts)
    assert "holds none of: thyroid_gland" in texts[REGION_NAMES.index("thyroid")].reason
    # A network of chance says nothing under a header; what matters is that its silence is told.
    assert (
        "header" in texts[REGION_NAMES.index("heart")].reason or "cut off" in texts[REGION_NAMES.index("heart")].reason
    )
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert (
        len(reporter.cache) == 1 + 3
    )  # the scan; heart, oesophagus, and the lung, which without fluid is the pleura too


def test_what_is_missing_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(NeedMissing, match=r"tokenizer\.json"):
        finish(open_reporter(tmp_path))


def test_the_numbers_follow_the_device_and_what_is_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert placing_for("cpu").language is torch.bfloat16
    assert placing_for("cpu", "fp32").language is torch.float32
    assert placing_for("cpu", "fp16") == Placing("cpu", torch.float16)
    if not torch.cuda.is_available():
        assert placing_for("auto").device == "cpu"
        with pytest.raises(NeedMissing, match="no CUDA device was found"):
            placing_for("cuda")
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)  # as if it were not installed
    with pytest.raises(NeedMissing, match="pip install bitsandbytes"):
        placing_for("cpu", "4bit")
