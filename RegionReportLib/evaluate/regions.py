"""How often a sentence is linked to the region that RadGenome-Chest CT files it under.

Reads only the reference texts of the published per-region tables, never the predictions in them. The splitter and the
linker are given by the caller, so that any of them can be judged.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..anatomy import regions as anatomy

_SUFFIX = "_reports.csv"
_REFERENCE, _PREDICTION = "GT_combined_report", "Pred_combined_report"

# RadGenome files the great vessels under mediastinum and abdomen; in the six regions they belong to the heart.
_GREAT_VESSELS = re.compile(
    r"\baort|\bpulmonary (?:trunk|truncus|conus|arter|vein)|\bvena(?:e)? cava|\bvascular structure|\bgreat vessel"
    r"|\bvessels?\b|\bsubclavian|\bbrachiocephalic|\bcarotid",
    re.IGNORECASE,
)
_VESSEL_LABELS = frozenset(("mediastinum", "upper_abdomen"))

Split: TypeAlias = Callable[[str], Iterable[str]]
# From a sentence and the region of the one before it to the ranked regions and what the sentence states.
Link: TypeAlias = Callable[[str, "str | None"], tuple[tuple[str, ...], str]]


@dataclass(frozen=True, slots=True)
class RegionText:
    """The text that one case has for one RadGenome region; `region_id` is the one of the six that it counts to."""

    case: str
    label: str
    region_id: str
    reference: str
    prediction: str

    @property
    def half(self) -> str:
        """'A' or 'B': the half of the patients that this case falls in, by the hash of the patient."""
        return half_of(self.case)


@dataclass(frozen=True, slots=True)
class Linked:
    """A reference sentence, the regions its text is filed under in its case, and where it was linked to."""

    case: str
    text: str
    labels: frozenset[str]
    linked: str | None
    statement: str

    @property
    def right(self) -> bool:
        """Whether the link is among the labels; great vessels linked to the heart region are right too."""
        return self.strictly_right or (
            self.linked == "heart_great_vessels"
            and bool(self.labels & _VESSEL_LABELS)
            and _GREAT_VESSELS.search(self.text) is not None
        )

    @property
    def strictly_right(self) -> bool:
        """Whether the link is among the labels as they stand."""
        return self.linked in self.labels


@dataclass(frozen=True, slots=True)
class Share:
    """So many right of so many."""

    right: int
    total: int

    @property
    def percent(self) -> float | None:
        """The share in per cent, None of nothing."""
        return 100.0 * self.right / self.total if self.total else None


def half_of(case: str) -> str:
    """Return 'A' or 'B' by the hash of the patient, so that scans of one patient stay together."""
    patient = "_".join(case.split("_")[:2])
    return "AB"[hashlib.sha256(patient.encode()).digest()[1] % 2]


def read_region_texts(folder: Path) -> tuple[RegionText, ...]:
    """Read the tables `<region>_reports.csv` of a folder; ValueError for a region that the six do not know."""
    regions = {name: region.id for region in anatomy.regions() for name in region.radgenome}
    texts = []
    for path in sorted(folder.glob("*" + _SUFFIX)):
        label = path.name.removesuffix(_SUFFIX)
        if label not in regions:
            raise ValueError(f"{path.name}: unknown region {label!r}, known are {', '.join(sorted(regions))}")
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts.append(RegionText(row["AccNum"], label, regions[label], row[_REFERENCE], row[_PREDICTION]))
    return tuple(texts)


def link_all(texts: Iterable[RegionText], split: Split, link: Link) -> tuple[Linked, ...]:
    """Split each reference text and link each sentence, knowing only the sentence and the link of the one before it.

    A sentence that stands in several regions of a case is one sentence; it counts as right only if it is linked rightly
    each time, so a wrong link replaces a right one.
    """
    sentences = [(text, tuple(split(text.reference))) for text in texts]
    labels: dict[tuple[str, str], set[str]] = {}
    for text, parts in sentences:
        for part in parts:
            labels.setdefault((text.case, part), set()).add(text.region_id)
    linked: dict[tuple[str, str], Linked] = {}
    for text, parts in sentences:
        before: str | None = None
        for part in parts:
            ranked, statement = link(part, before)
            before = ranked[0] if ranked else None
            key = (text.case, part)
            one = Linked(text.case, part, frozenset(labels[key]), before, statement)
            if key not in linked or not one.right:
                linked[key] = one
    return tuple(linked.values())


def share_right(linked: Iterable[Linked], strict: bool = False) -> Share:
    """Return how many of the sentences are linked rightly."""
    found = [one.strictly_right if strict else one.right for one in linked]
    return Share(sum(found), len(found))
