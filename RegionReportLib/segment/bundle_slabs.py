"""MONAI's sliding window, slab by slab: the channels of a whole scan never lie in memory at once.

Windows are cut as one pass over the whole scan cuts them. A slab is one row of windows, as thick as a window, along the
axis with most rows; where two slabs overlap, the sums of the first are handed on to the next, so that each window is
predicted once and the labels are those of one pass. Imports torch and monai.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import sliding_window_inference
from torch import Tensor
from torch.nn import functional

from .bundle_layout import Windows

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How a scan is cut: padded `shape` in x, y, z, `axis` of the slabs, where they `start`, `windows` in each."""

    shape: tuple[int, int, int]
    axis: int
    starts: tuple[int, ...]
    windows: int

    def slab_bytes(self, channels: int, windows: Windows) -> int:
        """Return the memory that all channels of one slab take, with what overlaps of the slab before."""
        size = windows.size[self.axis]
        steps = (b - a for a, b in pairwise(self.starts))
        slices = size + max((size - step for step in steps), default=0)
        return math.prod(self.shape) // self.shape[self.axis] * slices * channels * _FLOAT_BYTES


@dataclass(frozen=True, slots=True)
class Devices:
    """Where windows are predicted (`run`), and where the slab is put together (`stitch`)."""

    run: torch.device
    stitch: torch.device


def plan_of(shape: tuple[int, ...], windows: Windows) -> Plan:
    """Return how a scan of that shape is cut."""
    x, y, z = (max(n, size) for n, size in zip(shape, windows.size, strict=True))
    padded = (x, y, z)
    axis = max(range(3), key=lambda a: padded[a] / windows.size[a])
    starts = [_starts(padded[a], windows.size[a], windows.overlap[a]) for a in range(3)]
    return Plan(padded, axis, starts[axis], math.prod(len(starts[a]) for a in range(3) if a != axis))


def labels_of(image: Tensor, windows: Windows, predict: Callable[[Tensor], Tensor], on: Devices) -> Tensor:
    """Return for each voxel of `image` `(x, y, z)` the channel that is highest there, int16 on the CPU.

    `predict` takes windows `(batch, 1, x, y, z)` to channels `(batch, channels, x, y, z)`.
    """
    plan = plan_of(tuple(image.shape), windows)
    padded, before = _padded(image, plan, windows)
    weights = _weights(plan, windows, on.stitch)
    labels = torch.empty(plan.shape, dtype=torch.int16)
    thickness, carried = windows.size[plan.axis], None
    for n, start in enumerate(plan.starts):
        last = n + 1 == len(plan.starts)
        step = thickness if last else plan.starts[n + 1] - start
        sums = _sums(padded.narrow(plan.axis, start, thickness), windows, predict, on).mul_(weights)
        if carried is not None:
            sums.narrow(plan.axis + 1, 0, carried.shape[plan.axis + 1]).add_(carried)
        highest = sums.narrow(plan.axis + 1, 0, step).argmax(dim=0)
        labels.narrow(plan.axis, start, step).copy_(highest)
        # A copy, so that the slab itself can go before the next one is made.
        carried = None if last or step == thickness else sums.narrow(plan.axis + 1, step, thickness - step).clone()
        del sums, highest
    for axis in range(3):
        labels = labels.narrow(axis, before[axis], image.shape[axis])
    return labels.contiguous()


def _starts(length: int, size: int, overlap: float) -> tuple[int, ...]:
    """Return where windows start along one axis, as MONAI places them."""
    interval = size if size == length else max(1, int(size * (1 - overlap)))
    return tuple(int(where[0].start) for where in dense_patch_slices((length,), (size,), (interval,)))


def _padded(image: Tensor, plan: Plan, windows: Windows) -> tuple[Tensor, tuple[int, int, int]]:
    """Widen a scan that is smaller than a window, as MONAI does; also return how much came before on each axis."""
    missing = [size - n for size, n in zip(plan.shape, image.shape, strict=True)]
    x, y, z = (n // 2 for n in missing)
    if any(missing):
        ends = [end for n in reversed(missing) for end in (n // 2, n - n // 2)]
        mode, value = windows.padding_mode, windows.padding_value if windows.padding_mode == "constant" else None
        image = functional.pad(image[None, None], ends, mode=mode, value=value)[0, 0]
    return image, (x, y, z)


def _weights(plan: Plan, windows: Windows, device: torch.device) -> Tensor:
    """Return the sum of the windows' weights at each voxel of a slab; it is the same for all slabs."""
    shape = list(plan.shape)
    shape[plan.axis] = windows.size[plan.axis]
    one = compute_importance_map(
        windows.size, mode=windows.mode, sigma_scale=windows.sigma_scale, device=device, dtype=torch.float32
    )
    starts = [_starts(n, size, o) for n, size, o in zip(shape, windows.size, windows.overlap, strict=True)]
    total = torch.zeros(shape, dtype=torch.float32, device=device)
    for x in starts[0]:
        for y in starts[1]:
            for z in starts[2]:
                corner = zip((x, y, z), windows.size, strict=True)
                total[tuple(slice(a, a + n) for a, n in corner)] += one
    return total


def _sums(slab: Tensor, windows: Windows, predict: Callable[[Tensor], Tensor], on: Devices) -> Tensor:
    """Return the weighted mean of the windows of one slab, `(channels, x, y, z)`.

    Without room on the GPU for so many windows at once it is tried with half as many, down to one.
    """
    at_once = windows.at_once
    while True:
        try:
            found = sliding_window_inference(
                slab[None, None],
                windows.size,
                at_once,
                predict,
                windows.overlap,
                windows.mode,
                windows.sigma_scale,
                sw_device=on.run,
                device=on.stitch,
            )
        except torch.OutOfMemoryError:
            if at_once == 1:
                raise
            at_once //= 2
            if on.run.type == "cuda":
                torch.cuda.empty_cache()
        else:
            assert isinstance(found, Tensor)
            return found[0]
