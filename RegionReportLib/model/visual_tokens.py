"""Everything the language model is shown of a study, put together from the parts that see.

Which parts there are is settled by `ModelConfig.parts`; a part that is off has no weights and no tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor, nn

from . import r2_tokens
from .config import ModelConfig, SliceChoice
from .finding_map import FindingMap
from .inputs import StudyInputs
from .local_features import Geometry, Texture
from .mask_encoder import MaskToken, SpatialToken
from .slice_encoder import SliceEncoder
from .structure_queries import Observation, StructureQueries


@dataclass(frozen=True, slots=True, eq=False)
class EncodedStudy:
    """All that is seen of a study, in the width d of the language model, rows in the order of `study.regions`.

    `global_tokens` `(D, d)`; `slice_tokens` `(R, t, d)`; `region_tokens` `(R, q, d)`; `patches` `(D, C, h, w)`;
    `observed` is what the structure queries saw, None if there are none. `plans` is False where what was settled before
    a text is kept from the language model (see `plan`).
    """

    study: StudyInputs
    global_tokens: Tensor
    slice_tokens: Tensor
    region_tokens: Tensor
    patches: Tensor
    observed: Observation | None
    plans: bool = True


HIDEABLE = (
    "global_tokens",
    "region_slices",
    "even_slices",
    "mask_token",
    "spatial_token",
    "texture",
    "geometry",
    "attributes",
    "structure_tokens",
    "finding_token",
    "plan",
)
"""What can be kept from the language model for one study, see `VisualTokens.hidden`."""


def region_columns(config: ModelConfig) -> dict[str, slice]:
    """Return where each part's tokens stand among the `region_tokens` of a region."""
    parts = config.parts
    widths = {
        "mask_token": int(parts.mask_token),
        "spatial_token": int(parts.spatial_token),
        "texture": config.local.perceiver.latents * int(parts.texture),
        "geometry": int(parts.geometry),
        "structure_tokens": config.structure_tokens,
        "finding_token": config.finding_tokens,
    }
    ends = list(accumulate(widths.values()))
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


class VisualTokens(nn.Module):
    """A study to an `EncodedStudy`."""

    def __init__(self, config: ModelConfig, *, weights: bool = False) -> None:
        super().__init__()
        self.config = config
        parts, width, patch_width = config.parts, config.language.width, config.slices.width
        self.slice_encoder = SliceEncoder(config.slices, weights=weights)
        if config.r2_tokens:
            self.connector = nn.Linear(patch_width, width)  # one linear layer, as in MedRegion-CT
        if parts.mask_token:
            self.mask_token = MaskToken(config.slices.level_widths, width)
        if parts.spatial_token:
            self.spatial_token = SpatialToken(config.mask, width)
        if parts.texture:
            self.texture = Texture(config.local, width)
        if parts.geometry:
            self.geometry = Geometry(config.local, width)
        if config.observes:
            self.structure_queries = StructureQueries(config.structure, patch_width, len(config.regions))
        if parts.structure_tokens:
            self.structure_connector = nn.Linear(config.structure.width, width)
        if config.finding_tokens:
            self.finding_map = FindingMap(len(config.findings), patch_width, width)

    def forward(self, study: StudyInputs) -> EncodedStudy:
        """Return what is seen; the study must lie where the weights lie."""
        seen = self.slice_encoder(study.slices)
        patches: Tensor = seen.patches
        masks = study.masks.to(patches.dtype) / 255
        region_tokens = [patches.new_zeros(len(masks), 0, self.config.language.width)]
        region_tokens += self._of_masks(study, seen.levels, masks)
        region_tokens += self._of_crops(study, masks)
        observed: Observation | None = self.structure_queries(patches, masks) if self.config.observes else None
        if observed is not None and self.config.parts.structure_tokens:
            region_tokens.append(self.structure_connector(observed.tokens))
        if self.config.finding_tokens:
            region_tokens.append(self.finding_map.token(patches).expand(len(masks), 1, -1))
        return EncodedStudy(
            study=study,
            global_tokens=self._global_tokens(patches),
            slice_tokens=self._slice_tokens(patches, masks, self.config.parts.region_slices),
            region_tokens=torch.cat(region_tokens, dim=1),  # (R, q, d)
            patches=patches,
            observed=observed,
        )

    def hidden(self, seen: EncodedStudy, without: Collection[str]) -> EncodedStudy:
        """Return a study as if some parts had not been looked at: zeros for their tokens, no lines of attributes.

        Names are those of `config.Parts`, and `even_slices` for evenly spaced slices in place of those of each region.
        ValueError for any other name.
        """
        unknown = set(without) - set(HIDEABLE)
        if unknown:
            raise ValueError(f"cannot hide {sorted(unknown)}; what can be hidden: {', '.join(HIDEABLE)}")
        region_tokens = seen.region_tokens.clone()
        for name, columns in region_columns(self.config).items():
            if name in without:
                region_tokens[:, columns] = 0.0
        slices = seen.slice_tokens
        if "region_slices" in without:
            slices = torch.zeros_like(slices)
        elif "even_slices" in without:
            masks = seen.study.masks.to(seen.patches.dtype) / 255
            slices = self._slice_tokens(seen.patches, masks, SliceChoice.EVEN)
        return replace(
            seen,
            study=replace(seen.study, attributes=()) if "attributes" in without else seen.study,
            global_tokens=torch.zeros_like(seen.global_tokens) if "global_tokens" in without else seen.global_tokens,
            slice_tokens=slices,
            region_tokens=region_tokens,
            plans=seen.plans and "plan" not in without,
        )

    def _global_tokens(self, patches: Tensor) -> Tensor:
        if not self.config.parts.global_tokens:
            return patches.new_zeros(0, self.config.language.width)
        out: Tensor = self.connector(r2_tokens.global_tokens(patches))
        return out

    def _slice_tokens(self, patches: Tensor, masks: Tensor, choice: SliceChoice) -> Tensor:
        if SliceChoice.NONE in (choice, self.config.parts.region_slices):
            return patches.new_zeros(len(masks), 0, self.config.language.width)
        chosen = (
            r2_tokens.slices_by_mask(masks)
            if choice is SliceChoice.BY_MASK
            else r2_tokens.slices_even(self.config.chosen_slices, len(patches), patches.device)
        )
        out: Tensor = self.connector(r2_tokens.slice_tokens(patches, chosen, self.config.slice_shrink))
        return out

    def _of_masks(self, study: StudyInputs, levels: Sequence[Tensor], masks: Tensor) -> list[Tensor]:
        out = []
        if self.config.parts.mask_token:
            out.append(self.mask_token(levels, masks)[:, None])
        if self.config.parts.spatial_token:
            edges_mm = torch.as_tensor(np.array(study.frame.box.size_mm), dtype=masks.dtype, device=masks.device)
            out.append(self.spatial_token(masks, edges_mm)[:, None])
        return out

    def _of_crops(self, study: StudyInputs, masks: Tensor) -> list[Tensor]:
        out = []
        if self.config.parts.texture:
            out.append(self.texture(study.crops.to(masks.dtype) / 255))
        if self.config.parts.geometry:
            out.append(self.geometry(masks))
        return out
