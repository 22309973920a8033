"""Is there room for a network: asked before gigabytes are read, since a system that runs out kills without a word."""

from __future__ import annotations

import psutil
import torch

from ..errors import NeedMissing


def need_room(bytes_needed: int, device: str) -> None:
    """Raise NeedMissing if `device` has no such memory free, with what to do about it.

    Only what cannot be page of a file counts: a mapped file needs no room, though without it every step reads the disk.
    """
    if device == "cpu":
        free, where = psutil.virtual_memory().available, "memory"
    else:
        free, where = torch.cuda.mem_get_info(device)[0], "memory of the GPU"
    if bytes_needed > free:
        raise NeedMissing(
            f"the model needs {bytes_needed / 1e9:.1f} GB of {where}, {free / 1e9:.1f} GB are free; close other "
            "programs, or choose numbers that take less (--precision bf16 or 4bit)"
        )
