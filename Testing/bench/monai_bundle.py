"""What a MONAI bundle costs: memory and seconds for a scan of 512 × 512 × 300 and a network of the real size.

The bundle is laid out like wholeBody_ct_segmentation (SegResNet, 105 channels, 96³ windows), its weights are random:
the cost is the real one, the labels mean nothing. Not for Dice: that needs the weights.

    python Testing/bench/monai_bundle.py --spacing 3 --device cpu
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from RegionReportLib.anatomy.regions import regions
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.progress import Progress
from RegionReportLib.segment.monai_bundle import MonaiBundle

CHANNELS = 105
SPACING_MM = (0.7, 0.7, 1.0)
NETWORK = {
    "_target_": "SegResNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": CHANNELS,
    "blocks_down": [1, 2, 2, 4],
    "blocks_up": [1, 1, 1],
    "dropout_prob": 0.2,
}
STEPS = [
    {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
    {"_target_": "Spacingd", "keys": "image", "pixdim": "@pixdim", "mode": "bilinear"},
    {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True},
    {"_target_": "ScaleIntensityd", "keys": "image", "minv": -1.0, "maxv": 1.0},
]
WINDOW = {
    "_target_": "SlidingWindowInferer",
    "roi_size": [96, 96, 96],
    "overlap": 0.25,
    "mode": "gaussian",
    "padding_mode": "replicate",
}


def bundle_in(folder: Path, filters: int, spacing_mm: float) -> Path:
    """Write a bundle with random weights and the names of our own structures."""
    import torch
    from monai.networks.nets import SegResNet

    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    known = [s.labels[0] for r in regions() for s in r.structures if s.labels]
    names = (["background", *known] + [f"other_{n}" for n in range(CHANNELS)])[:CHANNELS]
    outputs = {"pred": {"channel_def": {str(n): name for n, name in enumerate(names)}}}
    network: dict[str, Any] = {**NETWORK, "init_filters": filters}
    inference = {
        "pixdim": [spacing_mm] * 3,
        "network_def": network,
        "preprocessing": {"_target_": "Compose", "transforms": STEPS},
        "inferer": WINDOW,
    }
    (folder / "configs/metadata.json").write_text(json.dumps({"network_data_format": {"outputs": outputs}}))
    (folder / "configs/inference.json").write_text(json.dumps(inference))
    torch.manual_seed(0)
    torch.save(SegResNet(**{k: v for k, v in network.items() if k[0] != "_"}).state_dict(), folder / "models/model.pt")
    return folder


def body(shape_kji: tuple[int, int, int]) -> Volume:
    """Return noise of soft tissue with two lungs of noise in it."""
    rng = np.random.default_rng(0)
    hu = np.empty(shape_kji, np.int16)
    j, i = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in shape_kji[1:])]
    for n, k in enumerate(np.linspace(-1, 1, shape_kji[0])):  # slice by slice, so that making it is not the peak
        plane = rng.normal(0, 60, shape_kji[1:])
        plane[(i / 0.9) ** 2 + (j / 0.7) ** 2 > 1] = -1000
        for side in (-1, 1):
            plane[((i + side * 0.42) / 0.3) ** 2 + (j / 0.5) ** 2 + (k / 0.8) ** 2 < 1] -= 850
        hu[n] = np.clip(plane, -1024, 3071)
    grid = Grid(shape_kji, np.diag([*SPACING_MM, 1.0]))
    return Volume(hu, grid, Provenance("noise", "phantom"))


def main() -> None:
    """Segment once and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spacing", type=float, default=3.0, help="voxel size of the bundle in mm (default: 3)")
    parser.add_argument(
        "--filters", type=int, default=32, help="of the network's first level (default: 32, as published)"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shape", type=int, nargs=3, default=(300, 512, 512), metavar=("K", "J", "I"))
    wish = parser.parse_args()
    k, j, i = wish.shape
    with tempfile.TemporaryDirectory() as folder:
        segmenter = MonaiBundle(bundle_in(Path(folder) / "bundle", wish.filters, wish.spacing), wish.device)
        volume = body((k, j, i))
        before = psutil.Process().memory_info().rss
        started, stages = time.perf_counter(), {}
        work = segmenter.segment(volume)
        try:
            while True:
                progress: Progress = next(work)
                stages.setdefault(progress.stage, time.perf_counter() - started)
        except StopIteration as stop:
            masks = stop.value
        whole_s = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    for stage, at_s in stages.items():
        print(f"{at_s:8.1f} s  {stage}")
    print(f"{whole_s:8.1f} s  done: {masks.method}, {len(np.unique(masks.labels)) - 1} structures")
    print(f"memory before {before / 2**30:.2f} GB (scan and packages), peak {peak / 2**30:.2f} GB")
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if wish.device.startswith("cuda"):
        import torch

        print(f"peak on the GPU {torch.cuda.max_memory_allocated() / 2**30:.2f} GB")


if __name__ == "__main__":
    main()
