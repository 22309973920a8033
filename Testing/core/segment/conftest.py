"""A MONAI bundle as the model zoo lays one out, with a small network whose labels are known: the nearest of its HU."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HU_OF = {
    "background": 0,
    "aorta": 300,
    "lung_upper_lobe_right": -850,
    "vertebrae_T5": 1000,
    "gluteus_maximus_left": -300,
}
"""The channels of the bundle; a voxel belongs to the channel whose HU is nearest to its own."""
INFERENCE: dict[str, Any] = {
    "displayable_configs": {"highres": True, "sw_overlap": 0.25},
    "imports": ["$import os"],
    "bundle_root": ".",
    "image_key": "image",
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "pixdim": "$[2.0, 3.0, 4.0] if @displayable_configs#highres else [6.0, 6.0, 6.0]",
    "modelname": "$'model.pt' if @displayable_configs#highres else 'model_lowres.pt'",
    "network_def": {
        "_target_": "SegResNet",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": len(HU_OF),
        "init_filters": 8,
        "blocks_down": [1, 1],
        "blocks_up": [1],
        "norm": "batch",
    },
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "@image_key"},
            {"_target_": "EnsureTyped", "keys": "@image_key", "device": "@device"},
            {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
            {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim", "mode": "bilinear"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "@image_key",
                "a_min": -1000,
                "a_max": 1000,
                "b_min": -1.0,
                "b_max": 1.0,
            },
        ],
    },
    "inferer": {
        "_target_": "SlidingWindowInferer",
        "roi_size": [16, 16, 16],
        "overlap": "@displayable_configs#sw_overlap",
        "mode": "gaussian",
        "padding_mode": "replicate",
        "device": "@device",
    },
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [{"_target_": "Activationsd", "keys": "pred", "softmax": True}],
    },
    "checkpointloader": {
        "_target_": "CheckpointLoader",
        "load_path": "$@bundle_root + '/models/' + @modelname",
        "load_dict": {"model": "@network"},
    },
}


def nearest_hu_weights() -> dict[str, Any]:
    """Return weights under which the network hands each voxel's own value x to 2 m x - m² for each channel's m."""
    import torch
    from monai.networks.nets import SegResNet

    options = {name: value for name, value in INFERENCE["network_def"].items() if name != "_target_"}
    state = SegResNet(**options).state_dict()
    for name, weights in state.items():
        # Without weights all blocks but the first and last pass on what they get; running means stay 0 and 1.
        if weights.ndim == 5:
            weights.zero_()
        elif name.endswith("norm.weight") or name.endswith("running_var"):
            weights.fill_(1)
    state["convInit.conv.weight"][0, 0, 1, 1, 1] = 1.0  # x above 0 goes through channel 0, below 0 through channel 1
    state["convInit.conv.weight"][1, 0, 1, 1, 1] = -1.0
    means = torch.tensor([hu / 1000 for hu in HU_OF.values()])
    state["conv_final.2.conv.weight"][:, 0, 0, 0, 0] = 2 * means
    state["conv_final.2.conv.weight"][:, 1, 0, 0, 0] = -2 * means
    state["conv_final.2.conv.bias"][:] = -(means**2)
    return state


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a bundle's folder; parts of its configuration can be replaced, `weights` left out."""

    def make(name: str = "whole_body", weights: tuple[str, ...] = ("model.pt",), **changes: Any) -> Path:
        folder = tmp_path / name
        (folder / "configs").mkdir(parents=True)
        (folder / "models").mkdir()
        channels = {str(n): channel for n, channel in enumerate(HU_OF)}
        metadata = {
            "name": "Body",
            "version": "0.2.5",
            "network_data_format": {
                "inputs": {"image": {"type": "image", "modality": "CT", "num_channels": 1}},
                "outputs": {"pred": {"num_channels": len(HU_OF), "channel_def": changes.pop("channel_def", channels)}},
            },
        }
        (folder / "configs/metadata.json").write_text(json.dumps(metadata))
        (folder / "configs/inference.json").write_text(json.dumps({**INFERENCE, **changes}))
        if weights:
            import torch

            for file in weights:
                torch.save(nearest_hu_weights(), folder / "models" / file)
        return folder

    return make
