"""Large layers of a language model in 4 bits (NF4), where the package bitsandbytes is installed.

Dettmers et al., "QLoRA", arXiv 2305.14314. A layer takes a quarter of 16-bit numbers and answers a little differently:
what that costs in reports has not been measured here. For running only, not for training.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import NeedMissing

LAYERS = ".layers."
"""Only what lies in these is quantised; the table of words and the head stay as they are."""


def need_four_bit() -> None:
    """Raise NeedMissing where bitsandbytes is absent."""
    _library()


def is_large(name: str, shape: torch.Size) -> bool:
    """Tell whether a parameter of that name is the matrix of a layer that is quantised."""
    return LAYERS in name and len(shape) == 2 and name.startswith("lang_model.")


def put(model: nn.Module, name: str, value: Tensor, device: str) -> None:
    """Replace the layer whose matrix is called `name` by a 4-bit one with the numbers of `value`.

    It computes in the number type of `value` on `device`.
    """
    library = _library()
    rows, columns = value.shape
    with torch.device("meta"):
        layer: Any = library.nn.Linear4bit(columns, rows, bias=False, compute_dtype=value.dtype, quant_type="nf4")
    layer.weight = library.nn.Params4bit(value.contiguous(), requires_grad=False, quant_type="nf4").to(device)
    path, _, leaf = name.removesuffix(".weight").rpartition(".")
    setattr(model.get_submodule(path), leaf, layer)


def _library() -> Any:
    try:
        return import_module("bitsandbytes")
    except ImportError as error:
        raise NeedMissing(
            "4-bit numbers need the package bitsandbytes: pip install bitsandbytes; or choose --precision bf16"
        ) from error
