"""How much of each region the scan holds, judged from where its masks meet the scan's ends and sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..anatomy.regions import REGION_IDS, Coverage, region
from .working import Mask, Working, grown

ENDS = ("bottom", "top")
CUT_CM2 = {"lungs": 2.0, "heart_great_vessels": 4.0}
"""A lung's tip or the vessels of the neck may touch the last slice; a section this large means the organ goes on."""
CUT_OTHER_CM2 = 0.5
SIDE_CM2 = 5.0
"""Area of contact with a side of the scan or its circle; a rib or skin fold that touches it is smaller."""
ALWAYS_ON = {
    "bones": "the scan shows the bones of the chest only",
    "upper_abdomen": "a chest scan shows the upper part of the abdomen only",
    "airways": "trachea below the larynx and main bronchi only",
}


def coverage(scan: Working, masks: Mapping[str, Mask]) -> tuple[dict[str, Coverage], dict[str, str]]:
    """Return for each region whether it is complete, cut or absent, and in words where it is cut."""
    outside = _beyond(scan)
    states: dict[str, Coverage] = {}
    notes: dict[str, str] = {}
    for region_id in REGION_IDS:
        names = [s.id for s in region(region_id).structures if s.id in masks]
        mask = np.logical_or.reduce([masks[name] for name in names]) if names else np.zeros(scan.hu.shape, bool)
        states[region_id], notes[region_id] = _judged(region_id, mask, outside, scan)
    return states, {name: note for name, note in notes.items() if note}


def _beyond(scan: Working) -> Mask:
    """Return the voxels next to a side of the scan or to its circle of data, top and bottom left out."""
    padded = np.pad(~scan.held, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    near = grown(padded, 1.5 * scan.spacing_mm, scan.spacing_mm)[:, 1:-1, 1:-1]
    return np.asarray(near)


def _judged(region_id: str, mask: Mask, outside: Mask, scan: Working) -> tuple[Coverage, str]:
    if float(mask.sum()) * scan.voxel_ml < 0.5:
        return Coverage.ABSENT, "not in the scan, or not found"
    pixel_cm2 = scan.spacing_mm**2 / 100.0
    limit = CUT_CM2.get(region_id, CUT_OTHER_CM2)
    # A scan's data may end before its box does, as in oblique scans: the last slices with data count.
    levels = np.flatnonzero(scan.held.any((1, 2)))
    cuts = [end for end, k in zip(ENDS, (levels[0], levels[-1]), strict=True) if mask[k].sum() * pixel_cm2 >= limit]
    inner = slice(levels[0] + 1, levels[-1])
    if (mask & outside)[inner].sum() * pixel_cm2 >= SIDE_CM2:
        cuts.append("side")
    usual = {"upper_abdomen": {"bottom"}, "bones": {"top", "bottom"}, "airways": {"top"}}.get(region_id, set())
    unusual = [cut for cut in cuts if cut not in usual]
    note = f"cut at the {' and the '.join(cuts)} of the scan" if cuts else ""
    if region_id == "airways" and not unusual:
        return Coverage.COMPLETE, note
    return (Coverage.PARTIAL if cuts else Coverage.COMPLETE), note
