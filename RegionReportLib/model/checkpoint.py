"""A trained region-token network as a folder: `model.safetensors`, `config.json` with its digest, `tokenizer.json`.

Weights only: nothing in the folder is code. Frozen networks that came from a folder of their own are not stored again;
where that folder lies may differ from computer to computer.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import InputRefused, NeedMissing
from ..imaging.atomic import whole_files
from ..progress import Progress, Work, finish, part
from .build import Folders, begin_id, with_folders
from .config import ModelConfig
from .digests import digests_of
from .network import RegionReporter
from .tokenizer import FILE_NAME as TOKENIZER
from .tokenizer import ReportTokenizer

WEIGHTS, CONFIG = "model.safetensors", "config.json"
FORMAT, VERSION = "regionreport region-token network", 1


def save(model: RegionReporter, folder: Path, dtype: torch.dtype | None = None) -> str:
    """Write a network into `folder` and return the digest of its weights; `dtype` is what its numbers are stored as."""
    stored = {name: _plain(value, dtype) for name, value in stored_tensors(model).items()}
    with whole_files(folder) as staging:
        save_file(stored, staging / WEIGHTS)
        model.tokenizer.save(staging)
        digests = finish(digests_of(staging, (staging / WEIGHTS, staging / TOKENIZER)))
        content = {"format": FORMAT, "version": VERSION, "digests": digests, "config": to_plain(model.config)}
        (staging / CONFIG).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return digests[WEIGHTS]


def load(
    folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32, folders: Folders | None = None
) -> Work[RegionReporter]:
    """Return the network of `folder` in evaluation mode; `dtype` is that of the language model.

    `folders` says where the pretrained networks lie that it was trained with. NeedMissing if there is no checkpoint,
    InputRefused for one that is damaged or does not fit its own configuration.
    """
    yield Progress(0.0, "reading the configuration")
    content = read_content(folder)
    found = yield from part(digests_of(folder, [folder / name for name in content["digests"]]), 0.0, 0.1)
    for name, digest in content["digests"].items():
        if found[name] != digest:
            raise InputRefused(f"{folder / name} is not the file that was saved with {CONFIG}: its digest differs")
    config = with_folders(from_plain(ModelConfig, content["config"]), folders or Folders())
    tokenizer = ReportTokenizer.open(folder, begin_id(config))
    yield Progress(0.2, "building the network")
    with torch.random.fork_rng():
        model = RegionReporter(config, tokenizer, weights=True, dtype=dtype)
    yield Progress(0.7, "loading weights")
    _fill(model, folder / WEIGHTS)
    yield Progress(1.0, "loading weights")
    return model.to(device).eval()


def read_content(folder: Path) -> dict[str, Any]:
    """Return the configuration file of a checkpoint after checking its form and version."""
    file = folder / CONFIG
    if not all((folder / name).is_file() for name in (CONFIG, WEIGHTS, TOKENIZER)):
        raise NeedMissing(f"no trained network in {folder}: expected {CONFIG}, {WEIGHTS} and {TOKENIZER}")
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputRefused(f"{file} is not JSON: {error}") from error
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        said = f"{content.get('format')} version {content.get('version')}" if isinstance(content, dict) else "a list"
        raise InputRefused(f"{file} describes {said}, expected {FORMAT} version {VERSION}")
    if "config" not in content or set(content.get("digests", {})) != {WEIGHTS, TOKENIZER}:
        raise InputRefused(f"{file} must hold a configuration and the digests of {WEIGHTS} and {TOKENIZER}")
    return content


def stored_tensors(model: RegionReporter) -> dict[str, Tensor]:
    """Return the tensors that make up a checkpoint: all but tables kept twice and what comes from other folders."""
    out: dict[str, Tensor] = {}
    foreign = foreign_parts(model)
    seen: set[int] = set()
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    for name, value in model.state_dict(keep_vars=True).items():
        if id(value) in seen or (name.startswith(foreign) and name not in trained):
            continue
        seen.add(id(value))
        out[name] = value.detach()
    return out


def foreign_parts(model: RegionReporter) -> tuple[str, ...]:
    """Return the beginnings of the names of networks whose weights lie in folders of their own."""
    config = model.config
    parts = {
        "visual.slice_encoder.": config.slices.backbone,
        "text_side.network.": config.structure.text,
        "language_model.": config.language,
    }
    return tuple(name for name, backbone in parts.items() if backbone is not None and backbone.folder is not None)


def _fill(model: RegionReporter, file: Path) -> None:
    wanted = stored_tensors(model)
    try:
        with safe_open(file, framework="pt") as opened:
            _compare(set(opened.keys()), set(wanted), file)
            with torch.no_grad():
                for name, tensor in wanted.items():
                    value = opened.get_tensor(name)
                    if value.shape != tensor.shape:
                        raise InputRefused(
                            f"{name} has shape {tuple(value.shape)} in {file}, expected {tuple(tensor.shape)}"
                        )
                    tensor.copy_(value)
    except SafetensorError as error:
        raise InputRefused(f"{file} cannot be read: {error}") from error


def _compare(found: set[str], wanted: set[str], file: Path) -> None:
    for what, names in (("lacks", wanted - found), ("holds unknown", found - wanted)):
        if names:
            first = ", ".join(sorted(names)[:3])
            raise InputRefused(f"{file} {what} {len(names)} of {len(wanted)} tensors, first {first}")


def _plain(value: Tensor, dtype: torch.dtype | None) -> Tensor:
    kept = value.to("cpu", dtype) if dtype is not None and value.is_floating_point() else value.to("cpu")
    return kept.clone().contiguous()  # tensors that share memory cannot be stored


def to_plain(value: Any) -> Any:
    """Return a configuration as plain JSON values."""
    if is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [to_plain(v) for v in value]
    if isinstance(value, dict):
        return {key: to_plain(v) for key, v in value.items()}
    return value.value if isinstance(value, Enum) else value


def from_plain(kind: Any, value: Any) -> Any:
    """Return a value of type `kind` from `to_plain`'s form; InputRefused if a field is missing, unknown or wrong."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        names = {f.name for f in fields(kind)}
        if not isinstance(value, dict) or set(value) != names:
            got = sorted(set(value) ^ names) if isinstance(value, dict) else value
            raise InputRefused(f"{kind.__name__} needs the fields {sorted(names)}; missing or unknown: {got}")
        try:
            return kind(**{name: from_plain(hints[name], value[name]) for name in names})
        except (TypeError, ValueError) as error:
            raise InputRefused(f"{kind.__name__} cannot be made: {error}") from error
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else from_plain(next(t for t in inner if t is not type(None)), value)
    if origin is tuple:
        types = (inner[0],) * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        return tuple(from_plain(t, v) for t, v in zip(types, value, strict=True))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return value
