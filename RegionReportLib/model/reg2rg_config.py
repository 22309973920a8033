"""All sizes of the Reg2RG network and every count that follows from them; no tensors here.

Reg2RG: Chen et al., "Large Language Model with Region-Guided Referring and Grounding for CT Report Generation",
IEEE TMI 2025 (arXiv 2411.15539). `PUBLISHED` is the network of the public checkpoint; tests shrink it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import InputRefused

Size: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """A 3D vision transformer; sizes are (height, width, depth) in voxels.

    `image_size` only sets the length of the position tables: one row per patch of an image of that size.
    """

    image_size: Size
    patch: Size
    channels: int
    dim: int
    depth: int
    mlp_dim: int
    heads: int = 8
    head_dim: int = 64
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.dim % 3:
            raise ValueError(f"dim must be a multiple of 3 (row, column and depth code), got {self.dim}")
        if any(n % p for n, p in zip(self.image_size, self.patch, strict=True)):
            raise ValueError(f"image_size {self.image_size} must be whole patches of {self.patch}")

    @property
    def inner_dim(self) -> int:
        """Width of all attention heads together."""
        return self.heads * self.head_dim

    @property
    def patch_dim(self) -> int:
        """Values of one patch, all channels."""
        height, width, depth = self.patch
        return height * width * depth * self.channels

    @property
    def tables(self) -> Size:
        """Rows of the position tables for height, width and depth."""
        height, width, depth = (n // p for n, p in zip(self.image_size, self.patch, strict=True))
        return height, width, depth

    def tokens(self, size: Size) -> int:
        """Return the number of patches of a volume of `size`."""
        height, width, depth = (n // p for n, p in zip(size, self.patch, strict=True))
        return height * width * depth


@dataclass(frozen=True, slots=True)
class PerceiverConfig:
    """The resampler that turns any number of image tokens into `latents` tokens."""

    dim: int = 768
    depth: int = 6
    heads: int = 8
    head_dim: int = 64
    latents: int = 32
    ff_factor: int = 4


@dataclass(frozen=True, slots=True)
class LanguageConfig:
    """A Llama network with low-rank adapters on `q_proj` and `v_proj`; the defaults are Llama-2-7b-chat."""

    vocabulary: int = 32000
    dim: int = 4096
    mlp_dim: int = 11008
    layers: int = 32
    heads: int = 32
    positions: int = 4096
    norm_eps: float = 1e-5
    lora_rank: int = 8
    lora_alpha: int = 32
    lora_dropout: float = 0.1

    @property
    def lora_scale(self) -> float:
        """The factor of B·A in an adapted weight."""
        return self.lora_alpha / self.lora_rank


def _vision() -> EncoderConfig:
    return EncoderConfig((512, 512, 512), (32, 32, 4), channels=3, dim=768, depth=12, mlp_dim=2048)


def _mask() -> EncoderConfig:
    return EncoderConfig((256, 256, 64), (32, 32, 16), channels=1, dim=255, depth=3, mlp_dim=512)


@dataclass(frozen=True, slots=True)
class Reg2RGConfig:
    """The whole network; `size` is the (height, width, depth) that every volume and mask is resized to."""

    size: Size = (256, 256, 64)
    max_regions: int = 10
    vision: EncoderConfig = field(default_factory=_vision)
    mask: EncoderConfig = field(default_factory=_mask)
    perceiver: PerceiverConfig = field(default_factory=PerceiverConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)

    def __post_init__(self) -> None:
        if self.vision.dim != self.perceiver.dim:
            raise ValueError(f"vision dim {self.vision.dim} must equal perceiver dim {self.perceiver.dim}")

    @property
    def image_tokens(self) -> int:
        """Tokens of the whole scan."""
        return self.perceiver.latents

    @property
    def region_tokens(self) -> int:
        """Tokens of one region: its texture, then one for its shape and place."""
        return self.perceiver.latents + 1

    @property
    def image_open_id(self) -> int:
        """The id of `<image>`, the first one after the words of the language model; `</image>` follows."""
        return self.language.vocabulary

    @property
    def region_open_id(self) -> int:
        """The id of `<region>`; `</region>` follows."""
        return self.image_open_id + 2

    @property
    def first_image_id(self) -> int:
        """The id of `<image0>`."""
        return self.region_open_id + 2

    @property
    def first_region_id(self) -> int:
        """The id of `<region0>`."""
        return self.first_image_id + self.image_tokens

    @property
    def added_tokens(self) -> int:
        """Number of ids beyond the vocabulary of the language model."""
        return 4 + self.image_tokens + self.region_tokens * self.max_regions


PUBLISHED = Reg2RGConfig()

SIZES_FILE = "reg2rg.json"
"""May lie beside the weights of a network that is not of the published size; see `read_config`."""


def read_config(folder: Path) -> Reg2RGConfig:
    """Return the sizes of the network in `folder`: the published ones but for what its `reg2rg.json` says otherwise.

    The file nests as `Reg2RGConfig` does. InputRefused if it names what there is not, or numbers that do not fit.
    """
    file = folder / SIZES_FILE
    if not file.is_file():
        return PUBLISHED
    try:
        return _changed(PUBLISHED, json.loads(file.read_text(encoding="utf-8")))  # type: ignore[no-any-return]
    except (ValueError, TypeError, AttributeError) as error:
        raise InputRefused(f"{file} does not describe a Reg2RG network: {error}") from error


def _changed(value: Any, changes: dict[str, Any]) -> Any:
    known = {f.name for f in fields(value)}
    if set(changes) - known:
        raise ValueError(f"unknown {', '.join(sorted(set(changes) - known))}; known are {', '.join(sorted(known))}")
    new: dict[str, Any] = {}
    for name, change in changes.items():
        nested = isinstance(change, dict)
        new[name] = (
            _changed(getattr(value, name), change) if nested else tuple(change) if isinstance(change, list) else change
        )
    return replace(value, **new)
