"""Times Reg2RG's embedding of a scan and ten regions: `python Testing/bench/reg2rg.py [--threads 2]`.

At full visual size with random weights, so the numbers are those of any weights. Beside ours stands the formulation
of the original: one volume after another in three channels, and rows fetched by a product with one-hot ids.
Memory is what the process itself needs beyond the weights, sampled while it runs. Processor seconds are told beside
those of the clock: on a machine that does other work too, only they compare (best with one thread, which never spins).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from RegionReportLib.model.reg2rg_config import PUBLISHED
from RegionReportLib.model.reg2rg_embedding import VisualEmbedding
from RegionReportLib.model.reg2rg_features import FeatureCache, encode
from RegionReportLib.model.reg2rg_inputs import RegionInput, ScanInput
from RegionReportLib.model.reg2rg_regions import REGION_NAMES
from RegionReportLib.progress import finish

EVERY = (slice(0, 1), slice(0, 1), slice(0, 1))
LENGTHS = (600, 2048)


def own_memory_mb() -> float:
    """Memory of this process that is no page of a file."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


def give_back_memory() -> None:
    """Return freed memory to the system, or what came before would hide what comes."""
    with contextlib.suppress(OSError, AttributeError):  # only glibc keeps it and has a call for this
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def measured(work: Callable[[], Tensor]) -> tuple[float, float, float, Tensor]:
    """Return seconds by the clock and of the processor, peak of extra memory in MB, and the result."""
    give_back_memory()
    before, peak, over = own_memory_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], own_memory_mb() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    start, start_cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        result = work()
    seconds, processor = time.perf_counter() - start, time.process_time() - start_cpu
    over.set()
    thread.join()
    return seconds, processor, peak[0], result


def one_hot(layer: VisualEmbedding, scan: ScanInput, ids: Tensor) -> Tensor:
    """Embed as the original does."""
    config = PUBLISHED
    image = layer.texture(scan.image.expand(1, 3, -1, -1, -1))
    slots = torch.zeros(1, config.region_tokens * len(scan.regions), config.language.dim)
    for j, region in enumerate(scan.regions.values()):
        texture = layer.texture(region.texture.expand(1, 3, -1, -1, -1))
        geometry = layer.geometry(region.geometry[None])
        slots[:, config.region_tokens * j : config.region_tokens * (j + 1)] = torch.cat((texture, geometry), dim=1)
    marks = torch.cat((layer.weight, layer.image_token_weight, layer.region_token_weight))
    table = torch.cat((marks[None], image, slots), dim=1)  # (1, 32036 + 33·R, E)
    hot = F.one_hot(ids, table.shape[1]).to(table)
    return torch.matmul(hot, table)


def gathered(layer: VisualEmbedding, scan: ScanInput, ids: Tensor, cache: FeatureCache) -> Tensor:
    """Embed as we do."""
    features = finish(encode(layer, scan, cache))
    out: Tensor = layer(ids, features.image[None], [list(features.regions.values())])
    return out


def main() -> None:
    """Print one line per formulation and length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(0)
    layer = VisualEmbedding(PUBLISHED, nn.Parameter(torch.randn(32000, 4096) * 0.02)).eval().requires_grad_(False)
    size = PUBLISHED.size
    regions = {name: RegionInput(torch.rand(size) * 2 - 1, torch.rand(size), EVERY) for name in REGION_NAMES}
    scan = ScanInput(torch.rand(size) * 2 - 1, EVERY, regions, {})
    for length in LENGTHS:
        shown = torch.arange(32000, 32000 + PUBLISHED.added_tokens)
        ids = torch.cat((shown, torch.randint(0, 32000, (length - len(shown),))))[None]
        cache = FeatureCache()
        layer.float()
        rows = [
            ("one-hot, one by one (original)", lambda ids=ids: one_hot(layer, scan, ids)),
            ("ours, float32", lambda ids=ids, cache=cache: gathered(layer, scan, ids, cache)),
            ("ours, again", lambda ids=ids, cache=cache: gathered(layer, scan, ids, cache)),
        ]
        results = [(name, *measured(work)) for name, work in rows]
        layer.bfloat16()
        results.append(("ours, bfloat16", *measured(lambda ids=ids: gathered(layer, scan, ids, FeatureCache()))))
        reference = results[0][4]
        for name, seconds, processor, peak, out in results:
            far = (out.float() - reference).norm() / reference.norm()
            times = f"{seconds:6.2f} s by the clock, {processor:6.2f} s of the processor"
            print(f"{length:5} tokens  {name:32} {times}  +{peak:5.0f} MB  relative difference {far:.1e}", flush=True)


if __name__ == "__main__":
    main()
