"""A cache of keys and values that has room to grow, so that a new word does not copy all that was read before.

The library's own growing cache joins the whole cache and one word anew at each step; with six rows that copy is half
of the time of a step on a CPU.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 256
"""Places that are made ready at once."""


class RoomyLayer(DynamicLayer):
    """Keys and values `(B, H, N, D)` of one layer, as views into buffers that are longer."""

    keys: Tensor | None
    values: Tensor | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append keys and values and return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        stop = start + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < stop:
            self._buffers = (self._roomier(key_states, self.keys, stop), self._roomier(value_states, self.values, stop))
        views = []
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start:stop, :] = new
            views.append(buffer[..., :stop, :])
        self.keys, self.values = views
        return views[0], views[1]

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat each row."""
        super().batch_repeat_interleave(repeats)
        self._buffers = None

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep these rows."""
        super().batch_select_indices(indices)
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


def copies(cache: Cache, rows: int) -> Cache:
    """Return a cache of `rows` rows that each hold what the one row of `cache` holds; the original stays as it is."""
    out = roomy_cache()
    for number, layer in enumerate(cache.layers):
        if not isinstance(layer, RoomyLayer) or layer.keys is None or layer.values is None:
            raise ValueError(f"layer {number} of the cache holds nothing, or is not one of `roomy_cache`")
        out.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    return out
