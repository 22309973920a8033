"""How well the built-in segmentation fits, and what it looks like.

    python Testing/bench/segmentation.py [-o DIR] [--phantoms N] [--montages]

Prints Dice of the lungs on the real scans (where masks exist), the overlap of the heart with ts-cta's labels, and Dice
per region on N phantom patients. With --montages it writes a picture of each scan with all six regions outlined.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from pathlib import Path

import numpy as np

from RegionReportLib.anatomy.regions import REGION_IDS, Side
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.picture import montage, png
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Volume
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe
from RegionReportLib.progress import finish
from RegionReportLib.segment.classical import ClassicalSegmenter

REPOSITORY = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("REGIONREPORT_REAL_DATA", REPOSITORY.parent / "shared" / "data" / "ct"))
SCANS = {
    "lidc-0001": "lidc-0001/ct.nii.gz",
    "lidc-0002": "lidc-0002/ct.nii.gz",
    "popi-lung": "popi-lung/ct.nii.gz",
    "cip-64": "cip-64/ct.nrrd",
    "cip-64-dicom": "cip-64/dicom",
    "elastix-baseline": "elastix-lung/baseline.mha",
    "elastix-followup": "elastix-lung/followup.mha",
    "ts-cta": "ts-cta/ct.nii.gz",
    "ts-abdomen": "ts-abdomen/ct.nii.gz",
    "ts-abdomen-slab": "ts-abdomen/ct_slab.nii.gz",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "build" / "bench" / "montages")
    parser.add_argument("--phantoms", type=int, default=20)
    parser.add_argument("--montages", action="store_true")
    arguments = parser.parse_args()
    if arguments.montages:
        arguments.output.mkdir(parents=True, exist_ok=True)
    if REAL_DATA.is_dir():
        real_scans(arguments)
    phantoms(arguments)


def real_scans(arguments: argparse.Namespace) -> None:
    print("| scan | result | coverage that is not complete |\n| --- | --- | --- |")
    for name, file in SCANS.items():
        volume = finish(read_volume(REAL_DATA / file))
        try:
            masks = finish(ClassicalSegmenter().segment(volume))
        except InputRefused as refusal:
            print(f"| {name} | refused: {refusal} | |")
            continue
        cut = "; ".join(f"{r} {c.value}" for r, c in masks.coverage.items() if c.value != "complete")
        print(f"| {name} | {against_truth(name, volume, masks)} | {cut} |")
        if arguments.montages:
            save(arguments.output / f"{name}.png", volume, masks)


def against_truth(name: str, volume: Volume, masks: RegionMasks) -> str:
    import nibabel
    import SimpleITK

    def labels(file: str) -> np.ndarray:
        path = REAL_DATA / file
        if path.suffix == ".gz":
            return np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0)
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))

    lungs = masks.region("lungs")
    if name in ("lidc-0001", "lidc-0002", "popi-lung"):
        truth = labels(f"{name}/lungs_derived.nii.gz")
        sides = [dice(masks.side("lungs", side), truth == n) for n, side in ((1, Side.RIGHT), (2, Side.LEFT))]
        return f"lungs Dice {dice(lungs, truth > 0):.3f} (right {sides[0]:.3f}, left {sides[1]:.3f})"
    if name.startswith("cip-64"):
        truth = labels("cip-64/whole_lung.nrrd") > 0
        if name.endswith("dicom") and volume.grid.affine[2, 2] < 0:
            truth = truth[::-1]
        return f"lungs Dice {dice(lungs, truth):.3f}"
    if name.startswith("elastix"):
        truth = labels(f"elastix-lung/{name.removeprefix('elastix-')}_lung_mask.mha") > 0
        return f"right lung Dice {dice(masks.side('lungs', Side.RIGHT), truth):.3f}"
    if name == "ts-cta":
        names = json.loads((REAL_DATA / "ts-cta" / "labels.json").read_text(encoding="utf-8"))
        return f"heart and great vessels {overlap_with_cta(masks, labels('ts-cta/labels.nii.gz'), names)}"
    return ""


def overlap_with_cta(masks: RegionMasks, labels: np.ndarray, names: dict) -> str:
    from RegionReportLib.anatomy.regions import structure_of_label

    pairs = names.items() if all(str(k).isdigit() for k in names) else ((v, k) for k, v in names.items())
    wanted = [
        int(n) for n, label in pairs if (s := structure_of_label(str(label))) and s.region_id == "heart_great_vessels"
    ]
    truth = np.isin(labels, wanted)
    ours = masks.region("heart_great_vessels")
    return f"Dice {dice(ours, truth):.3f}, {(ours & truth).sum() / truth.sum():.3f} of their voxels found"


def phantoms(arguments: argparse.Namespace) -> None:
    scores: dict[str, list[float]] = {region: [] for region in REGION_IDS}
    for seed in range(1000, 1000 + arguments.phantoms):
        case = finish(make_case(Recipe.random(seed)))
        masks = finish(ClassicalSegmenter().segment(case.volume))
        for region in REGION_IDS:
            scores[region].append(dice(masks.region(region), case.masks.region(region)))
        if arguments.montages:
            save(arguments.output / f"phantom-{seed}.png", case.volume, masks)
    print(f"\n| region | Dice on {arguments.phantoms} phantoms: median | worst |\n| --- | --- | --- |")
    for region, values in scores.items():
        if values:
            print(f"| {region} | {statistics.median(values):.3f} | {min(values):.3f} |")


def dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else float("nan")


def save(path: Path, volume: Volume, masks: RegionMasks) -> None:
    path.write_bytes(png(montage(volume, masks, columns=5, height_px=260)))


if __name__ == "__main__":
    main()
