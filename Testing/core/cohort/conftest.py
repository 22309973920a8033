"""A few small studies whose masks are given, so that drafting one takes a second; and a small network."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.model import checkpoint
from RegionReportLib.model.box_head import BoxHeadConfig
from RegionReportLib.model.build import build
from RegionReportLib.model.config import Backbone, LocalConfig, MaskConfig, ModelConfig, SliceConfig, StructureConfig
from RegionReportLib.model.reg2rg_config import EncoderConfig, PerceiverConfig
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish

WIDTH = 32
SAID = ("Lungs: No pleural effusion.\nNodule of 12 mm in the right upper lobe.\n", "Bones: Old fracture.\n") * 3


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scan of one phantom and its masks."""
    folder = tmp_path_factory.mktemp("patient")
    case = finish(make_case(Recipe(seed=4, scan=Scan(rows=64, step_mm=6.0))))
    write_nifti(case.volume, folder / "ct.nii.gz")
    write_segmentation(case.masks, folder / "masks.seg.nrrd")
    return folder


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory, patient: Path) -> Path:
    """A table of four studies; the second scan is no image, the third does not exist."""
    folder = tmp_path_factory.mktemp("studies")
    for name in ("one", "four"):
        shutil.copy(patient / "ct.nii.gz", folder / f"{name}.nii.gz")
    shutil.copy(patient / "masks.seg.nrrd", folder / "masks.seg.nrrd")
    (folder / "two.nii.gz").write_bytes(b"no image at all")
    table = folder / "studies.csv"
    rows = [f"{name},{name}.nii.gz,masks.seg.nrrd" for name in ("one", "two", "three", "four")]
    table.write_text("\n".join(["study,path,masks", *rows]) + "\n", encoding="utf-8")
    return table


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small region-token network whose words depend on what it sees: random weights, and fond of ends of lines."""
    folder = tmp_path_factory.mktemp("model")
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network: Any = build(_config(), words=SAID)
        for weight in network.language_model.model.layers.parameters():
            if weight.ndim > 1:
                weight.data = torch.randn_like(weight) * 0.4  # so that what is written depends on what was read
    words, head = network.tokenizer, network.language_model.get_output_embeddings().weight.data
    for token, factor in ((words.encode("\n")[-1], 3.0), (words.box_id, 2.0), (words.end_id, 2.0)):
        head[token] *= factor
    torch.nn.init.constant_(network.box_head.existence[-1].bias, 3.0)
    checkpoint.save(network, folder)
    return folder


def _config() -> ModelConfig:
    scan = EncoderConfig((8, 8, 8), (4, 4, 4), 3, dim=6, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0)
    mask = EncoderConfig((8, 8, 8), (4, 4, 4), 1, dim=6, depth=1, mlp_dim=8, heads=2, head_dim=4, dropout=0.0)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    return ModelConfig(
        slices=SliceConfig((4, 24, 24), patch=4, sample_mm=4.0, widths=(4, 6)),
        mask=MaskConfig((2, 3, 3), hidden=8),
        local=LocalConfig((8, 8, 8), scan, PerceiverConfig(6, 1, 2, 4, 2), mask),
        structure=StructureConfig(8, 2, 6, Backbone({"model_type": "bert", **sizes, "hidden_dropout_prob": 0.0})),
        language=Backbone({"model_type": "llama", "tie_word_embeddings": False, **sizes}),
        box=BoxHeadConfig(state_width=WIDTH, feature_width=6, width=12, heads=2),
    )
