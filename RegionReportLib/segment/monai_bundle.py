"""A bundle of MONAI's model zoo, or one of the same layout, as a segmenter; its channels become our structures by name.

A bundle is data: no Python of it runs. Weights are never fetched from here; torch and monai load when it segments.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from ..errors import InputRefused, NeedMissing
from ..imaging.grid import Grid
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..progress import Progress, Work, part
from .bundle_layout import Bundle, has_variants, read_bundle
from .bundle_thread import Tell, told
from .given import NamedLabels, given_labels

if TYPE_CHECKING:
    from torch import Tensor

    from .bundle_slabs import Devices

_PACKAGES = ("torch", "monai")
_CHUNK = 2**24
_SPARE_BYTES = 500_000_000
"""The network's values within a window."""
_PREPARING, _READY = 0.1, 0.15
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "std::bad_alloc")


@dataclass(frozen=True, slots=True)
class MonaiBundle:
    """Segments with the bundle in `folder` on `device`: `auto`, `cpu`, `cuda` or `cuda:N`.

    Of a bundle with a high and a low resolution the low one runs on a CPU, the high one on a GPU, if its weights are
    there. ValueError for another device.
    """

    folder: Path
    device: str = "auto"

    def __post_init__(self) -> None:
        kind, _, number = self.device.partition(":")
        if kind not in ("auto", "cpu", "cuda") or (number and (kind != "cuda" or not number.isdecimal())):
            raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {self.device!r}")

    @property
    def name(self) -> str:
        """The name on the command line and in the report."""
        return "monai-bundle"

    def check(self) -> None:
        """Raise NeedMissing without packages, folder or weights, InputRefused if the bundle cannot be used here."""
        self._bundle(gpu=False)
        for package in _PACKAGES:
            if find_spec(package) is None:
                raise NeedMissing(f"MONAI bundles need the package {package}: pip install 'regionreport[segment]'")

    def segment(self, volume: Volume) -> Work[RegionMasks]:
        """Return masks on the volume's own grid.

        Raises as `check`, and NeedMissing when memory does not suffice. Closing waits for the window that is under way.
        """
        self.check()
        found = yield from part(
            told(lambda tell: self._segmented(volume, tell), Progress(0.0, f"opening {self.folder.name}")), 0.0, 0.9
        )
        labels, method = found
        given = yield from part(given_labels(labels, volume), 0.9, 1.0)
        return replace(given.masks, method=method)

    def _bundle(self, gpu: bool) -> Bundle:
        """Return the bundle, in that of its variants which suits and has its weights here."""
        bundle = read_bundle(self.folder)
        if has_variants(self.folder):
            low = read_bundle(self.folder, fine=False)
            bundle = next((b for b in ((bundle, low) if gpu else (low, bundle)) if b.weights.is_file()), bundle)
        if not bundle.weights.is_file():
            raise NeedMissing(
                f"the weights of {self.folder.name} are not at {bundle.weights}; its docs/README.md or large_files.yml "
                "says where they are, or `regionreport models fetch monai-bundle` fetches a whole one"
            )
        return bundle

    def _segmented(self, volume: Volume, tell: Tell) -> tuple[NamedLabels, str]:
        import torch

        device = self._chosen()
        bundle = self._bundle(gpu=device.type == "cuda")
        try:
            with torch.inference_mode():
                labels, grid = _run(bundle, volume, device, tell)
        except (MemoryError, RuntimeError) as cause:
            if not _wants_memory(cause):
                raise
            raise NeedMissing(
                f"{bundle.title}: not enough memory on {device} for one window; close other programs"
                + (", or choose --segmenter classical" if device.type == "cpu" else ", or run it on the CPU")
            ) from cause
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        names = dict(enumerate(bundle.channels))
        where = " × ".join(f"{s:.3g}" for s in grid.spacing_mm)
        method = f"{self.name} {bundle.title}, {where} mm, weights {_digest(bundle.weights)[:12]}"
        return NamedLabels(labels, grid, names, bundle.title), method

    def _chosen(self) -> Any:
        import torch

        there = torch.cuda.is_available()
        if self.device.startswith("cuda") and not there:
            raise NeedMissing("torch finds no CUDA device here; run the bundle on the CPU, or install torch for CUDA")
        chosen = torch.device(("cuda" if there else "cpu") if self.device == "auto" else self.device)
        if chosen.index is not None and chosen.index >= torch.cuda.device_count():
            raise NeedMissing(f"there is no {chosen} here; torch finds {torch.cuda.device_count()} CUDA devices")
        return chosen


def _run(bundle: Bundle, volume: Volume, device: Any, tell: Tell) -> tuple[Any, Grid]:
    """Return the labels `(k, j, i)` uint16 of a scan as channel numbers, on the grid the bundle works on."""
    from .bundle_network import network_of, prepared
    from .bundle_slabs import labels_of, plan_of

    tell(0.0, f"{bundle.title}: reading the weights")
    network = network_of(bundle).to(device)
    image, grid = prepared(bundle, volume, lambda done, stage: tell(_PREPARING * done, stage))
    plan = plan_of(tuple(image.shape), bundle.windows)
    on = _room(bundle, plan.slab_bytes(len(bundle.channels), bundle.windows), device)
    tell(_READY, f"{bundle.title}: segmenting")
    watched = _Watched(network, bundle, len(plan.starts) * plan.windows, tell)
    labels = labels_of(image, bundle.windows, watched, on)
    return np.ascontiguousarray(labels.numpy().transpose(2, 1, 0)).astype(np.uint16), grid


def _room(bundle: Bundle, needed: int, device: Any) -> Devices:
    """Return where slabs are put together: on the GPU if half of it suffices, else in memory; else NeedMissing."""
    import torch

    from .bundle_slabs import Devices

    if device.type == "cuda" and needed < torch.cuda.mem_get_info(device)[0] / 2:
        return Devices(device, device)
    free = psutil.virtual_memory().available
    if device.type == "cpu":  # what the network gives for a window, and that times its weights
        needed += 2 * 4 * len(bundle.channels) * math.prod(bundle.windows.size) * bundle.windows.at_once
    needed += _SPARE_BYTES
    if needed > free:
        raise NeedMissing(
            f"{bundle.title} needs {needed / 1e9:.1f} GB of memory for this scan, {free / 1e9:.1f} GB "
            "are free; close other programs, take a bundle of lower resolution, or choose --segmenter classical"
        )
    return Devices(device, torch.device("cpu"))


class _Watched:
    """The network as the sliding window calls it: tells how many windows are done, and stops when it is told to."""

    def __init__(self, network: Any, bundle: Bundle, windows: int, tell: Tell) -> None:
        self._network, self._bundle, self._windows, self._tell = network, bundle, windows, tell
        self._done = 0

    def __call__(self, windows: Tensor) -> Tensor:
        import torch

        done = min(self._done, self._windows - 1)
        stage = f"{self._bundle.title}: window {done + 1} of {self._windows}"
        self._tell(_READY + (1 - _READY) * done / self._windows, stage)
        try:
            with torch.autocast(windows.device.type, torch.float16, enabled=windows.device.type == "cuda"):
                found = self._network(windows)
        except RuntimeError as cause:
            if _wants_memory(cause):
                raise
            said = next(iter(str(cause).splitlines()), "")
            size = " × ".join(str(n) for n in windows.shape[2:])
            raise InputRefused(f"{self._bundle.title}: its network fails on a window of {size}: {said:.160}") from cause
        self._done += len(windows)
        expected = (len(windows), len(self._bundle.channels), *windows.shape[2:])
        if not isinstance(found, torch.Tensor) or tuple(found.shape) != expected:
            came = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
            raise InputRefused(f"{self._bundle.title}: network_def gives {came}, its channel_def says {expected}")
        return found.float()


def _wants_memory(cause: Exception) -> bool:
    return isinstance(cause, MemoryError) or any(sign in str(cause).lower() for sign in _OUT_OF_MEMORY)


def _digest(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()
