"""Stands in for transformers beside the stand-in of VoxTell: it takes a local folder and half the size, or fails."""

from __future__ import annotations

import os
from pathlib import Path


class AutoTokenizer:
    @classmethod
    def from_pretrained(cls, folder, padding_side):
        assert Path(folder, "tokenizer.json").is_file()
        assert padding_side == "left"
        return cls()


class AutoModel:
    @classmethod
    def from_pretrained(cls, folder, dtype):
        assert os.environ["HF_HUB_OFFLINE"] == "1", "a network could be reached for"
        assert dtype == "bfloat16"
        if not Path(folder, "config.json").stat().st_size:
            raise OSError(f"{folder} is not a local folder and is not a valid model identifier listed on ...")
        return cls()

    def eval(self):
        return self
