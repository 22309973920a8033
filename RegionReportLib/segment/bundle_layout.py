"""What a MONAI bundle's folder says about itself: network, preprocessing, sliding window, names of its channels.

The layout is that of MONAI's model zoo (`configs/metadata.json`, `configs/inference.json`, `models/model.pt`). Read as
data; only networks, transforms and options that are listed here are understood. No torch and no monai here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from .bundle_values import Values

NETWORKS = (
    "SegResNet",
    "SegResNetDS",
    "UNet",
    "BasicUNet",
    "AttentionUnet",
    "DynUNet",
    "VNet",
    "UNETR",
    "SwinUNETR",
)
"""Classes of `monai.networks.nets` that give one channel for each structure and are built from plain values."""
TRANSFORMS = (
    "Orientationd",
    "Spacingd",
    "CropForegroundd",
    "NormalizeIntensityd",
    "ScaleIntensityd",
    "ScaleIntensityRanged",
    "ScaleIntensityRangePercentilesd",
    "ThresholdIntensityd",
)
# Reading the file, its type and its first axis: the scan is here already, in float32.
_DONE_ALREADY = ("LoadImaged", "EnsureTyped", "EnsureChannelFirstd", "CastToTyped", "ToTensord", "ToDeviced")
_WINDOW_OPTIONS = ("roi_size", "overlap", "mode", "sigma_scale", "padding_mode", "cval", "sw_batch_size")
# Where the window runs is decided here.
_WINDOW_PASSED_OVER = (
    "_target_",
    "device",
    "sw_device",
    "progress",
    "cache_roi_weight_map",
    "cpu_thresh",
    "buffer_steps",
    "buffer_dim",
)
_LARGEST_JSON = 2**22
_MOST_CHANNELS = 1024
_SMALLEST_WINDOW, _LARGEST_WINDOW = 4, 512
_HIGHRES = "displayable_configs#highres"


@dataclass(frozen=True, slots=True)
class Part:
    """A class of MONAI by its `name`, and the plain values it is made with."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Windows:
    """MONAI's sliding window: its `size` in voxels along x, y, z, how windows overlap and blend, how many `at_once`."""

    size: tuple[int, int, int]
    overlap: tuple[float, float, float] = (0.25, 0.25, 0.25)
    mode: str = "constant"
    sigma_scale: float = 0.125
    padding_mode: str = "constant"
    padding_value: float = 0.0
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as its folder describes it; `channels` are the names of its output channels, the first is background."""

    folder: Path
    title: str
    channels: tuple[str, ...]
    network: Part
    transforms: tuple[Part, ...]
    windows: Windows
    weights: Path


def read_bundle(folder: Path, *, fine: bool = True) -> Bundle:
    """Read a bundle's folder; without `fine` its low-resolution variant, if it has one (`highres` false).

    NeedMissing if there is no such folder; InputRefused names the key that is missing or not supported.
    """
    if not folder.is_dir():
        raise NeedMissing(
            f"there is no MONAI bundle at {folder}; `regionreport models fetch monai-bundle` fetches one, "
            "monai-bundle:FOLDER names another"
        )
    metadata = Values(_json(folder, "metadata.json"), f"{folder.name}/configs/metadata.json")
    table = _json(folder, "inference.json")
    shown = table.get("displayable_configs")
    if not fine and isinstance(shown, dict) and "highres" in shown:
        table["displayable_configs"] = {**shown, "highres": False}
    values = Values(table, f"{folder.name}/configs/inference.json")
    _refuse_others(metadata, values)
    return Bundle(
        folder,
        _title(folder, metadata),
        _channels(metadata),
        _network(values),
        _transforms(values),
        _windows(values),
        _weights(folder, values),
    )


def has_variants(folder: Path) -> bool:
    """Tell whether a bundle has a variant of high and one of low resolution."""
    return _HIGHRES in Values(_json(folder, "inference.json"), folder.name)


def _json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "configs" / name
    if not path.is_file():
        yaml = path.with_suffix(".yaml").is_file()
        instead = (
            f"its {path.with_suffix('.yaml').name} is not read" if yaml else "expected the layout of the model zoo"
        )
        raise InputRefused(f"{folder} is no MONAI bundle that can be used: it has no configs/{name}; {instead}")
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError(f"larger than {_LARGEST_JSON // 2**20} MB")
        table = json.loads(path.read_bytes())
        if not isinstance(table, dict):
            raise TypeError("not a table")
    except (OSError, ValueError, TypeError, RecursionError) as cause:
        raise InputRefused(f"{folder.name}/configs/{name} cannot be read: {cause}") from cause
    return table


def _refuse_others(metadata: Values, values: Values) -> None:
    """Refuse what is no CT segmentation by one channel for each structure."""
    network = json.dumps(values.raw("network_def"))
    if "vista" in network.lower():
        values.refuse("network_def", "is VISTA3D, which has to be asked for classes or points: not supported")
    modality = "network_data_format#inputs#image#modality"
    if modality in metadata and str(metadata.value(modality)).upper() != "CT":
        metadata.refuse(modality, f"is {metadata.value(modality)!r:.40}, expected CT")
    steps = values.raw("postprocessing#transforms") if "postprocessing#transforms" in values else []
    for n, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, Mapping) and step.get("sigmoid"):
            values.refuse(f"postprocessing#transforms#{n}", "lets structures overlap (sigmoid), expected a label map")


def _title(folder: Path, metadata: Values) -> str:
    """Return the bundle's own name and version; where it has none, that of its folder."""
    name, version = (metadata.value(key) if key in metadata else "" for key in ("name", "version"))
    return f"{str(name) or folder.name:.60} {version!s:.20}".strip()


def _channels(metadata: Values) -> tuple[str, ...]:
    key = "network_data_format#outputs#pred#channel_def"
    table = metadata.value(key)
    if not isinstance(table, Mapping) or set(table) != {str(n) for n in range(len(table))}:
        metadata.refuse(key, "does not name each output channel from 0 on")
    if not 2 <= len(table) <= _MOST_CHANNELS:
        metadata.refuse(key, f"names {len(table)} channels, expected 2 to {_MOST_CHANNELS}")
    names = tuple(str(table[str(n)]) for n in range(len(table)))
    if names[0].lower() not in ("background", "bg", "other", "none", ""):
        metadata.refuse(f"{key}#0", f"is {names[0]!r:.40}, expected the background")
    return names


def _network(values: Values) -> Part:
    raw = values.raw("network_def")
    if not isinstance(raw, Mapping):
        values.refuse("network_def", f"is {raw!r:.80}, expected a network by its name and plain values")
    return _part(values, raw, "network_def", NETWORKS, "monai.networks.nets.")


def _transforms(values: Values) -> tuple[Part, ...]:
    key = "preprocessing#transforms"
    steps = values.raw(key) if key in values else values.raw("preprocessing")
    if not isinstance(steps, list):
        values.refuse(key, "is no list of transforms")
    found = []
    for n, step in enumerate(steps):
        if not isinstance(step, Mapping):
            values.refuse(f"{key}#{n}", "is no transform by its name and plain values")
        if step.get("_disabled_") is True or _named(step, "monai.transforms.") in _DONE_ALREADY:
            continue
        found.append(_part(values, step, f"{key}#{n}", TRANSFORMS, "monai.transforms."))
    return tuple(found)


def _part(values: Values, raw: Mapping[str, Any], key: str, known: tuple[str, ...], package: str) -> Part:
    name = _named(raw, package)
    if name not in known:
        values.refuse(f"{key}#_target_", f"is {name!r:.60}, supported are {', '.join(known)}")
    arguments = {}
    for option, one in raw.items():
        if option in ("_target_", "_desc_", "_disabled_", "keys", "source_key"):
            continue
        if option.startswith("_"):
            values.refuse(f"{key}#{option}", "is not supported")
        arguments[option] = values.read(one, f"{key}#{option}")
    return Part(name, arguments)


def _named(raw: Mapping[str, Any], package: str) -> str:
    return str(raw.get("_target_", "")).removeprefix(package)


def _windows(values: Values) -> Windows:
    raw = values.raw("inferer")
    if not isinstance(raw, Mapping):
        values.refuse("inferer", "is not described by plain values")
    name = _named(raw, "monai.inferers.")
    if name != "SlidingWindowInferer":
        values.refuse("inferer#_target_", f"is {name!r:.60}, supported is SlidingWindowInferer")
    for option in raw:
        if option not in (*_WINDOW_OPTIONS, *_WINDOW_PASSED_OVER):
            values.refuse(f"inferer#{option}", "is not supported")
    given = {option: values.read(raw[option], f"inferer#{option}") for option in _WINDOW_OPTIONS if option in raw}
    try:
        size = _three(int, given["roi_size"])
        overlap = _three(float, given.get("overlap", 0.25))
        windows = Windows(
            size,
            overlap,
            str(given.get("mode", "constant")),
            float(given.get("sigma_scale", 0.125)),
            str(given.get("padding_mode", "constant")),
            float(given.get("cval", 0.0)),
            int(given.get("sw_batch_size", 1)),
        )
    except (KeyError, TypeError, ValueError) as cause:
        values.refuse("inferer", f"cannot be understood: {type(cause).__name__}: {cause}")
    fits = all(_SMALLEST_WINDOW <= n <= _LARGEST_WINDOW for n in size) and all(0 <= o <= 0.9 for o in overlap)
    modes = windows.mode in ("constant", "gaussian") and windows.padding_mode in ("constant", "replicate", "reflect")
    if not (fits and modes and 1 <= windows.at_once <= 64 and windows.sigma_scale > 0):
        values.refuse("inferer", f"asks for a window that is not supported: {windows}")
    return windows


def _three(kind: Any, value: Any) -> Any:
    """Return a value for each axis, from three of them or one for all."""
    three = value if isinstance(value, list) else [value] * 3
    if len(three) != 3:
        raise ValueError(f"expected one value or three, got {value!r:.60}")
    return tuple(kind(one) for one in three)


def _weights(folder: Path, values: Values) -> Path:
    key = "checkpointloader#load_path"
    path = folder / (str(values.value(key)) if key in values else "models/model.pt")
    if not path.resolve().is_relative_to(folder.resolve()):
        values.refuse(key, "lies outside the bundle")
    return path
