"""The built-in segmenter: six regions from density, shape and position, no trained model.

Tells the story once: a small scan aligned with the patient, body, spine, airways, lungs, thorax, heart, abdomen, bones,
and back to the scan's own voxels. Each organ's method and definition stand in its own file.
"""

from __future__ import annotations

import logging
from collections.abc import Generator

import numpy as np

from ..errors import InputRefused
from ..imaging.masks import RegionMasks
from ..imaging.resample import AIR_HU, Blocks, blocks, patient_grid, resampled
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from .abdomen import upper_abdomen
from .airways import airways
from .body import body
from .bones import bones
from .coverage import coverage
from .heart import heart_great_vessels, sunk_below
from .hemithorax import airless_parts
from .lungs import Lungs, lungs
from .native import label_map
from .spine import spine
from .thorax import below, thorax
from .working import SPACING_MM, Mask, Working, box_around

logger = logging.getLogger(__name__)

VERSION = "1"
STRUCTURES = (
    "lung_right",
    "lung_left",
    "trachea",
    "main_bronchi",
    "mediastinum",
    "heart_great_vessels",
    "vertebrae",
    "spinal_cord",
    "bone",
    "costal_cartilages",
    "upper_abdomen",
)


class ClassicalSegmenter:
    """Segments a chest CT without any model; see `docs/segmentation.md` for what it can and cannot do."""

    name = "classical"

    def check(self) -> None:
        """Do nothing: it needs nothing but this program."""

    def segment(self, volume: Volume) -> Work[RegionMasks]:
        """Return masks of the six regions on the volume's grid; InputRefused if the scan is not a chest CT."""
        small = yield from part(blocks(volume, SPACING_MM), 0.0, 0.15)
        yield Progress(0.15, "finding the body")
        scan, trunk = around_body(working(small))
        masks, dense = yield from part(anatomy_of(scan, trunk), 0.2, 0.6)
        states, notes = coverage(scan, masks)
        labels = yield from part(label_map(volume, scan, masks, dense), 0.6, 1.0)
        return RegionMasks(labels, volume.grid, STRUCTURES, f"classical {VERSION}", states, notes)


def working(small: Blocks) -> Working:
    """Bring block means to the working grid, cropped to nothing: the whole scan, axes right, anterior, superior."""
    grid = patient_grid(small.grid, SPACING_MM)
    hu = resampled(small.hu, small.grid, grid, AIR_HU)
    held = resampled(small.held.astype(np.uint8) * 255, small.grid, grid, 0) > 127
    return Working(hu, held, grid)


def around_body(scan: Working) -> tuple[Working, Mask]:
    """Return the scan cropped to the body, and the body's mask there; InputRefused if there is none."""
    trunk = body(scan)
    # Three voxels of air stay, where there is air, so that a side cut by the scan remains different from skin.
    where = box_around(trunk, 3)
    if where is None:
        raise InputRefused("this scan is not a chest CT: it shows no body, only air")
    return scan.crop(where), np.ascontiguousarray(trunk[where])


def anatomy_of(scan: Working, trunk: Mask) -> Generator[Progress, None, tuple[dict[str, Mask], Mask]]:
    """Return a mask for each of `STRUCTURES` on the working grid, not overlapping, and the lungs' airless part."""
    yield Progress(0.0, "finding the spine")
    line = spine(scan, trunk)
    yield Progress(0.1, "following the airways")
    tree = airways(scan, trunk, line)
    airway = tree.trachea | tree.bronchi
    yield Progress(0.25, "finding the lungs")
    pair = lungs(scan, trunk, airway, line)
    yield Progress(0.4, "finding airless lung and fluid")
    airless = airless_parts(scan, trunk, pair, airway, line)
    dense = airless[0] | airless[1]
    pair = Lungs(pair.right | airless[0], pair.left | airless[1])
    yield Progress(0.5, "finding diaphragm and mediastinum")
    frame = thorax(scan, trunk, pair, line)
    heart = heart_great_vessels(scan, frame.between & ~airway)
    heart |= sunk_below(scan, heart, below(frame.floor, scan.hu.shape[0]) & trunk & ~pair.both)
    yield Progress(0.7, "finding the upper abdomen")
    abdomen = upper_abdomen(scan, trunk, pair.both, frame, line)
    yield Progress(0.85, "finding the bones")
    skeleton = bones(scan, trunk, pair.both | frame.between | frame.neck | abdomen | airway, frame.hull, line)
    found = {
        "trachea": tree.trachea,
        "main_bronchi": tree.bronchi,
        "vertebrae": skeleton.vertebrae,
        "spinal_cord": skeleton.canal,
        "bone": skeleton.others,
        "costal_cartilages": skeleton.cartilages,
        "lung_right": pair.right,
        "lung_left": pair.left,
        "heart_great_vessels": heart,
        "mediastinum": frame.mediastinum,
        "upper_abdomen": abdomen,
    }
    return _apart(found), dense


def _apart(found: dict[str, Mask]) -> dict[str, Mask]:
    """Give each voxel to the first mask that claims it, and return the masks in the order of `STRUCTURES`."""
    taken = np.zeros(next(iter(found.values())).shape, bool)
    masks = {}
    for name, mask in found.items():
        masks[name] = mask & ~taken
        taken |= mask
    return {name: masks[name] for name in STRUCTURES}
