"""Reads a scan slice by slice with a 2D network and keeps several levels of what it saw.

Either a vision transformer of the transformers library (RAD-DINO, DINOv2, SigLIP …; MedRegion-CT §3.2 uses RAD-DINO,
frozen) or a small convolutional network of our own for a processor. Not here: where on a slice to look.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from .backbones import plain_network
from .config import SliceConfig


@dataclass(frozen=True, slots=True, eq=False)
class SliceFeatures:
    """`patches` `(D, C, h, w)`, the last word on each place, and `levels`, each `(D, C_l, h_l, w_l)`, fine to deep."""

    patches: Tensor
    levels: tuple[Tensor, ...]


class SliceEncoder(nn.Module):
    """Slices `(D, 3, H, W)` uint8 to `SliceFeatures`, `config.batch` slices at once unless it is learning."""

    def __init__(self, config: SliceConfig, *, weights: bool = False) -> None:
        super().__init__()
        self.config = config
        self.network: nn.Module = PlainSlices(config) if config.backbone is None else PretrainedSlices(config, weights)
        self.is_frozen = config.backbone is not None and config.backbone.frozen
        if self.is_frozen:
            self.network.requires_grad_(False)

    def train(self, mode: bool = True) -> SliceEncoder:
        """Switch to training; a frozen network stays as it is in use."""
        super().train(mode)
        if self.is_frozen:
            self.network.eval()
        return self

    def forward(self, slices: Tensor) -> SliceFeatures:
        """Return what is seen on all slices."""
        at_once = len(slices) if self.training and not self.is_frozen else self.config.batch
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_frozen):
            seen = [self.network(part) for part in torch.split(slices, at_once)]
        levels = tuple(torch.cat(parts) for parts in zip(*seen, strict=True))
        return SliceFeatures(levels[-1], levels[:-1])


class PlainSlices(nn.Module):
    """A stem and one stage per width, each halving the pixels; the levels are the stages."""

    def __init__(self, config: SliceConfig) -> None:
        super().__init__()
        before = (3, *config.widths[:-1])
        self.stages = nn.ModuleList(Stage(a, b) for a, b in zip(before, config.widths, strict=True))

    def forward(self, slices: Tensor) -> list[Tensor]:
        """Map slices `(n, 3, H, W)` to the levels and, once more, the last of them."""
        x = slices.to(next(self.parameters()).dtype) / 127.5 - 1  # 0..255 → -1..1
        levels = []
        for stage in self.stages:
            x = stage(x)  # (n, C_l, H / 2^l, W / 2^l)
            levels.append(x)
        return [*levels, x]


class Stage(nn.Module):
    """Halves the pixels, then adds what a small window around each place says."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.halve = nn.Sequential(nn.Conv2d(before, width, 3, stride=2, padding=1), nn.GroupNorm(1, width))
        self.look = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.GroupNorm(1, width), nn.GELU(), nn.Conv2d(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map `(n, c, h, w)` to `(n, width, h/2, w/2)`."""
        x = nn.functional.gelu(self.halve(x))
        out: Tensor = x + self.look(x)
        return out


class PretrainedSlices(nn.Module):
    """A vision transformer of the library; its class and register tokens are left out."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: SliceConfig, weights: bool) -> None:
        super().__init__()
        assert config.backbone is not None
        self.config = config
        self.model = plain_network(config.backbone, weights=weights)
        mean, std = channel_statistics(config.backbone.folder)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)
        # Networks learned at one size stretch their code of places to ours; some do so unasked and know no such word.
        asks = "interpolate_pos_encoding" in inspect.signature(self.model.forward).parameters
        self.extra: dict[str, Any] = {"interpolate_pos_encoding": True} if asks else {}

    def forward(self, slices: Tensor) -> list[Tensor]:
        """Map slices `(n, 3, H, W)` to the states after the chosen layers and the last state."""
        pixels = (slices / 255.0 - self.mean) / self.std
        dtype = next(self.model.parameters()).dtype
        seen = self.model(pixel_values=pixels.to(dtype), output_hidden_states=True, **self.extra)
        rows, columns = self.config.token_grid
        states = [seen.hidden_states[n] for n in self.config.levels] + [seen.last_hidden_state]
        return [rearrange(s[:, -rows * columns :], "n (h w) c -> n c h w", h=rows, w=columns) for s in states]


def channel_statistics(folder: str | None) -> tuple[list[float], list[float]]:
    """Return mean and deviation of the channels (0..1) that a folder's network was trained with; 0.5 if not said."""
    file = Path(folder) / "preprocessor_config.json" if folder else None
    if file is None or not file.is_file():
        return [0.5] * 3, [0.5] * 3
    said = json.loads(file.read_text(encoding="utf-8"))
    return three_channels(said.get("image_mean")), three_channels(said.get("image_std"))


def three_channels(values: Any) -> list[float]:
    """Return three channel values: those given, one for all, or 0.5."""
    if not values:
        return [0.5] * 3
    return [float(v) for v in (values if len(values) == 3 else [values[0]] * 3)]
