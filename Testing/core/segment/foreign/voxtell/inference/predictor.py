"""Stands in for voxtell 0.1.2 where it is not installed: same constructor, methods, files and failures.

Strict: what the real one does not take is an error. It knows right from left as the real one does, by the order of the
voxels alone, and finds what is brighter than water on the side that a phrase names. ACT makes it fail.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer


class VoxTellPredictor:
    def __init__(
        self,
        model_dir=None,
        device=None,
        text_encoding_model="Qwen/Qwen3-Embedding-4B",
        embedding_bank=None,
        use_precomputed_embeddings=True,
    ):
        assert model_dir is not None, "the real one would fetch a model"
        assert not use_precomputed_embeddings, "the real one would fetch vectors"
        assert isinstance(device, torch.device)
        assert (Path(model_dir) / "plans.json").is_file()
        self.perform_everything_on_device = True
        self.embedding_bank = None if embedding_bank is None else dict.fromkeys(["left nodule"], np.zeros(4))
        self.tokenizer = self.text_backbone = None
        torch.load(Path(model_dir) / "fold_0" / "checkpoint_final.pth", map_location="cpu", weights_only=False)
        self._text_model = text_encoding_model

    def embed_text_prompts(self, text_prompts):
        self._phrases = [phrase.lower() for phrase in text_prompts]
        new = [phrase for phrase in self._phrases if phrase not in (self.embedding_bank or {})]
        if new and self.text_backbone is None:
            raise AssertionError(
                f"{AutoModel} and {AutoTokenizer} would be loaded in full size from {self._text_model}"
            )
        return np.arange(len(text_prompts), dtype=np.float32).reshape(1, -1, 1)

    def predict_single_image(self, data, text_prompts=None, text_embeddings=None, progress_callback=None):
        assert text_prompts is None
        assert text_embeddings.ndim == 3
        assert data.ndim == 3
        _act(self)
        for done in (1, 2):
            print(f"\r {50 * done}%|#####     | {done}/2", end="", file=sys.stderr)
            assert progress_callback(done, 2) is not False
        right = np.arange(data.shape[2]) >= data.shape[2] / 2
        found = []
        for number in text_embeddings[0, :, 0].astype(int):
            phrase = self._phrases[number]
            side = right if "right" in phrase else ~right if "left" in phrase else np.ones_like(right)
            found.append(((data > 0) & side).astype(np.uint8))
        return np.stack(found)


def _act(predictor):
    act = os.environ.get("ACT", "")
    if act.startswith("memory") or (act.startswith("gpu") and predictor.perform_everything_on_device):
        full = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total ...")
        if act.endswith("thread"):
            raise RuntimeError("Sliding-window patch producer thread failed") from full
        raise full
    if act == "main memory":
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried")
    if act == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "nothing":
        os._exit(0)
    if act == "defect":
        raise ValueError("Encountered inf in predicted array. Aborting...")
    if act == "hang":
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("grandchild", grandchild.pid, flush=True)
        time.sleep(600)
