"""RadGenome-Chest CT as it is published: where volumes, masks and sentences lie; nothing is read but the table.

Zhang et al., arXiv 2404.16754; the layout is that of its Hugging Face data set: `train_preprocessed` and
`valid_preprocessed` with a folder for each patient and scan, `*_region_mask` with `seg_<volume>` folders of up to ten
masks, and `*_region_report.csv`. They may lie in the given folder or in `dataset` under it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..anatomy.regions import regions
from ..errors import InputRefused

COLUMNS = ("Volumename", "Anatomy", "Sentence")
ENDING = ".nii.gz"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of the data set with the beginnings of its folders and its table."""

    volumes: str
    masks: str
    table: str


TRAIN = Split("train_preprocessed", "train_region_mask", "train_region_report.csv")
VALIDATION = Split("valid_preprocessed", "valid_region_mask", "validation_region_report.csv")


@dataclass(frozen=True, slots=True)
class Entry:
    """A volume with the folder of its masks and the text of each of the data set's own regions."""

    name: str
    volume: Path
    masks: Path
    texts: tuple[tuple[str, str], ...]


def entries(folder: Path, split: Split) -> tuple[Entry, ...]:
    """Return the volumes of a split that have an image, a folder of masks and text, in the order of their names.

    InputRefused if the table is absent or not one of reports.
    """
    root = next((r for r in (folder, folder / "dataset") if (r / split.table).is_file()), None)
    if root is None:
        raise InputRefused(f"no {split.table} in {folder} or in its folder dataset")
    out = []
    for name, texts in sorted(region_texts(root / split.table).items()):
        volume = root / split.volumes / volume_path(name)
        masks = root / split.masks / f"seg_{name.removesuffix(ENDING)}"
        if volume.is_file() and masks.is_dir():
            out.append(Entry(name, volume, masks, tuple(texts.items())))
    return tuple(out)


def volume_path(name: str) -> Path:
    """Return where a volume lies: `train_12_a_1.nii.gz` in `train_12/train_12a`; InputRefused for another name."""
    parts = name.removesuffix(ENDING).split("_")
    if len(parts) != 4 or not name.endswith(ENDING):
        raise InputRefused(f"volumes are named like train_1_a_1{ENDING}, got {name!r}")
    patient = f"{parts[0]}_{parts[1]}"
    return Path(patient, f"{patient}{parts[2]}", name)


def region_texts(table: Path) -> dict[str, dict[str, str]]:
    """Return for each volume the joined text of each region, from the rows whose anatomy is a bare region name.

    Rows of the whole report (no anatomy) and of finer places are passed over; of a doubled row the last counts.
    """
    known = {name for region in regions() for name in region.radgenome}
    out: dict[str, dict[str, str]] = {}
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is None or set(COLUMNS) - set(rows.fieldnames):
            raise InputRefused(f"{table} needs the columns {', '.join(COLUMNS)}, got {rows.fieldnames}")
        for row in rows:
            region, text = (row["Anatomy"] or "").strip(), (row["Sentence"] or "").strip()
            if region in known and text:
                out.setdefault(row["Volumename"], {})[region] = text
    return out
