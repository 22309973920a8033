"""A chest of blocks that any segmenter and writer can work on in seconds."""

from __future__ import annotations

import numpy as np

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.volume import Provenance, Volume

GRID = Grid((40, 56, 60), np.array([[-5, 0.4, 0, 150], [0.3, 5.5, 1, -160], [0, -0.6, 7.5, -250], [0, 0, 0, 1]]))
BLOCKS = {
    "lung_right": (slice(10, 34), slice(12, 44), slice(6, 22)),
    "lung_left": (slice(10, 34), slice(12, 44), slice(38, 54)),
    "trachea": (slice(26, 38), slice(24, 27), slice(29, 32)),
    "mediastinum": (slice(14, 38), slice(28, 34), slice(24, 36)),
    "heart_great_vessels": (slice(8, 22), slice(34, 46), slice(22, 34)),
    "bone": (slice(2, 39), slice(6, 11), slice(26, 34)),
    "upper_abdomen": (slice(1, 7), slice(14, 44), slice(12, 50)),
}


def chest() -> tuple[Volume, RegionMasks]:
    """A chest of blocks on an oblique, anisotropic, left-handed grid."""
    labels, hu = np.zeros(GRID.shape_kji, np.uint8), np.full(GRID.shape_kji, -1000, np.int16)
    hu[:, 4:-4, 3:-3] = 30
    for number, (name, where) in enumerate(BLOCKS.items(), start=1):
        labels[where] = number
        hu[where] = {"lung_right": -850, "lung_left": -850, "trachea": -1000, "bone": 500}.get(name, 50)
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    masks = RegionMasks(labels, GRID, tuple(BLOCKS), "blocks 1", coverage, {})
    return Volume(hu, GRID, Provenance("scene: CT of Müller", "scene")), masks
