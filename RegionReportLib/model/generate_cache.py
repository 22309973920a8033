"""A cache of keys and values that has room to grow, so that a new word does not copy all that was read before.

The library's own growing cache joins the whole cache and one word anew at each step; with six rows that copy is half
of the time of a step on a CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 256
"""Places that are made ready at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """Keys and values `(H, P, D)` that come before those of the rows from `start` to before `stop`."""

    keys: Tensor
    values: Tensor
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What rows begin with, held once for all rows with the same beginning; the longest takes `length` places.

    A shorter one takes the last of these places. The rows of the beginnings follow upon one another.
    """

    length: int
    beginnings: tuple[Beginning, ...]

    def of_rows(self, rows: Sequence[int]) -> Shared:
        """Return what these rows begin with, given in ascending order; beginnings without a row are let go."""
        out: list[Beginning] = []
        stop = 0
        for begun in self.beginnings:
            start, stop = stop, stop + sum(begun.start <= row < begun.stop for row in rows)
            if stop > start:
                out.append(Beginning(begun.keys, begun.values, start, stop))
        return Shared(self.length, tuple(out))


class RoomyLayer(DynamicLayer):
    """Keys and values `(B, H, N, D)` of one layer, as views into buffers that are longer.

    `shared` comes before those of the rows; `update` gives the others, marked with it for `generate_attention`.
    """

    keys: Tensor | None
    values: Tensor | None

    def __init__(self, *args: Any, shared: Shared | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.shared = shared
        self._buffers: tuple[Tensor, Tensor] | None = None

    def get_seq_length(self) -> int:
        """Return how many places have been read, those that are shared among them."""
        own: int = super().get_seq_length()
        return own + (self.shared.length if self.shared is not None else 0)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append keys and values and return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start: int = super().get_seq_length()
        stop = start + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < stop:
            self._buffers = (self._roomier(key_states, self.keys, stop), self._roomier(value_states, self.values, stop))
        views = []
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start:stop, :] = new
            views.append(buffer[..., :stop, :])
        self.keys, self.values = views
        if self.shared is not None:
            mark_shared(views[0], self.shared)
        return views[0], views[1]

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these rows, given in ascending order."""
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[indices], self.values[indices]
        if self.shared is not None:
            self.shared = self.shared.of_rows(indices.tolist())
        self._buffers = None

    @staticmethod
    def _roomier(new: Tensor, old: Tensor | None, wanted: int) -> Tensor:
        rows, heads, _, width = new.shape
        buffer = new.new_empty(rows, heads, wanted + ROOM, width)
        if old is not None and old.numel():
            buffer[..., : old.shape[-2], :] = old
        return buffer


def roomy_cache() -> Cache:
    """Return an empty cache for a model of any number of layers."""
    return Cache(layer_class_to_replicate=RoomyLayer)


def mark_shared(keys: Any, shared: Shared) -> None:
    """Note on keys what comes before them; a tensor carries it to the attention, which is handed nothing else."""
    keys.region_report_shared = shared


def shared_before(keys: Any) -> Shared | None:
    """Return what `mark_shared` noted, None for other keys."""
    found: Shared | None = getattr(keys, "region_report_shared", None)
    return found


def sharing(caches: Sequence[Cache], counts: Sequence[int]) -> Cache:
    """Return an empty cache for rows of which so many begin with what the one row of each of `caches` holds."""
    out = roomy_cache()
    for number in range(len(caches[0].layers)):
        beginnings: list[Beginning] = []
        for cache, count in zip(caches, counts, strict=True):
            keys, values = _held(number, cache)
            start = beginnings[-1].stop if beginnings else 0
            beginnings.append(Beginning(keys[0], values[0], start, start + count))
        length = max(begun.keys.shape[-2] for begun in beginnings)
        out.layers.append(RoomyLayer(shared=Shared(length, tuple(beginnings))))
    return out


def copies(caches: Sequence[Cache], counts: Sequence[int]) -> Cache:
    """Return a cache whose rows hold so many copies of the one row of each of `caches`; these stay as they are.

    Those that hold less than the longest are padded in front.
    """
    out = roomy_cache()
    for number in range(len(caches[0].layers)):
        held = [_held(number, cache) for cache in caches]
        longest = max(keys.shape[-2] for keys, _ in held)
        keys, values = (
            torch.cat([_padded(x, longest).expand(n, -1, -1, -1) for x, n in zip(kind, counts, strict=True)])
            for kind in zip(*held, strict=True)
        )
        out.update(keys, values, number)
    return out


def _padded(states: Tensor, length: int) -> Tensor:
    """Return states `(1, H, P, D)` with zeros before them, so that P becomes `length`."""
    return torch.nn.functional.pad(states, (0, 0, length - states.shape[-2], 0))


def _held(number: int, cache: Cache) -> tuple[Tensor, Tensor]:
    layer: Any = cache.layers[number]
    if not isinstance(layer, RoomyLayer) or layer.keys is None or layer.values is None:
        raise ValueError(f"layer {number} of the cache holds nothing, or is not one of `roomy_cache`")
    return layer.keys, layer.values
