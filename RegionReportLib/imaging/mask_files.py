"""The masks of a draft folder as files: the six regions for everyone, and the structures where more is known.

Others rely on the segments of `segmentation.seg.nrrd` having the regions' ids; what a back-end tells apart within a
region goes into a file of its own beside it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from ..anatomy import regions as anatomy
from .grid import Grid
from .masks import LabelArray, RegionMasks
from .seg_nrrd import read_segmentation, write_segmentation
from .segment_names import whole_of
from .segments import segments_of

MASKS_NAME = "segmentation.seg.nrrd"
STRUCTURES_NAME = "structures.seg.nrrd"


def write_masks(masks: RegionMasks, folder: Path) -> None:
    """Write the regions, and the structures if they say more than the regions' segments."""
    write_segmentation(masks, folder / MASKS_NAME)
    (folder / STRUCTURES_NAME).unlink(missing_ok=True)
    if {s.id for s in segments_of(masks, "structure")} != {whole_of(s) for s in segments_of(masks)}:
        write_segmentation(masks, folder / STRUCTURES_NAME, segments="structure")


def read_masks(folder: Path, *, grid: Grid | None = None) -> RegionMasks:
    """Read the masks of a draft folder, by structure where they were told apart and the regions are still the same.

    A reader may have edited the regions in 3D Slicer; then these count. Raises InputRefused as `read_segmentation`.
    """
    regions = read_segmentation(folder / MASKS_NAME, grid=grid)
    if not (folder / STRUCTURES_NAME).is_file():
        return regions
    structures = read_segmentation(folder / STRUCTURES_NAME, grid=regions.grid)
    return structures if np.array_equal(_by_region(regions), _by_region(structures)) else regions


def copy_masks(folder: Path, into: Path) -> None:
    """Copy the masks of a draft folder as they are, as far as there are any."""
    for name in (MASKS_NAME, STRUCTURES_NAME):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, into / name)


def _by_region(masks: RegionMasks) -> LabelArray:
    """Number each voxel by its region, the lungs by side."""
    keys = [(s.region_id, s.side if s.region_id == "lungs" else None) for s in map(anatomy.structure, masks.structures)]
    numbers = {(r, side): n for n, (r, side) in enumerate(_PARTS, start=1)}
    return np.array([0, *(numbers[key] for key in keys)], np.uint8)[masks.labels]


_PARTS = [(r, side) for r in anatomy.REGION_IDS for side in ((None, *anatomy.Side) if r == "lungs" else (None,))]
