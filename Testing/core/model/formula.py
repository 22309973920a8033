"""The formula that fills weights and inputs of the Reg2RG fixture, and how a tensor is compared with its record.

Element i of a tensor is a splitmix64 hash of (salt, name, i), so any implementation in any language gets the same
weights without exchanging a file. The 8-voxel blocks of volumes and masks are deliberate: with a voxel-sharp rim
float32 layer norms themselves are uncertain.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

SIZE = (256, 256, 64)


def noise(salt: str, key: str, n: int, start: int = 0) -> Any:
    """Uniform values in [-1, 1), exact in float32."""
    tag = zlib.crc32(f"{salt}|{key}".encode())
    z = (np.uint64(tag) << np.uint64(32)) | np.arange(start, start + n, dtype=np.uint64)
    z += np.uint64(0x9E3779B97F4A7C15)  # all arithmetic modulo 2**64
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0


def offset_and_scale(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Value = offset + scale * noise; the first rule that fits wins."""
    if key.endswith("bias"):
        return 0.0, 0.1
    if len(shape) == 1:
        return 1.0, 0.1
    if key.endswith(("latents", "row_embed.weight", "col_embed.weight", "dep_embed.weight")):
        return 0.0, 1.0
    if key in (
        "embedding_layer.weight",
        "embedding_layer.image_token_weight",
        "embedding_layer.region_token_weight",
    ):
        return 0.0, 0.02
    return 0.0, math.sqrt(3.0 / shape[1])


def parameter(salt: str, key: str, shape: tuple[int, ...], step: int = 1 << 22) -> Any:
    """Return the weight called `key`."""
    offset, scale = offset_and_scale(key, shape)
    out = np.empty(math.prod(shape), np.float32)
    for i in range(0, out.size, step):
        block = out[i : i + step]
        block[:] = offset + scale * noise(salt, key, block.size, i)
    return out.reshape(shape)


def volume(salt: str, name: str, sample: int) -> Any:
    """One channel: `image` is noise everywhere, a region is noise inside an ellipsoid of blocks and -1 outside."""
    u = noise(salt, f"input:{name}:{sample}", math.prod(SIZE)).reshape(SIZE)
    if name != "image":
        h, w, d = np.ogrid[:256, :256, :64]
        a, b, c = 2 * (h // 8) - 31, 2 * (w // 8) - 31, 2 * (d // 4) - 15
        u[a * a + b * b + 4 * c * c > 1239] = -1.0
    return u.astype(np.float32)


def mask(salt: str, name: str, sample: int) -> Any:
    """A mask of blocks: 1 in the core, noise in the rim, 0 outside."""
    a = noise(salt, f"shape:{name}:{sample}", 6)
    centre, radius = 0.5 + 0.2 * a[:3], 0.4 + 0.1 * a[3:]
    rho: Any = 0.0
    for n, grid, c, r in zip(SIZE, np.ogrid[:256, :256, :64], centre, radius, strict=True):
        rho = rho + (((grid // 8 * 8 + 4) / n - c) / r) ** 2
    u = noise(salt, f"mask:{name}:{sample}", math.prod(SIZE)).reshape(SIZE)
    return np.where(rho < 0.6, 1.0, np.where(rho < 1.0, 0.5 + 0.5 * u, 0.0)).astype(np.float32)


def ct(salt: str, name: str, shape: tuple[int, int, int], recipe: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """An int16 volume in HU and its region masks, with the traps that the preprocessing must survive."""
    grid = [(g + 0.5) / n for g, n in zip(np.ogrid[: shape[0], : shape[1], : shape[2]], shape, strict=True)]

    def ball(b: list[float]) -> Any:  # three centres, three radii, in parts of the shape
        return sum(((g - c) / r) ** 2 for g, c, r in zip(grid, b[:3], b[3:], strict=True)) < 1.0

    u = noise(salt, f"ct:{name}", math.prod(shape)).reshape(shape)
    hu = np.full(shape, -1024.0)
    for b, mean, spread in recipe["tissue"]:  # later entries overwrite earlier ones
        hu = np.where(ball(b), np.rint(mean + spread * u), hu)
    masks = {k: ball(b) if b else np.zeros(shape, bool) for k, b in recipe["regions"].items()}
    first = masks[recipe["cut"]]
    h = int(first.any((1, 2)).argmax())  # the lowest slab of this mask becomes air: its crop is smaller than the mask
    hu[h][first[h]] = -1024
    hu[1, shape[1] - 3, shape[2] // 2] = -500  # one stray voxel widens the box of the whole volume
    hu[shape[0] - 1, 1, 1] = -1000  # exactly -1000 is no foreground
    return hu.astype(np.int16), {k: m.astype(np.uint8) for k, m in masks.items()}


def misses(
    record: dict[str, Any], npz: Mapping[str, Any], array: Any, max_abs: float = 1e-4, rel_l2: float = 1e-5
) -> list[str]:
    """Compare a tensor with its record; an empty list means that it agrees. NaN never agrees."""
    a = np.asarray(array, np.float64).reshape(record["shape"])
    bad: list[str] = []

    def near(what: str, x: Any, y: Any, limit: float = max_abs, relative: bool = False) -> None:
        x, y = np.ravel(np.asarray(x, np.float64)), np.ravel(np.asarray(y, np.float64))
        worst, far = np.abs(x - y).max(), np.linalg.norm(x - y) / max(float(np.linalg.norm(y)), 1e-30)
        if not worst <= limit or (relative and not far <= rel_l2):
            bad.append(f"{what}: max abs {worst:.2e}, relative L2 {far:.2e}")

    near("value", a.ravel()[record["index"]], record["value"], relative=True)
    if "full" in record:
        near("full", a, npz[record["full"]], relative=True)

    def channel0() -> Any:
        return a.reshape(-1, *a.shape[-3:])[0]

    short = {
        "token_mean": lambda: a.mean(-1),
        "token_rms": lambda: np.sqrt((a * a).mean(-1)),
        "channel_mean": lambda: a.mean((0, 1)),
        "profile_h": lambda: channel0().mean((1, 2)),
        "profile_w": lambda: channel0().mean((0, 2)),
        "profile_d": lambda: channel0().mean((0, 1)),
    }
    for tag in record.get("summaries", []) + record.get("profiles", []):
        near(tag, short[tag.rsplit("/", 1)[1]](), npz[tag], max_abs / 10)  # averages are steadier
    near("mean, std", [a.mean(), a.std()], [record["mean"], record["std"]], max_abs / 10)
    if not abs(np.linalg.norm(a) - record["l2"]) <= rel_l2 * record["l2"]:
        bad.append("l2")
    return bad
