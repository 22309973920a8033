"""From a scan and its regions to what Reg2RG sees: crops resized to 256×256×64, clamped and scaled.

As published, with arrays in the order of the network, (height, width, depth) = (i, j, k) of the data set's files,
whose columns run to left, posterior and superior. Spacing is not looked at: the published network never did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import nibabel
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 (the name all torch code uses)
from torch import Tensor

from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Progress, Work
from .reg2rg_config import PUBLISHED, Size
from .reg2rg_regions import REGION_NAMES, masks_of

FOREGROUND_HU = -1000.0
"""Only voxels above this value decide how a crop is cut."""
OUTSIDE_HU = -1024.0
"""What surrounds a region in its crop."""
WINDOW_HU = (-1000.0, 200.0)

AnyArray: TypeAlias = npt.NDArray[Any]
Where: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class RegionInput:
    """One region: `texture` (H, W, D) is its own crop in -1..1, `geometry` its mask in 0..1 in the crop of the scan.

    `box` is the crop of the texture in voxels of the scan as the network sees it.
    """

    texture: Tensor
    geometry: Tensor
    box: Where


@dataclass(frozen=True, slots=True, eq=False)
class ScanInput:
    """All the network sees: the whole `image` (H, W, D) in -1..1 and the regions in slot order.

    `skipped` tells for the other regions why they are not shown.
    """

    image: Tensor
    box: Where
    regions: dict[str, RegionInput]
    skipped: dict[str, str]


def prepare(
    hu_hwd: AnyArray, regions: Iterable[tuple[str, AnyArray | str]], size: Size = PUBLISHED.size
) -> Work[ScanInput]:
    """Return the input of a scan (H, W, D) in HU and its regions: a mask each, or the reason why there is none.

    InputRefused if no voxel lies above -1000 HU.
    """
    yield Progress(0.0, "resizing the scan")
    whole = box_of(hu_hwd > FOREGROUND_HU)
    if whole is None:
        raise InputRefused("no voxel of the scan lies above -1000 HU")
    image = windowed(resized(hu_hwd[whole], size))
    shown: dict[str, RegionInput] = {}
    skipped: dict[str, str] = {}
    for n, (name, mask) in enumerate(regions, start=1):
        yield Progress(min(0.95, n / (len(REGION_NAMES) + 1)), f"resizing {name}")
        made = mask if isinstance(mask, str) else _region(hu_hwd, mask, whole, size)
        if isinstance(made, str):
            skipped[name] = made
        else:
            shown[name] = made
    yield Progress(1.0, "resized")
    return ScanInput(image, whole, shown, skipped)


def prepare_scan(volume: Volume, masks: RegionMasks, size: Size = PUBLISHED.size) -> Work[ScanInput]:
    """Return the input of one of our scans: turned to the axes of the data set, regions united from structures.

    ValueError if scan and masks do not share a grid.
    """
    if masks.grid != volume.grid:
        raise ValueError(f"the masks lie on {masks.grid}, the scan on {volume.grid}")
    regions = (
        (name, mask if isinstance(mask, str) else in_published_axes(mask, volume.grid))
        for name, mask in masks_of(masks)
    )
    return (yield from prepare(in_published_axes(volume.hu, volume.grid), regions, size))


def in_published_axes(array_kji: AnyArray, grid: Grid) -> AnyArray:
    """Return a view (H, W, D) whose axes run, as nearly as the grid allows, to left, posterior and superior.

    The files of the data set are stored that way; an oblique grid is turned by its nearest axes, never resampled.
    """
    have = nibabel.orientations.io_orientation(grid.affine)
    want = nibabel.orientations.axcodes2ornt(("L", "P", "S"))
    turn = nibabel.orientations.ornt_transform(have, want)
    turned: AnyArray = nibabel.orientations.apply_orientation(array_kji.transpose(2, 1, 0), turn)
    return turned


def box_of(mask: AnyArray) -> Where | None:
    """Return the smallest block that holds all true voxels, or None if there is none."""
    slices = []
    for axis in range(3):
        line = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        if not line.size:
            return None
        slices.append(slice(int(line[0]), int(line[-1]) + 1))
    return slices[0], slices[1], slices[2]


def resized(array: AnyArray, size: Size) -> Tensor:
    """Return the means (H, W, D) over the blocks that each new voxel covers; a smaller array repeats its voxels.

    The same as pooling all three axes at once, but a slab at a time: a large scan is never copied as a whole.
    """
    out = torch.empty(size)
    depth = array.shape[2]
    for d in range(size[2]):
        start, stop = d * depth // size[2], -(-(d + 1) * depth // size[2])
        slab = torch.from_numpy(np.ascontiguousarray(array[:, :, start:stop].transpose(2, 0, 1), dtype=np.float32))
        pooled = F.adaptive_avg_pool2d(slab, size[:2])  # (n, H, W)
        out[:, :, d] = pooled.mean(dim=0)
    return out


def windowed(hu: Tensor) -> Tensor:
    """Clamp to the window and scale to -1..1."""
    low, high = WINDOW_HU
    return (hu.clamp(low, high) - (low + high) / 2) / ((high - low) / 2)


def _region(hu: AnyArray, mask: AnyArray, whole: Where, size: Size) -> RegionInput | str:
    around = box_of(mask > 0)
    if around is None:
        return "its mask is empty"
    own = np.where(mask[around] > 0, hu[around], hu.dtype.type(OUTSIDE_HU))
    inner = box_of(own > FOREGROUND_HU)
    if inner is None:
        return "no voxel of its mask lies above -1000 HU"
    h, w, d = (slice(a.start + b.start, a.start + b.stop) for a, b in zip(around, inner, strict=True))
    return RegionInput(windowed(resized(own[inner], size)), resized(mask[whole], size), (h, w, d))
