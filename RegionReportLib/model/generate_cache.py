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
    """Keys and values `(B, H, N, D)` of one layer, as views into buffers that are longer.

    `shared` are keys and values `(1, H, P, D)` that come before those of all rows and are held once; `update` gives the
    others, marked with them for `generate_attention`.
    """

    keys: Tensor | None
    values: Tensor | None

    def __init__(self, *args: Any, shared: tuple[Tensor, Tensor] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.shared = shared
        self._buffers: tuple[Tensor, Tensor] | None = None

    def get_seq_length(self) -> int:
        """Return how many places have been read, those that are shared among them."""
        own: int = super().get_seq_length()
        return own + (self.shared[0].shape[-2] if self.shared is not None else 0)

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
        """Keep these rows."""
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[indices], self.values[indices]
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


def mark_shared(keys: Any, shared: tuple[Tensor, Tensor]) -> None:
    """Note on keys what comes before them; a tensor carries it to the attention, which is handed nothing else."""
    keys.region_report_shared = shared


def shared_before(keys: Any) -> tuple[Tensor, Tensor] | None:
    """Return what `mark_shared` noted, None for other keys."""
    found: tuple[Tensor, Tensor] | None = getattr(keys, "region_report_shared", None)
    return found


def sharing(cache: Cache) -> Cache:
    """Return an empty cache for any number of rows that all begin with what the one row of `cache` holds."""
    out = roomy_cache()
    out.layers = [RoomyLayer(shared=_held(number, layer)) for number, layer in enumerate(cache.layers)]
    return out


def copies(cache: Cache, rows: int) -> Cache:
    """Return a cache of `rows` rows that each hold what the one row of `cache` holds; the original stays as it is."""
    out = roomy_cache()
    for number, layer in enumerate(cache.layers):
        keys, values = _held(number, layer)
        out.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), number)
    return out


def _held(number: int, layer: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(layer, RoomyLayer) or layer.keys is None or layer.values is None:
        raise ValueError(f"layer {number} of the cache holds nothing, or is not one of `roomy_cache`")
    return layer.keys, layer.values
