"""Builds the region-token network from a preset or a configuration, with fresh weights or those of local folders.

Loading a network that was trained here is `checkpoint.load`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from .backbones import resolved
from .config import Backbone, ModelConfig
from .network import RegionReporter
from .presets import PRESETS
from .tokenizer import ReportTokenizer


@dataclass(frozen=True, slots=True)
class Folders:
    """Local folders of pretrained networks in the layout of the transformers library; None means fresh weights."""

    vision: Path | None = None
    language: Path | None = None
    text: Path | None = None


def build(
    preset: str | ModelConfig,
    *,
    folders: Folders | None = None,
    words: ReportTokenizer | Iterable[str] = (),
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> RegionReporter:
    """Return a network, on torch's current default device (`with torch.device("meta")` costs no memory).

    `words` is its tokenizer or texts to train one on; with a language folder that folder's is taken. `dtype` is that
    of the language model. ValueError for an unknown preset or without any words; NeedMissing for an absent folder.
    """
    config = with_folders(config_of(preset), folders or Folders())
    tokenizer = _tokenizer(config, words)
    config = _fitted(config, tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return RegionReporter(config, tokenizer, weights=True, dtype=dtype)


def config_of(preset: str | ModelConfig) -> ModelConfig:
    """Return the configuration of a preset's name, or the one given; ValueError names the known presets."""
    if isinstance(preset, ModelConfig):
        return preset
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}, known are {', '.join(PRESETS)}")
    return PRESETS[preset]()


def with_folders(config: ModelConfig, folders: Folders) -> ModelConfig:
    """Return the configuration with the networks of `folders`, whose widths replace those it had."""
    slices, structure, box = config.slices, config.structure, config.box
    if slices.backbone is not None:
        vision = _placed(slices.backbone, folders.vision)
        patch = int(vision.settings.get("patch_size", slices.patch))
        rows, columns = slices.token_grid
        slices = replace(slices, backbone=vision, patch=patch, size=(slices.size[0], rows * patch, columns * patch))
    structure = replace(structure, text=_placed(structure.text, folders.text))
    language = _placed(config.language, folders.language)
    if box is not None:
        box = replace(box, state_width=language.width, feature_width=slices.width)
    return replace(config, slices=slices, structure=structure, language=language, box=box)


def _placed(backbone: Backbone, folder: Path | None) -> Backbone:
    return resolved(replace(backbone, folder=str(folder) if folder is not None else backbone.folder))


def _tokenizer(config: ModelConfig, words: ReportTokenizer | Iterable[str]) -> ReportTokenizer:
    if isinstance(words, ReportTokenizer):
        return words
    if config.language.folder is not None:
        return ReportTokenizer.open(Path(config.language.folder), begin_id(config))
    texts = list(words)
    if not texts:
        raise ValueError("a network without a language folder needs words: a tokenizer, or texts to train one on")
    return ReportTokenizer.train(texts)


def begin_id(config: ModelConfig) -> int | None:
    """Return the id that a pretrained language model wants at the very beginning."""
    begin = config.language.settings.get("bos_token_id") if config.language.folder is not None else None
    return int(begin) if begin is not None else None


def _fitted(config: ModelConfig, tokenizer: ReportTokenizer) -> ModelConfig:
    """Give networks without a size of their own tables of words as long as the tokenizer's."""

    def sized(backbone: Backbone) -> Backbone:
        settings: dict[str, Any] = {"vocab_size": tokenizer.size, "pad_token_id": tokenizer.pad_id, **backbone.settings}
        return replace(backbone, settings=settings)

    return replace(
        config, language=sized(config.language), structure=replace(config.structure, text=sized(config.structure.text))
    )
