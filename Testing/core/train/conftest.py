"""What the tests of training share: a network of a few thousand weights and cases whose image shows what is said."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.model.box_head import BoxHeadConfig
from RegionReportLib.model.config import Backbone, LocalConfig, MaskConfig, ModelConfig, SliceConfig, StructureConfig
from RegionReportLib.model.inputs import StudyInputs
from RegionReportLib.model.reg2rg_config import EncoderConfig, PerceiverConfig
from RegionReportLib.report.sentence import Polarity
from RegionReportLib.train.case import Case, CaseSentence, Topic

SIZE = (8, 24, 24)


def tiny_config() -> ModelConfig:
    encoder = EncoderConfig((16, 16, 8), (8, 8, 8), 3, dim=24, depth=1, mlp_dim=16, heads=2, head_dim=8, dropout=0.0)
    plain = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return ModelConfig(
        name="tiny",
        slices=SliceConfig(SIZE, patch=4, sample_mm=4.0, widths=(8, 16)),
        mask=MaskConfig((4, 4, 4), hidden=16),
        local=LocalConfig(
            (16, 16, 8),
            encoder,
            PerceiverConfig(dim=24, depth=1, heads=2, head_dim=8, latents=2, ff_factor=2),
            replace(encoder, channels=1),
        ),
        structure=StructureConfig(
            width=16,
            heads=2,
            embedding=16,
            top_patches=2,
            text=Backbone({"model_type": "bert", "max_position_embeddings": 128, **plain}),
        ),
        language=Backbone({"model_type": "llama", "max_position_embeddings": 1024, **plain}),
        attribute_tokens=16,
        box=BoxHeadConfig(state_width=32, feature_width=16, width=24, heads=2, blocks=1, slots=2),
    )


@dataclass(frozen=True)
class Blobs:
    """Scans of noise with or without a bright block on one side; the report of the lungs says which."""

    count: int
    first: int = 0

    @property
    def name(self) -> str:
        return f"blobs-{self.first}"

    def __len__(self) -> int:
        return self.count

    def case(self, number: int) -> Case:
        rng = np.random.default_rng([self.first + number, 99])
        side = (None, Side.RIGHT, Side.LEFT)[int(rng.integers(3))]
        slices = torch.from_numpy(rng.integers(0, 60, (SIZE[0], 3, *SIZE[1:]), dtype=np.uint8))
        masks = torch.zeros(len(REGION_IDS), *SIZE, dtype=torch.uint8)
        for n in range(len(REGION_IDS)):
            masks[n, :, 3 * n : 3 * n + 9] = 255
        # i runs from right to left with the affine below.
        frame = Grid(SIZE, np.array([[-10.0, 0, 0, 115], [0, -10, 0, 115], [0, 0, 20, -70], [0, 0, 0, 1]]))
        sentences: list[CaseSentence] = []
        covers: dict[str, torch.Tensor] = {}
        if side is None:
            denial = Topic("nodule", Polarity.ABSENT)
            sentences.append(CaseSentence("lungs", "No nodule in either lung.", (), (denial,)))
        else:
            i = 2 if side is Side.RIGHT else 14
            slices[2:5, :, 4:12, i : i + 8] = 250
            box = frame.box_of((2, 4, i), (5, 12, i + 8))
            covers["nodule"] = torch.zeros(8, 12, 12, dtype=torch.uint8)  # cells of 2 × 2 pixels
            covers["nodule"][2:5, 2:6, i // 2 : i // 2 + 4] = 255
            there = Topic("nodule", Polarity.PRESENT, (side,))
            sentences.append(CaseSentence("lungs", f"Nodule in the {side.value} lung.", (box,), (there,)))
        sentences.append(CaseSentence("airways", "The airways are open."))
        crops = torch.zeros(len(REGION_IDS), 3, 16, 16, 8, dtype=torch.uint8)
        attributes = (f"Heart: width {100 + number} mm.",)
        inputs = StudyInputs(slices, masks, crops, attributes, frame)
        return Case(f"blob-{self.first + number}", inputs, (tuple(sentences),), covers)


@pytest.fixture
def config() -> ModelConfig:
    return tiny_config()


@pytest.fixture
def blobs() -> Blobs:
    return Blobs(24)
