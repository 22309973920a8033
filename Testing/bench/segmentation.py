"""How well the built-in segmenter finds the six regions: real scans against others' masks, phantoms against truth.

Run `python Testing/bench/segmentation.py --seeds 20 --real FOLDER --montages DIR`. Per real scan: Dice of the lungs and
of each side, overlap of the heart region with reference labels, coverage, time, peak memory, and a picture with the
outlines of all regions (pictures show patients: they stay where they are made). Per phantom: Dice of each region.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK

from RegionReportLib.anatomy.regions import REGION_IDS
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.picture import montage, png
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe
from RegionReportLib.progress import finish
from RegionReportLib.segment.classical import ClassicalSegmenter

# (scan, reference of the lungs, which may tell sides as 1 right and 2 left)
REAL: tuple[tuple[str, str | None], ...] = (
    ("lidc-0001/ct.nii.gz", "lidc-0001/lungs_derived.nii.gz"),
    ("lidc-0002/ct.nii.gz", "lidc-0002/lungs_derived.nii.gz"),
    ("popi-lung/ct.nii.gz", "popi-lung/lungs_derived.nii.gz"),
    ("cip-64/ct.nrrd", "cip-64/whole_lung.nrrd"),
    ("cip-64/dicom", "cip-64/whole_lung.nrrd"),
    ("elastix-lung/baseline.mha", "elastix-lung/baseline_lung_mask.mha"),
    ("elastix-lung/followup.mha", "elastix-lung/followup_lung_mask.mha"),
    ("ts-cta/ct.nii.gz", None),
    ("ts-abdomen/ct.nii.gz", None),
    ("ts-abdomen/ct_slab.nii.gz", None),
)
CENTRAL = {
    "heart",
    "pulmonary_artery",
    "aorta",
    "brachiocephalic_trunk",
    "common_carotid_artery_left",
    "subclavian_artery_left",
}


def dice(one: Any, other: Any) -> float:
    """Return the Dice coefficient of two masks; 1 for two empty ones."""
    total = int(one.sum() + other.sum())
    return float(2 * (one & other).sum() / total) if total else 1.0


def timed(volume: Volume) -> tuple[RegionMasks, str]:
    """Segment and say in how many seconds of wall clock and processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    masks = finish(ClassicalSegmenter().segment(volume))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return (
        masks,
        f"{time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s cpu, peak so far {peak:.2f} GB",
    )


def labels_of(path: Path) -> Any:
    """Read a label image as `(k, j, i)`."""
    if path.name.endswith(".nii.gz"):
        return np.asanyarray(nibabel.load(path).dataobj).T
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def lung_agreement(masks: RegionMasks, labels: Any) -> str:
    """Return Dice of the lungs, and of each side where the reference tells sides."""
    lungs = f"lungs {dice(masks.region('lungs'), labels > 0):.3f}"
    if set(np.unique(labels)) != {0, 1, 2}:
        return lungs
    right, left = (dice(masks.structure(f"lung_{s}"), labels == n) for n, s in ((1, "right"), (2, "left")))
    return f"{lungs}, right {right:.3f}, left {left:.3f}"


def heart_agreement(masks: RegionMasks, folder: Path) -> str:
    """Return overlap and recall of the heart region with the heart and vessel labels of a scan that has them."""
    labels = labels_of(folder / "labels.nii.gz")
    names = {int(n): name for n, name in json.loads((folder / "labels.json").read_text()).items()}
    found = masks.region("heart_great_vessels")
    union = np.isin(labels, [n for n, name in names.items() if name in CENTRAL])
    recall = {names[n]: round(float((found & (labels == n)).sum() / max((labels == n).sum(), 1)), 2) for n in names}
    return f"heart and vessels {dice(found, union):.3f}, recall {recall}"


def real(folder: Path, pictures: Path | None) -> None:
    """Print agreement, coverage and time for each real scan; draw its picture."""
    for scan, reference in REAL:
        try:
            volume = finish(read_volume(folder / scan))
            masks, cost = timed(volume)
        except InputRefused as refusal:
            print(f"{scan}: refused: {refusal}")
            continue
        home = (folder / scan).parent
        agreement = lung_agreement(masks, labels_of(folder / reference)) if reference else ""
        if (home / "labels.json").exists():
            agreement = heart_agreement(masks, home)
        print(f"{scan}: {agreement}; {cost}")
        print("   ", {name: masks.coverage_notes.get(name, state.value) for name, state in masks.coverage.items()})
        if pictures is not None:
            name = scan.replace("/", "_").split(".")[0] + ".png"
            (pictures / name).write_bytes(png(montage(volume, masks, columns=5)))


def phantoms(seeds: int) -> None:
    """Print Dice per region for each seed and the medians."""
    rows = []
    for seed in range(seeds):
        case = finish(make_case(Recipe.random(seed)))
        masks, cost = timed(case.volume)
        rows.append([dice(masks.region(r), case.masks.region(r)) for r in REGION_IDS])
        print(seed, " ".join(f"{r} {d:.3f}" for r, d in zip(REGION_IDS, rows[-1], strict=True)), cost, flush=True)
    for name, column in zip(REGION_IDS, zip(*rows, strict=True), strict=True):
        print(f"median {name}: {statistics.median(column):.3f}, least {min(column):.3f}")


def main() -> None:
    """Read the arguments and run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--montages", type=Path, metavar="DIR", help="write a picture of each real scan there")
    chosen = parser.parse_args()
    if chosen.montages is not None:
        chosen.montages.mkdir(parents=True, exist_ok=True)
    if chosen.real is not None:
        real(chosen.real, chosen.montages)
    if chosen.seeds:
        phantoms(chosen.seeds)


if __name__ == "__main__":
    main()
