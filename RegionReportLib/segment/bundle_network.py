"""The network of a bundle and the scan as it wants to see it, made by MONAI from what `bundle_layout` has read.

Imports torch and monai: only `monai_bundle` comes here, when it runs.
"""

from __future__ import annotations

import pickle
from typing import Any

import monai.networks.nets
import monai.transforms
import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from torch import Tensor

from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.resample import AIR_HU
from ..imaging.volume import Volume
from .bundle_layout import Bundle, Part
from .bundle_thread import Tell

_IMAGE = "image"
# What a transform gets where the bundle does not say otherwise.
_EXTRA: dict[str, dict[str, Any]] = {
    "CropForegroundd": {"source_key": _IMAGE},
    "Orientationd": {"labels": (("L", "R"), ("P", "A"), ("I", "S"))},  # our affines are RAS
    "Spacingd": {"dtype": np.float32},  # else float64, which costs a large scan a second gigabyte
}


def network_of(bundle: Bundle) -> torch.nn.Module:
    """Return the network with its weights, ready to predict; InputRefused if they do not fit each other.

    Weights are read as plain tensors: a file that wants to run something is refused.
    """
    network: torch.nn.Module = _made(monai.networks.nets, bundle.network, {}, f"{bundle.folder.name}: network_def")
    name = f"{bundle.folder.name}/{bundle.weights.name}"
    try:
        state: Any = torch.load(bundle.weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as cause:
        raise InputRefused(f"{name} does not hold plain weights: {_first_line(cause)}") from cause
    for key in ("model", "state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise InputRefused(f"{name} holds something else than the weights of a network")
    try:
        network.load_state_dict(state)
    except RuntimeError as cause:
        lines = str(cause).splitlines()
        raise InputRefused(f"{name} are not the weights of its network_def: {' '.join(lines[1:2])[:200]}") from cause
    network.eval()
    return network


def prepared(bundle: Bundle, volume: Volume, tell: Tell) -> tuple[Tensor, Grid]:
    """Return the scan as the bundle wants it, float32 `(x, y, z)`, and the grid it lies on.

    What lies outside the scan circle becomes air: padding of −2000 would move a bundle's means and limits.
    """
    hu = np.empty((1, *volume.hu.shape[::-1]), np.float32)
    np.maximum(volume.hu.transpose(2, 1, 0), AIR_HU, out=hu[0])
    affine = torch.from_numpy(np.array(volume.grid.affine))
    held: dict[Any, Any] = {_IMAGE: MetaTensor(torch.from_numpy(hu), affine=affine)}
    del hu  # so that each step frees what the one before has made
    for n, step in enumerate(bundle.transforms):
        tell(n / max(len(bundle.transforms), 1), f"{bundle.folder.name}: preparing the scan")
        where = f"{bundle.folder.name}: preprocessing"
        transform = _made(monai.transforms, step, {"keys": _IMAGE, **_EXTRA.get(step.name, {})}, where)
        try:
            held = transform(held)
        except (TypeError, ValueError) as cause:  # RuntimeError may be a lack of memory
            raise InputRefused(f"{where}: {step.name} fails on this scan: {_first_line(cause)}") from cause
    image = held[_IMAGE]
    x, y, z = image.shape[1:]
    return image.as_tensor()[0].float(), Grid((z, y, x), image.affine.cpu().numpy().astype(np.float64))


def _made(package: Any, part: Part, extra: dict[str, Any], where: str) -> Any:
    try:
        return getattr(package, part.name)(**{**extra, **part.arguments})
    except Exception as cause:  # of any kind, since MONAI checks plain values in many ways
        raise InputRefused(f"{where}: this MONAI makes no {part.name} of it: {_first_line(cause)}") from cause


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
