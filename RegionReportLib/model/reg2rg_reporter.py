"""Reg2RG from a folder of files to texts of regions: opened once, then asked for one scan after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..errors import NeedMissing
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from .four_bit import need_four_bit
from .reg2rg import Reg2RG
from .reg2rg_checkpoint import Placing, load
from .reg2rg_config import Reg2RGConfig, read_config
from .reg2rg_features import FeatureCache, encode
from .reg2rg_inputs import prepare_scan
from .reg2rg_prompt import Words
from .reg2rg_regions import REGION_NAMES
from .reg2rg_write import Choose, RegionText, greedy, write_in_one_pass, write_regions


@dataclass(frozen=True, slots=True, eq=False)
class Reporter:
    """The network with its words and what it has already read; `batch` volumes are read at once."""

    model: Reg2RG
    words: Words
    cache: FeatureCache = field(default_factory=FeatureCache)
    batch: int = 1

    def report(
        self, volume: Volume, masks: RegionMasks, choose: Choose = greedy, *, one_pass: bool = False
    ) -> Work[tuple[RegionText, ...]]:
        """Return a text or a reason for each of the ten regions, in the order of the data set.

        With `one_pass` the regions are written as published, one after the other; else all at once.
        """
        scan = yield from part(prepare_scan(volume, masks, self.model.config.size), 0.0, 0.1)
        features = yield from part(encode(self.model.embedding_layer, scan, self.cache, self.batch), 0.1, 0.4)
        write = write_in_one_pass if one_pass else write_regions
        written = yield from part(write(self.model, self.words, features, choose), 0.4, 1.0)
        texts = {text.region: text for text in written}
        for name, reason in scan.skipped.items():
            texts[name] = RegionText(name, None, None, True, reason)
        yield Progress(1.0, "written")
        return tuple(texts[name] for name in REGION_NAMES)


def open_reporter(folder: Path, config: Reg2RGConfig | None = None, placing: Placing | None = None) -> Work[Reporter]:
    """Open the weights and the base model's `tokenizer.json` that lie in `folder`; nothing is fetched.

    NeedMissing names the file that is absent, InputRefused what is not the published network.
    """
    config = config or read_config(folder)
    words = Words.read(folder, config)  # first: it is quick and often the one that is missing
    model = yield from load(folder, config, placing)
    return Reporter(model, words, batch=1 if placing is None or placing.device == "cpu" else 8)


def placing_for(device: str = "auto", precision: str = "auto") -> Placing:
    """Return where and in what numbers the network lies; `auto` is a CUDA device where there is one.

    By itself the language model takes float16 on a GPU, as published, and bfloat16 elsewhere, which is half of
    float32; 4-bit weights compute in the same. The visual side, small beside the rest, stays float32. NeedMissing if
    the wanted device, or the package that 4-bit numbers need, is absent.
    """
    present = torch.cuda.is_available()
    if device == "cuda" and not present:
        raise NeedMissing("no CUDA device was found by torch; choose --device cpu, or install torch for CUDA")
    if precision == "4bit":
        need_four_bit()
    where = "cuda" if device != "cpu" and present else "cpu"
    numbers = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    default = torch.float16 if where == "cuda" else torch.bfloat16
    return Placing(where, numbers.get(precision, default), four_bit=precision == "4bit")
