"""From a scan and its region masks to the tensors of the region-token network, on a grid that it can carry back.

The working grid is upright in the patient and laid around the masks, so that every scan shows the same part of a body
whatever its field of view; its axes run as a radiologist looks at slices: feet to head, front to back, right to left.
Not here: measuring, and any weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from einops import rearrange
from torch import Tensor

from ..anatomy.regions import REGION_IDS, region
from ..errors import InputRefused
from ..imaging.box import Box
from ..imaging.grid import Grid
from ..imaging.masks import RegionMasks
from ..imaging.resample import AIR_HU, nearest, resampled
from ..imaging.volume import Volume
from ..progress import Progress, Work
from .config import WINDOWS_HU, ModelConfig, Size

MARGIN_MM = 10.0
"""What is shown around the masks: the skin, and the error of looking at every few voxels for their extent."""
COARSE_MM = 4.0
"""How far apart voxels are looked at for the extent of the masks."""
MOST_SAMPLES = 60_000_000
"""Points at most that are drawn from a scan: a chest at 1 mm; a whole body is drawn coarser and not in more memory."""
NOTHING = "<none>"
"""What is written for a region about which nothing is to be said."""

AnyArray: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class StudyInputs:
    """All the network sees of one scan. Images and masks are uint8 whose 0..255 stand for 0..1.

    `slices` `(D, 3, H, W)` in three windows; `masks` `(R, D, H, W)`, the covered part of each voxel; `crops`
    `(R, 3, h, w, d)`, each region alone in its own box, 0 around it; both in the order of `regions`. `attributes` are
    plain lines of text. `frame` is the grid of the slices in RAS. `slots[n]` is the region shown in slot n.
    """

    slices: Tensor
    masks: Tensor
    crops: Tensor
    attributes: tuple[str, ...]
    frame: Grid
    regions: tuple[str, ...] = REGION_IDS
    slots: tuple[str, ...] = REGION_IDS

    def __post_init__(self) -> None:
        if sorted(self.slots) != sorted(self.regions):
            raise ValueError(f"slots must hold each of {self.regions} once, got {self.slots}")
        if not len(self.masks) == len(self.crops) == len(self.regions):
            raise ValueError(f"{len(self.regions)} regions, but {len(self.masks)} masks and {len(self.crops)} crops")
        if self.slices[:, 0].shape != self.masks.shape[1:] or self.slices.shape[1] != len(WINDOWS_HU):
            raise ValueError(f"slices {tuple(self.slices.shape)} and masks {tuple(self.masks.shape)} differ in size")

    def index(self, region_id: str) -> int:
        """Return the row of a region in `masks` and `crops`; ValueError if it is none."""
        if region_id not in self.regions:
            raise ValueError(f"unknown region {region_id!r}, known are {', '.join(self.regions)}")
        return self.regions.index(region_id)

    def slot(self, region_id: str) -> int:
        """Return the number of the slot that shows a region."""
        return self.slots.index(self.regions[self.index(region_id)])

    def to(self, device: torch.device | str) -> StudyInputs:
        """Return the same with all tensors on `device`."""
        return replace(self, slices=self.slices.to(device), masks=self.masks.to(device), crops=self.crops.to(device))


def shuffled(study: StudyInputs, generator: torch.Generator) -> StudyInputs:
    """Return the study with its regions in slots drawn at random; what is said of a region does not change.

    In training only, so that the network must recognise a region by its image and not by its slot (Reg2RG §3.3).
    """
    order = torch.randperm(len(study.slots), generator=generator).tolist()
    return replace(study, slots=tuple(study.slots[n] for n in order))


def target_of(region_id: str, text: str | None) -> str:
    """Return what the network is to write for a region: its name first, then its text, or that there is nothing."""
    return f"{region(region_id).name}: {text.strip() if text and text.strip() else NOTHING}"


def study_inputs(
    volume: Volume, masks: RegionMasks, config: ModelConfig, attributes: Sequence[str] = ()
) -> Work[StudyInputs]:
    """Return the tensors of a scan; `attributes` are lines of text about this patient.

    InputRefused if the masks hold no voxel at all. Scan and masks may lie on different grids.
    """
    yield Progress(0.0, "looking where the regions lie")
    box = box_of_masks(masks, config.slices.size)
    frame = working_grid(box, config.slices.size)
    fine = working_grid(box, sample_shape(box, config.slices.sample_mm))
    yield Progress(0.1, "sampling the scan")
    hu = resampled(volume.hu, volume.grid, fine, AIR_HU)
    yield Progress(0.4, "sampling the regions")
    labels = nearest(masks.labels, masks.grid, fine)
    slices = windowed(pooled(hu, config.slices.size))  # (3, D, H, W)
    covered, crops = [], []
    for n, region_id in enumerate(config.regions):
        yield Progress(0.5 + 0.5 * n / len(config.regions), f"cutting out {region(region_id).name.lower()}")
        inside = masks_lookup(masks, region_id)[labels]
        covered.append(pooled(inside.astype(np.uint8) * 255, config.slices.size))
        crops.append(crop_of(hu, inside, config.local.size_hwd))
    yield Progress(1.0, "sampled")
    return StudyInputs(
        slices=rearrange(slices, "c d h w -> d c h w").contiguous(),
        masks=torch.stack(covered).round().to(torch.uint8),
        crops=torch.stack(crops),
        attributes=tuple(line for line in attributes if line.strip()),
        frame=frame,
        regions=config.regions,
        slots=config.regions,
    )


def masks_lookup(masks: RegionMasks, region_id: str) -> npt.NDArray[np.bool_]:
    """Return the table `(256,)` that tells for each label whether it belongs to a region."""
    table = np.zeros(256, dtype=bool)
    table[masks.values(s.id for s in region(region_id).structures)] = True
    return table


def box_of_masks(masks: RegionMasks, size: Size) -> Box:
    """Return the RAS box around all masks with a margin, of the shape of a slice of `size`: its pixels are square.

    InputRefused if there is no voxel in any mask.
    """
    i, j, k = (max(1, int(COARSE_MM / s)) for s in masks.grid.spacing_mm)
    found = np.nonzero(masks.labels[::k, ::j, ::i])
    if not found[0].size:
        raise InputRefused("the region masks are empty: there is nothing to report on")
    steps = np.array((k, j, i))
    low, high = (np.array([edge(axis) for axis in found]) * steps for edge in (np.min, np.max))
    box = masks.grid.box_of(low, np.minimum(high + steps, masks.grid.shape_kji))
    centre, half = np.array(box.center_mm), np.array(box.size_mm) / 2 + MARGIN_MM
    half[:2] = np.array((size[2], size[1])) * (half[:2] / (size[2], size[1])).max()
    return Box(tuple(centre - half), tuple(centre + half))


def sample_shape(box: Box, spacing_mm: float) -> Size:
    """Return how many points `(k, j, i)` no farther apart than `spacing_mm` fill a box, if MOST_SAMPLES allows it."""
    spacing_mm = max(spacing_mm, (box.volume_ml * 1000 / MOST_SAMPLES) ** (1 / 3))
    x, y, z = (max(1, int(np.ceil(length / spacing_mm))) for length in box.size_mm)
    return z, y, x


def working_grid(box: Box, shape_kji: Size) -> Grid:
    """Return the grid of `shape_kji` voxels that fills `box`: i towards left, j towards back, k towards the head."""
    (x0, y0, z0), (x1, y1, z1) = box.min_mm, box.max_mm
    k, j, i = shape_kji
    step = np.array(((x0 - x1) / i, (y0 - y1) / j, (z1 - z0) / k))
    affine = np.diag((*step, 1.0))
    affine[:3, 3] = np.array((x1, y1, z0)) + step / 2
    return Grid(shape_kji, affine)


def pooled(values_kji: AnyArray, size: Size) -> Tensor:
    """Return the means `(k, j, i)` float32 over the blocks that each new voxel covers; smaller arrays repeat voxels."""
    values = torch.from_numpy(np.ascontiguousarray(values_kji, dtype=np.float32))
    return F.adaptive_avg_pool3d(values[None], size)[0]


def windowed(hu: Tensor) -> Tensor:
    """Map HU `(...)` to uint8 `(3, ...)`: lung, soft tissue and bone window, each from 0 below to 255 above."""
    return torch.stack([((hu - low) / (high - low)).clamp(0, 1).mul(255).round() for low, high in WINDOWS_HU]).to(
        torch.uint8
    )


def crop_of(hu_kji: AnyArray, inside_kji: npt.NDArray[np.bool_], size_hwd: Size) -> Tensor:
    """Return a region alone `(3, h, w, d)` uint8: cut to its box, air where it is not, resized; 0 if it is empty."""
    h, w, d = size_hwd
    runs = [np.flatnonzero(inside_kji.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not runs[0].size:
        return torch.zeros((len(WINDOWS_HU), h, w, d), dtype=torch.uint8)
    block = tuple(slice(int(run[0]), int(run[-1]) + 1) for run in runs)
    alone = np.where(inside_kji[block], hu_kji[block], hu_kji.dtype.type(AIR_HU))
    return rearrange(windowed(pooled(alone, (d, h, w))), "c d h w -> c h w d").contiguous()
