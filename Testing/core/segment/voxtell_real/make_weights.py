"""Makes a folder of VoxTell with small weights whose answer is known; run by the Python that has VoxTell.

The sizes of its layers are fixed in its predictor; the file is small because most layers repeat one number or row,
which is stored once. The scan goes through channel 0 to the end: a voxel is found if it is brighter than the mean of
the scan by more than its deviation. The first number of a phrase's vector decides whether anything is found at all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ARCHITECTURE: dict[str, Any] = {
    "n_stages": 6,
    "features_per_stage": [32, 64, 128, 256, 320, 320],
    "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[1, 1, 1]] * 6,
    "strides": [[1, 1, 1]] * 6,
    "n_blocks_per_stage": [1] * 6,
    "n_conv_per_stage_decoder": [1] * 5,
    "conv_bias": True,
    "norm_op": None,
    "norm_op_kwargs": {},
    "dropout_op": None,
    "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU",
    "nonlin_kwargs": {"inplace": True},
}
PATCH = [12, 12, 12]
"""What its text looks at has 12³ places, whatever the scan; without strides that is the window."""
BANK = {"nodule in the right lower lobe": 1.0, "left pleural effusion": -1.0, "right hidden thing": 1.0}


def main(folder: Path, hidden: str) -> None:
    """Write plans, weights and vectors of phrases; with `hidden`, the weights hold an object that is no number."""
    import numpy as np
    import torch

    model = folder / "voxtell_v1.1"
    (model / "fold_0").mkdir(parents=True)
    configuration = {
        "patch_size": PATCH,
        "architecture": {"arch_kwargs": ARCHITECTURE, "_kw_requires_import": ["conv_op", "norm_op", "nonlin"]},
    }
    (model / "plans.json").write_text(json.dumps({"configurations": {"3d_fullres": configuration}}))
    record: dict[str, Any] = {"network_weights": weights(), "trainer_name": "made up"}
    record["logging"] = {"ema": [np.float64(0.5), np.float32(0.25)]}
    if hidden:
        record["init_args"] = {"folder": Path("somewhere")}
    torch.save(record, model / "fold_0" / "checkpoint_final.pth")
    vectors = np.random.default_rng(7).normal(size=(len(BANK), 2560)).astype(np.float16)
    vectors[:, 0] = list(BANK.values())
    bank = folder / "embeddings" / "voxtell_v1.1"
    bank.mkdir(parents=True)
    np.savez(bank / "text_embeddings.npz", labels=np.array(list(BANK)), embeddings=vectors)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")


def weights() -> dict[str, Any]:
    """Return the state of the network of the published sizes."""
    import torch
    from voxtell.model.voxtell_model import VoxTellModel

    own = {**ARCHITECTURE, "conv_op": torch.nn.Conv3d, "nonlin": torch.nn.LeakyReLU}
    sizes = {"text_embedding_dim": 2560, "query_dim": 2048, "project_to_decoder_hidden_dim": 2048, "num_heads": 32}
    with torch.device("meta"):
        network = VoxTellModel(1, **own, decoder_layer=4, num_maskformer_stages=5, **sizes)
    state = {name: torch.zeros(1).expand(w.shape) for name, w in network.state_dict().items()}
    first = torch.zeros(2560)
    first[0] = 1.0
    ways = torch.randn(2048, generator=torch.Generator().manual_seed(7))
    for name, w in state.items():
        if name.endswith(("stem.convs.0.conv.weight", "stem.convs.0.all_modules.0.weight")):
            state[name] = _one(w, (0, 0))
        elif name.endswith(("stem.convs.0.conv.bias", "stem.convs.0.all_modules.0.bias")):
            state[name] = -_one(w, (0,))  # only what is brighter by one deviation
        elif name.startswith("decoder.stages.4.convs.0.") and name.endswith("weight"):
            state[name] = _one(w, (0, 32))  # behind the 32 channels from below come those of the encoder
    state["project_text_embed.0.weight"] = first.expand(2048, 2560)
    state["project_text_embed.2.weight"] = ways[:, None].expand(2048, 2048)
    state["transformer_decoder.norm.weight"] = torch.ones(1).expand(2048)
    state["project_to_decoder_channels.0.0.weight"] = ways.expand(2048, 2048)
    state["project_to_decoder_channels.0.2.weight"] = torch.full((1,), 2.0**-22).expand(32, 2048)
    return state


def _one(like: Any, at: tuple[int, ...]) -> Any:
    found = like.clone()
    found[at] = 1.0
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
