"""Stands in for torch beside the stand-in of VoxTell, so that its tests need not wait for the real one to load."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace

bfloat16 = "bfloat16"
_allowed: list[object] = []


class device:  # noqa: N801 - the real one's name
    def __init__(self, name: str) -> None:
        assert name.split(":")[0] in ("cpu", "cuda")


class _OutOfMemory(RuntimeError):
    pass


_OutOfMemory.__qualname__ = _OutOfMemory.__name__ = "OutOfMemoryError"
cuda = SimpleNamespace(is_available=lambda: False, empty_cache=lambda: None, OutOfMemoryError=_OutOfMemory)
serialization = SimpleNamespace(add_safe_globals=_allowed.extend)


def load(file, map_location=None, weights_only=True):
    assert weights_only, "the real one would unpickle whatever the file holds"
    assert _allowed
    if Path(file).read_bytes() == b"thing":
        raise pickle.UnpicklingError(
            "Weights only load failed. This file can still be loaded, to do so you have two ..."
        )
    return {}
