"""All sizes of the region-token network, the switch of each of its parts, and every count that follows; no tensors.

Which part comes from which paper is told in the head of the part's own file. Presets are in `presets`, the network in
`network`. Sizes are (depth, height, width) = axes (k, j, i) of the working grid unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from ..anatomy.regions import REGION_IDS
from .box_head import BoxHeadConfig
from .reg2rg_config import EncoderConfig, PerceiverConfig

Size: TypeAlias = tuple[int, int, int]
WINDOWS_HU = ((-1350.0, 150.0), (-160.0, 240.0), (-350.0, 1150.0))
"""Lung, soft tissue and bone window, the three channels of every image."""


class SliceChoice(str, Enum):
    """Which slices are shown in detail: those with most of each region (R²), as many evenly spaced ones, or none."""

    BY_MASK = "by_mask"
    EVEN = "even"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the language model is given, and what else the network can do; each can be switched off alone."""

    global_tokens: bool = True
    region_slices: SliceChoice = SliceChoice.BY_MASK
    mask_token: bool = True
    spatial_token: bool = True
    texture: bool = True
    geometry: bool = True
    attributes: bool = True
    structure_tokens: bool = True
    finding_token: bool = True
    plan: bool = True
    support: bool = True


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network of the transformers library: its `settings` (with `model_type`) and, if any, the local `folder` of its
    weights. A `frozen` one is not trained and, if it has a folder, not stored in checkpoints."""

    settings: dict[str, Any]
    folder: str | None = None
    frozen: bool = False

    @property
    def width(self) -> int:
        """Width of its hidden states."""
        return int(self.settings["hidden_size"])


@dataclass(frozen=True, slots=True)
class SliceConfig:
    """How the scan is cut into slices and read one by one.

    The scan becomes `size` voxels, drawn from points `sample_mm` apart. Either `backbone` (a 2D vision transformer
    whose layers `levels` are looked at) or, without it, a small built-in convolutional encoder with one level per entry
    of `widths`. `patch` is the edge of the square of pixels behind one token, `batch` the slices read at once in use.
    """

    size: Size
    patch: int
    sample_mm: float = 1.0
    backbone: Backbone | None = None
    levels: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    batch: int = 16

    def __post_init__(self) -> None:
        if any(n % self.patch for n in self.size[1:]):
            raise ValueError(f"slices of {self.size[1:]} are no whole patches of {self.patch}")
        if self.backbone is None and self.patch != 2 ** len(self.widths):
            raise ValueError(
                f"{len(self.widths)} built-in levels halve to patches of {2 ** len(self.widths)}, not {self.patch}"
            )
        if self.backbone is not None and not self.levels:
            raise ValueError("a backbone needs the numbers of the layers to look at, got none")

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self.backbone.width if self.backbone else self.widths[-1]

    @property
    def level_widths(self) -> tuple[int, ...]:
        """Channels of each level that masks are pooled over."""
        return (self.width,) * len(self.levels) if self.backbone else self.widths

    @property
    def token_grid(self) -> tuple[int, int]:
        """Rows and columns of tokens of a slice."""
        return self.size[1] // self.patch, self.size[2] // self.patch


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """The mask side: `spatial_size` is what a mask is resized to for its spatial token, `hidden` the MLP's width."""

    spatial_size: Size = (16, 28, 28)
    hidden: int = 1024

    @property
    def spatial_inputs(self) -> int:
        """Inputs of the spatial MLP: the voxels, and the three edges of the working grid in metres."""
        k, j, i = self.spatial_size
        return k * j * i + 3


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """The crop of each region; `size_hwd` as in Reg2RG (height, width, depth); the encoders are Reg2RG's."""

    size_hwd: Size
    texture: EncoderConfig
    perceiver: PerceiverConfig
    geometry: EncoderConfig

    def __post_init__(self) -> None:
        if self.texture.dim != self.perceiver.dim:
            raise ValueError(f"texture dim {self.texture.dim} must equal perceiver dim {self.perceiver.dim}")


@dataclass(frozen=True, slots=True)
class StructureConfig:
    """The structure queries: `width` and `heads` of `layers` of observation, `embedding` shared with the texts.

    `text` reads sentences; a frozen text backbone keeps its vectors from growing stale.
    """

    width: int
    heads: int
    embedding: int
    text: Backbone
    layers: int = 2
    top_patches: int = 9
    text_tokens: int = 200


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Low-rank adapters of the language model; `targets` empty means the library's default for its family."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.1
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The whole network. `instruction` ends the common prefix; a model trained from nothing needs none.

    `attribute_tokens` bounds the measurements in the prompt; a line that does not fit any more is left out. `findings`
    are the kinds that are asked for, none where the training knew of none: then there is no finding token and no plan.
    """

    slices: SliceConfig
    mask: MaskConfig
    local: LocalConfig
    structure: StructureConfig
    language: Backbone
    name: str = "own"
    parts: Parts = field(default_factory=Parts)
    lora: LoraConfig | None = None
    four_bit: bool = False
    instruction: str = ""
    attribute_tokens: int = 512
    box: BoxHeadConfig | None = None
    regions: tuple[str, ...] = REGION_IDS
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = (self.language.width, self.slices.width)
        if self.box is not None and (self.box.state_width, self.box.feature_width) != wanted:
            raise ValueError(f"the box head must read widths {wanted}, got {self.box}")
        rows, columns = self.slices.token_grid
        if self.parts.region_slices is not SliceChoice.NONE and (
            rows % self.slice_shrink[0] or columns % self.slice_shrink[1]
        ):
            raise ValueError(f"a slice of {rows}×{columns} tokens does not shrink by {self.slice_shrink}")

    @property
    def observes(self) -> bool:
        """Whether structure queries are needed at all."""
        return self.parts.structure_tokens or self.parts.support

    @property
    def chosen_slices(self) -> int:
        """Slices shown in detail: one for each region."""
        return len(self.regions)

    @property
    def slice_shrink(self) -> tuple[int, int]:
        """Factors in rows and columns by which a chosen slice is pooled; their product is the number of slices."""
        rows = max(n for n in range(1, int(self.chosen_slices**0.5) + 1) if self.chosen_slices % n == 0)
        return rows, self.chosen_slices // rows

    @property
    def slice_tokens(self) -> int:
        """Tokens of one chosen slice."""
        (rows, columns), (by_row, by_column) = self.slices.token_grid, self.slice_shrink
        return (rows // by_row) * (columns // by_column) if self.parts.region_slices is not SliceChoice.NONE else 0

    @property
    def global_tokens(self) -> int:
        """Tokens of the whole scan: one for each slice."""
        return self.slices.size[0] if self.parts.global_tokens else 0

    @property
    def r2_tokens(self) -> int:
        """Image tokens of the common prefix; D + T if all are on."""
        return self.global_tokens + self.chosen_slices * self.slice_tokens

    @property
    def prefix_tokens(self) -> int:
        """Length of the common prefix without attributes, instruction and a mark of its beginning."""
        image_marks = 2 if self.parts.global_tokens else 0
        slot_marks = self.chosen_slices if self.slice_tokens else 0
        return self.r2_tokens + image_marks + slot_marks

    @property
    def mask_tokens(self) -> int:
        """Tokens of a region's mask: what lies in it, and where it lies."""
        return int(self.parts.mask_token) + int(self.parts.spatial_token)

    @property
    def local_tokens(self) -> int:
        """Tokens of a region's crop: texture and geometry; 32 + 1 as published."""
        return self.local.perceiver.latents * int(self.parts.texture) + int(self.parts.geometry)

    @property
    def structure_tokens(self) -> int:
        """Tokens of a region's observation: its query and the patches that it looked at most."""
        return (1 + self.structure.top_patches) * int(self.parts.structure_tokens)

    @property
    def finding_tokens(self) -> int:
        """Tokens that tell what patches answered: one, if they are asked at all."""
        return int(self.parts.finding_token and bool(self.findings))

    @property
    def plans(self) -> bool:
        """Whether it is settled what a text tells of, before it is written; the answers follow a region's prompt."""
        return self.parts.plan and bool(self.findings)

    @property
    def region_tokens(self) -> int:
        """Length of a region's prompt: its slot mark, its tokens, and the mark of its end."""
        return 2 + self.mask_tokens + self.local_tokens + self.structure_tokens + self.finding_tokens
