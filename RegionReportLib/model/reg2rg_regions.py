"""The ten regions that Reg2RG was trained on, made from the structures of our six.

RadGenome-Chest CT took its masks from SAT with the region's name as the prompt; which organs each prompt covers is not
published, so the unions below are ours. No tensors here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..anatomy.regions import Coverage, region, regions
from ..imaging.masks import BoolArray, RegionMasks

_VESSELS = (
    "aorta",
    "pulmonary_artery",
    "pulmonary_vein",
    "superior_vena_cava",
    "brachiocephalic_trunk",
    "brachiocephalic_vein_right",
    "brachiocephalic_vein_left",
)
_NOT_BONE = ("costal_cartilages", "spinal_cord", "chest_wall")
_CHAMBERS = (
    "heart",
    "heart_myocardium",
    "heart_atrium_left",
    "heart_atrium_right",
    "heart_ventricle_left",
    "heart_ventricle_right",
    "atrial_appendage_left",
)
_EFFUSIONS = ("pleural_effusion_right", "pleural_effusion_left", "pleural_effusion")


@dataclass(frozen=True, slots=True)
class PublishedRegion:
    """A region as the model knows it: its mask is the union of `core` and `also`, and needs one of `core`.

    `region_id` is the one of our six that it is reported under; `note` is what a reader should know of the mask.
    """

    name: str
    region_id: str
    core: tuple[str, ...]
    also: tuple[str, ...] = ()
    note: str = ""


def _structures(region_id: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(s.id for s in region(region_id).structures if s.id not in without)


# In the order of the data set, which is also the order of the slots at test time.
PUBLISHED_REGIONS: tuple[PublishedRegion, ...] = (
    PublishedRegion("abdomen", "upper_abdomen", _structures("upper_abdomen")),
    PublishedRegion("bone", "bones", _structures("bones", _NOT_BONE)),
    PublishedRegion("breast", "bones", (), (), "no structure of the segmentation is the breast"),
    PublishedRegion("esophagus", "mediastinum", ("esophagus",)),
    PublishedRegion(
        "heart",
        "heart_great_vessels",
        (*_CHAMBERS, "heart_great_vessels"),
        ("pericardium", "pericardial_effusion"),
        "holds the great vessels too where the segmentation does not part them from the heart",
    ),
    PublishedRegion("lung", "lungs", _structures("lungs", _EFFUSIONS)),
    PublishedRegion("mediastinum", "mediastinum", ("mediastinum",), ("esophagus", "thymus", *_VESSELS)),
    PublishedRegion(
        "pleura",
        "lungs",
        _structures("lungs", (*_EFFUSIONS, "lung_nodule")),
        ("lung_nodule", *_EFFUSIONS),
        "the lungs and their fluid; the model often takes pleura and lung for each other",
    ),
    PublishedRegion("thyroid", "mediastinum", ("thyroid_gland",)),
    PublishedRegion("trachea and bronchie", "airways", _structures("airways")),
)

REGION_NAMES: tuple[str, ...] = tuple(r.name for r in PUBLISHED_REGIONS)


def published_region(name: str) -> PublishedRegion:
    """Return a region by the model's name for it; ValueError names the known ones."""
    for candidate in PUBLISHED_REGIONS:
        if candidate.name == name:
            return candidate
    raise ValueError(f"unknown region {name!r}, known are {', '.join(REGION_NAMES)}")


def masks_of(masks: RegionMasks) -> Iterator[tuple[str, BoolArray | str]]:
    """Yield for each of the ten regions its mask `(k, j, i)`, one at a time, or the reason why there is none."""
    present = set(masks.bounds())
    for wanted in PUBLISHED_REGIONS:
        reason = _reason(wanted, masks, present)
        yield wanted.name, reason or _union(masks, (*wanted.core, *wanted.also))


def _reason(wanted: PublishedRegion, masks: RegionMasks, present: set[str]) -> str:
    if not wanted.core:
        return wanted.note
    if masks.coverage[wanted.region_id] is Coverage.ABSENT:
        return "not covered by the scan"
    if present.isdisjoint(wanted.core):
        named = ", ".join(wanted.core[:3]) + (" …" if len(wanted.core) > 3 else "")
        return f"the segmentation ({masks.method}) holds none of: {named}"
    return ""


def _union(masks: RegionMasks, structures: tuple[str, ...]) -> BoolArray:
    lookup = np.zeros(256, dtype=bool)
    lookup[masks.values(structures)] = True
    return np.asarray(lookup[masks.labels])


# Every name must be one that the anatomy table knows; a typo here would silently skip a region.
assert {r.name for r in PUBLISHED_REGIONS} == {name for ours in regions() for name in ours.radgenome}
