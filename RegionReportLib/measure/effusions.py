"""Fluid that a segmenter has marked: pleural fluid brought to its side, and the volume of pericardial fluid."""

from __future__ import annotations

import numpy as np

from ..anatomy.regions import Side
from ..imaging.masks import BoolArray
from ..report.measurement import Measurement
from .frame import STEP_MM, Frame
from .scan import Scan
from .subject import Subject

PERICARDIAL_METHOD = (
    "volume of the segmenter's pericardial effusion mask (physiological up to 50 mL: BMJ Best Practice, Pericardial "
    "effusion)"
)
PERICARDIAL = Subject("heart_great_vessels", structure="pericardial_effusion")
_ANY_SIDE = "pleural_effusion"


def effusion_names(scan: Scan, side: Side) -> tuple[str, ...]:
    """Return the pleural effusion masks of the scan that may hold fluid of a side."""
    return tuple(n for n in (f"{_ANY_SIDE}_{side.value}", _ANY_SIDE) if n in scan.masks.structures)


def effusion_in(scan: Scan, part: Frame, side: Side) -> BoolArray | None:
    """Return the marked pleural fluid of a side on `part`, None if no effusion was looked for.

    Fluid without a side belongs to the side of the midline between the lungs that it lies on.
    """
    names = effusion_names(scan, side)
    if not names:
        return None
    own = part.mask([n for n in names if n != _ANY_SIDE])
    loose = part.mask([_ANY_SIDE])
    if loose.any():
        columns = part.grid.affine[0, 3] + STEP_MM * np.arange(loose.shape[2])
        loose[:, :, (columns > midline_mm(scan)) != (side is Side.RIGHT)] = False
    return own | loose


def midline_mm(scan: Scan) -> float:
    """Return the RAS x half-way between both lungs, of the spine or of all masks, the first of these that is there."""
    lungs = [scan.frame.bounds(scan.sided(side)) for side in Side]
    spine = [scan.frame.bounds([n for n in scan.present("bones") if n.startswith("vertebrae")])]
    every = [scan.frame.bounds(scan.bounds)]
    for blocks in (lungs, spine, every):
        held = [b for b in blocks if b is not None]
        if len(held) == len(blocks):
            columns = [(b[2].start + b[2].stop - 1) / 2 for b in held]
            return float(scan.frame.grid.to_ras([sum(columns) / len(columns), 0.0, 0.0])[0])
    raise ValueError("a scan holds at least one structure")


def pericardial_fluid(scan: Scan) -> list[Measurement]:
    """Write down the volume of marked pericardial fluid; nothing if no segmenter looked for it."""
    name = PERICARDIAL.structure
    if name is None or name not in scan.masks.structures:
        return []
    caveat = f"found by {scan.masks.method}"
    where = scan.bounds.get(name)
    if where is None:
        return [PERICARDIAL.known("fluid_volume", 0.0, PERICARDIAL_METHOD, None, caveat)]
    value = float(scan.masks.structure(name, where).sum()) * scan.volume.grid.voxel_ml
    block = scan.frame.bounds([name])
    place = None
    if block is not None:
        part = scan.frame.crop(block)
        place = part.place(PERICARDIAL, part.mask([name]))
    return [PERICARDIAL.known("fluid_volume", value, PERICARDIAL_METHOD, place, caveat)]
