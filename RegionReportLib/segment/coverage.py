"""How much of each region the scan holds, judged from where its masks meet the scan's ends and sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..anatomy.regions import REGION_IDS, Coverage, region
from .working import Mask, Working, grown

ENDS = ("top", "bottom")
CUT_CM2 = {"lungs": 2.0, "heart_great_vessels": 4.0}
"""A lung's tip or the vessels of the neck may touch the last slice; a section this large means the organ goes on."""
CUT_OTHER_CM2 = 0.5
SIDE_CM2 = 5.0
"""Area of contact with a side of the scan or its circle; a rib or skin fold that touches it is smaller."""
USUAL: dict[str, set[str]] = {"airways": {"top"}}
"""A chest scan starts below the larynx: the trachea of the chest is there all the same."""
SHOULDER_SHARE = 0.6
"""From this share of the lungs' height up the shoulder girdle lies beside the ribs."""


def coverage(scan: Working, masks: Mapping[str, Mask]) -> tuple[dict[str, Coverage], dict[str, str]]:
    """Return for each region whether it is complete, cut or absent, and in words where it is cut."""
    outside = _beyond(scan)
    states: dict[str, Coverage] = {}
    notes: dict[str, str] = {}
    lungs = masks["lung_right"] | masks["lung_left"]
    for region_id in REGION_IDS:
        names = [s.id for s in region(region_id).structures if s.id in masks]
        mask = np.logical_or.reduce([masks[name] for name in names]) if names else np.zeros(scan.hu.shape, bool)
        if region_id == "bones":
            states[region_id], notes[region_id] = _bones(mask, lungs, outside, scan)
        else:
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
    cuts = _cuts(mask, outside, scan, CUT_CM2.get(region_id, CUT_OTHER_CM2))
    state = Coverage.PARTIAL if set(cuts) - USUAL.get(region_id, set()) else Coverage.COMPLETE
    return state, _note(cuts) if state is Coverage.PARTIAL else ""


def _cuts(mask: Mask, outside: Mask, scan: Working, limit_cm2: float) -> list[str]:
    """Return where the mask goes on beyond the scan: top, bottom, side."""
    pixel_cm2 = scan.spacing_mm**2 / 100.0
    # A scan's data may end before its box does, as in oblique scans: the last slices with data count.
    levels = np.flatnonzero(scan.held.any((1, 2)))
    ends = zip(ENDS, (levels[-1], levels[0]), strict=True)
    cuts = [end for end, k in ends if mask[k].sum() * pixel_cm2 >= limit_cm2]
    inner = slice(levels[0] + 1, levels[-1])
    if (mask & outside)[inner].sum() * pixel_cm2 >= SIDE_CM2:
        cuts.append("side")
    return cuts


def _note(cuts: list[str]) -> str:
    """Return the places in words: `cut at the top, the bottom and the side of the scan`."""
    *first, last = (f"the {cut}" for cut in cuts)
    return f"cut at {', '.join(first)} and {last} of the scan" if first else f"cut at {last} of the scan"


def _bones(mask: Mask, lungs: Mask, outside: Mask, scan: Working) -> tuple[Coverage, str]:
    """Judge the bones of the thorax: a scan that holds the lungs from top to bottom and no side cut holds them."""
    if not mask.any():
        return Coverage.ABSENT, "not in the scan, or not found"
    cuts = [cut for cut in _cuts(lungs, outside, scan, CUT_CM2["lungs"]) if cut != "side"]
    levels = np.flatnonzero(lungs.any((1, 2)))
    cage = mask.copy()
    # Arms and shoulders, which the side cuts in most scans, stand above; the wall of the chest counts.
    if len(levels):
        cage[levels[0] + round(SHOULDER_SHARE * len(levels)) :] = False
    if "side" in _cuts(cage, outside, scan, np.inf):
        cuts.append("side")
    return (Coverage.PARTIAL, _note(cuts)) if cuts else (Coverage.COMPLETE, "")
