"""Measures the classical segmenter: Dice on real scans and on phantom seeds, seconds and peak memory.

Run as `python Testing/bench/segmentation.py [--seeds 20] [--real FOLDER]`; a benchmark, not a test.
"""

from __future__ import annotations

import argparse
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
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe
from RegionReportLib.progress import finish
from RegionReportLib.segment.classical import ClassicalSegmenter

REAL = (
    ("lidc-0001/ct.nii.gz", "lidc-0001/lungs_derived.nii.gz"),
    ("lidc-0002/ct.nii.gz", "lidc-0002/lungs_derived.nii.gz"),
    ("popi-lung/ct.nii.gz", "popi-lung/lungs_derived.nii.gz"),
    ("cip-64/ct.nrrd", "cip-64/whole_lung.nrrd"),
    ("elastix-lung/baseline.mha", "elastix-lung/baseline_lung_mask.mha"),
    ("elastix-lung/followup.mha", "elastix-lung/followup_lung_mask.mha"),
    ("ts-cta/ct.nii.gz", None),
    ("ts-abdomen/ct.nii.gz", None),
    ("ts-abdomen/ct_slab.nii.gz", None),
)


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


def real(folder: Path) -> None:
    """Print lung Dice, coverage and time for each real scan."""
    for scan, reference in REAL:
        try:
            masks, cost = timed(finish(read_volume(folder / scan)))
        except InputRefused as refusal:
            print(f"{scan}: refused: {refusal}")
            continue
        agreement = f"lungs {dice(masks.region('lungs'), labels_of(folder / reference) > 0):.3f}" if reference else ""
        print(f"{scan}: {agreement} {cost}")
        print("   ", {name: state.value for name, state in masks.coverage.items()})


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
    chosen = parser.parse_args()
    if chosen.real is not None:
        real(chosen.real)
    phantoms(chosen.seeds)


if __name__ == "__main__":
    main()
