"""A scan is segmented slab by slab: the labels of one pass over the whole, without its memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")

from monai.inferers.utils import sliding_window_inference  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from RegionReportLib.segment.bundle_layout import Windows  # noqa: E402
from RegionReportLib.segment.bundle_slabs import Devices, labels_of, plan_of  # noqa: E402

CPU = Devices(torch.device("cpu"), torch.device("cpu"))
WINDOWS = Windows((16, 12, 8), (0.25, 0.5, 0.25), "gaussian", padding_mode="replicate")


def network(channels: int = 6) -> Any:
    """Return a small network with random weights that looks at its surroundings, so that windows differ at seams."""
    torch.manual_seed(5)
    layers = torch.nn.Conv3d(1, 4, 5, padding=2), torch.nn.Tanh(), torch.nn.Conv3d(4, channels, 3, padding=1)
    return torch.nn.Sequential(*layers).eval()


def random_scan(*shape: int) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(
    ("shape", "windows"),
    [
        ((61, 23, 17), WINDOWS),
        ((20, 50, 11), replace(WINDOWS, mode="constant")),
        ((18, 14, 43), replace(WINDOWS, overlap=(0.25, 0.25, 0.7), at_once=3)),
        ((61, 9, 5), WINDOWS),
        ((11, 9, 5), replace(WINDOWS, padding_mode="constant", padding_value=-1.0)),
        ((32, 24, 16), replace(WINDOWS, overlap=(0.0, 0.0, 0.0))),
    ],
    ids=["long in x", "evenly weighted", "windows over three rows", "thin", "smaller than a window", "no overlap"],
)
def test_labels_are_those_of_one_pass_over_the_whole(shape: tuple[int, int, int], windows: Windows) -> None:
    image, predict = random_scan(*shape), network()
    with torch.inference_mode():
        whole = sliding_window_inference(
            image[None, None],
            windows.size,
            windows.at_once,
            predict,
            windows.overlap,
            windows.mode,
            windows.sigma_scale,
            windows.padding_mode,
            windows.padding_value,
        )[0]
        labels = labels_of(image, windows, predict, CPU)
    assert tuple(labels.shape) == shape
    assert len(labels.unique()) == 6
    # Sums in another order: two channels within rounding of each other may change places.
    chosen = whole.gather(0, labels.long()[None])[0]
    assert (whole.amax(0) - chosen).max() < 1e-5
    assert (labels == whole.argmax(0)).float().mean() > 0.9999


def test_the_scan_is_cut_along_the_axis_with_most_windows() -> None:
    plan = plan_of((30, 40, 30), WINDOWS)
    # z: 8 wide, every 6; the last row ends with the scan. Across: x at 0, 12, 14; y at 0, 6 … 24, 28.
    assert (plan.axis, plan.starts) == (2, (0, 6, 12, 18, 22))
    assert plan.windows == 3 * 6
    # The last row starts 4 behind the one before: 8 slices and 4 of the row before, 5 channels, 4 bytes.
    assert plan.slab_bytes(5, WINDOWS) == 30 * 40 * (8 + 4) * 5 * 4


class Largest(TorchDispatchMode):
    """Notes the numbers in the largest tensor that any operation gives."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for one in found if isinstance(found, list | tuple) else [found]:
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return found


def test_all_channels_of_the_whole_scan_never_lie_in_memory() -> None:
    shape, channels = (16, 12, 120), 6
    largest = Largest()
    with torch.no_grad(), largest:
        labels_of(random_scan(*shape), WINDOWS, network(channels), CPU)
    slab = channels * 16 * 12 * 8
    assert largest.numbers <= max(slab, 16 * 12 * 120)
    assert largest.numbers < channels * 16 * 12 * 120 / 4


def test_without_room_for_many_windows_fewer_are_tried() -> None:
    asked: list[int] = []
    inner = network()

    def predict(windows: Any) -> Any:
        asked.append(len(windows))
        if len(windows) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")  # as a GPU says it
        return inner(windows)

    image = random_scan(40, 14, 9)
    with torch.inference_mode():
        labels = labels_of(image, replace(WINDOWS, at_once=4), predict, CPU)
        expected = labels_of(image, WINDOWS, inner, CPU)
    assert asked[:3] == [4, 2, 1]
    assert torch.equal(labels, expected)


def test_without_room_for_one_window_it_gives_up() -> None:
    def full(windows: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        labels_of(random_scan(20, 14, 9), WINDOWS, full, CPU)
