"""Encodes a scan and its regions once: by batches, and never again for the same content."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..progress import Progress, Work
from .reg2rg_embedding import VisualEmbedding
from .reg2rg_inputs import RegionInput, ScanInput


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The tokens of a scan `image` (32, E) and of its regions (33, E) each, in slot order."""

    image: Tensor
    regions: dict[str, Tensor]


class FeatureCache:
    """Keeps the tokens of the last `capacity` volumes by their content; belongs to one set of weights."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Tensor | None:
        """Return what is kept under `key` and mark it as used."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: bytes, tokens: Tensor) -> None:
        """Keep tokens; the longest unused ones go."""
        self._kept[key] = tokens
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


def key_of(*tensors: Tensor) -> bytes:
    """Return a digest of contents and shapes."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode())
        digest.update(np.ascontiguousarray(tensor.numpy()).data)
    return digest.digest()


def encode(layer: VisualEmbedding, scan: ScanInput, cache: FeatureCache, batch: int = 1) -> Work[Features]:
    """Return the tokens of a scan and its regions, those already in `cache` without work.

    `batch` volumes go through the encoders at once: a processor gains nothing from more than one, a GPU does.
    """
    keys = {name: key_of(r.texture, r.geometry) for name, r in scan.regions.items()}
    image_key = key_of(scan.image)
    yield Progress(0.0, "reading the whole scan")
    image = cache.get(image_key)
    if image is None:
        with torch.inference_mode():
            image = layer.texture(_on_device(layer, scan.image))[0]  # (1, 1, H, W, D) → (32, E)
        cache.put(image_key, image)
    tokens_of = {key: cache.get(key) for key in keys.values()}
    # One name for each new content: pleura and lung are often the same mask.
    new = list({key: name for name, key in keys.items() if tokens_of[key] is None}.values())
    for start in range(0, len(new), batch):
        names = new[start : start + batch]
        yield Progress((1 + start) / (1 + len(new)), f"reading {', '.join(names)}")
        for name, tokens in zip(names, _regions(layer, [scan.regions[n] for n in names]), strict=True):
            own = tokens.clone()  # a view would keep the whole batch alive
            tokens_of[keys[name]] = own
            cache.put(keys[name], own)
    yield Progress(1.0, "read")
    found = {name: tokens_of[key] for name, key in keys.items()}
    return Features(image, {name: tokens for name, tokens in found.items() if tokens is not None})


@torch.inference_mode()
def _regions(layer: VisualEmbedding, shown: list[RegionInput]) -> Tensor:
    """Return the tokens `(n, 33, E)` of regions read at once."""
    # One after the other, and a single volume as it is: each copy of one is 17 MB.
    texture = layer.texture(_together(layer, [region.texture for region in shown]))
    geometry = layer.geometry(_together(layer, [region.geometry for region in shown])[:, 0])
    return torch.cat((texture, geometry), dim=1)


def _together(layer: VisualEmbedding, volumes: list[Tensor]) -> Tensor:
    """Return `(n, 1, H, W, D)`; a view where there is one volume that lies right already."""
    moved = [_on_device(layer, volume) for volume in volumes]
    return moved[0] if len(moved) == 1 else torch.cat(moved)


def _on_device(layer: VisualEmbedding, volume: Tensor) -> Tensor:
    """Return `(1, 1, H, W, D)` where and in the numbers that the encoders compute in."""
    weight = layer.fc.weight
    return volume[None, None].to(weight.device, weight.dtype)
