"""Networks of the transformers library from settings or from a local folder: never remote code, never a download."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig

from ..errors import InputRefused, NeedMissing
from .config import Backbone

LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def settings_of(folder: Path) -> dict[str, Any]:
    """Return the settings of a folder's network; of a two-sided one (CLIP, SigLIP) those of its image side.

    NeedMissing without a folder or its `config.json`; InputRefused if that file cannot be read.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise NeedMissing(f"no model at {folder}: expected a folder with config.json and its weights")
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputRefused(f"{file} is not JSON: {error}") from error
    if "vision_config" in said:
        kind = f"{said.get('model_type', '')}_vision_model"
        said = {**said["vision_config"], "model_type": kind}
    if "model_type" not in said or "auto_map" in said:
        raise InputRefused(f"{file} names no model_type of the transformers library, or needs code of its own")
    return said


def resolved(backbone: Backbone) -> Backbone:
    """Return a backbone whose settings are those of its folder, if it has one."""
    if backbone.folder is None:
        return backbone
    # The library fills in what a folder leaves to its defaults, such as the width.
    return replace(backbone, settings=library_config(settings_of(Path(backbone.folder))).to_dict())


def library_config(settings: dict[str, Any]) -> PretrainedConfig:
    """Return the library's own configuration; InputRefused if it does not know the model_type."""
    rest = dict(settings)
    try:
        config: PretrainedConfig = AutoConfig.for_model(rest.pop("model_type"), **rest)
    except (KeyError, ValueError) as error:
        raise InputRefused(f"the transformers library does not know these settings: {error}") from error
    return config


def plain_network(backbone: Backbone, *, weights: bool) -> nn.Module:
    """Return the network without any head, with the folder's weights if `weights` and a folder are given."""
    config = library_config(backbone.settings)
    model: Any
    if weights and backbone.folder is not None:
        model = AutoModel.from_pretrained(backbone.folder, config=config, **LOCAL)
    else:
        make: Any = AutoModel.from_config
        model = make(config)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # a head that nobody asks would be stored and never learn
    return cast("nn.Module", model)
