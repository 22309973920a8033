"""Loads the published Reg2RG weights: one state dict, read by key, weights only, memory-mapped.

The network is built without memory, then filled part by part in the wanted number type; the file's pages are the
only other copy and the system may drop them. Never unpickles code, never reaches for a network.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from ..errors import InputRefused, NeedMissing
from ..progress import Progress, Work
from . import four_bit
from .reg2rg import Reg2RG, on_meta
from .reg2rg_config import PUBLISHED, Reg2RGConfig
from .room_for import need_room

WORDS_KEY = "lang_model.base_model.model.model.embed_tokens.weight"
SHARED_KEY = "embedding_layer.weight"
_ADAPTED = "lang_model.base_model.model."
_FILES = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")


@dataclass(frozen=True, slots=True)
class Placing:
    """Where and how the weights lie: `device`, number type of the `language` model and of the `visual` side.

    `merge` adds the low-rank adapters into the weights they adapt: faster to run, no longer trainable. `four_bit`
    keeps the matrices of the language model in 4 bits and computes in `language`; it needs `merge`.
    """

    device: str = "cpu"
    language: torch.dtype = torch.float32
    visual: torch.dtype = torch.float32
    merge: bool = True
    four_bit: bool = False

    def __post_init__(self) -> None:
        if self.four_bit and not self.merge:
            raise ValueError("adapters cannot be kept apart from 4-bit weights: four_bit needs merge")


@dataclass(frozen=True, slots=True)
class Keys:
    """How the keys of a checkpoint were accounted for; `name_of` maps a tensor of the network to its key."""

    name_of: dict[str, str]
    dropped: tuple[str, ...]


class Weights(Mapping[str, Callable[[], Tensor]]):
    """The tensors of a checkpoint by key; each is read when called. Use in a `with` block."""

    def __init__(self, path: Path) -> None:
        self._open = ExitStack()
        self._read: dict[str, Callable[[], Tensor]] = {}
        for file in _files_of(path):
            self._add(file)

    def __enter__(self) -> Weights:
        return self

    def __exit__(self, *error: object) -> None:
        self._read.clear()
        self._open.close()

    def __getitem__(self, key: str) -> Callable[[], Tensor]:
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def _add(self, file: Path) -> None:
        try:
            if file.suffix == ".safetensors":
                opened: Any = self._open.enter_context(safe_open(file, framework="pt"))
                self._read |= {key: _reader(opened.get_tensor, key) for key in opened.keys()}  # noqa: SIM118
            else:
                state = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
                self._read |= {key: _reader(state.__getitem__, key) for key in _flat(state, file)}
        except (pickle.UnpicklingError, RuntimeError, SafetensorError, EOFError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise InputRefused(f"{file} holds no plain tensors that can be mapped: {reason}") from error


def load(path: Path, config: Reg2RGConfig = PUBLISHED, placing: Placing | None = None) -> Work[Reg2RG]:
    """Return the network with the weights of `path` (a file or a folder), in evaluation mode.

    InputRefused names keys that are missing, unknown or of another shape; NeedMissing says that there is no file, or no
    room for it.
    """
    placing = placing or Placing()
    if placing.four_bit:
        four_bit.need_four_bit()
    with Weights(path) as weights:
        keys = match(weights, config)
        model = on_meta(config, adapters=not placing.merge)
        parameters = list(model.named_parameters())  # shared tensors come once
        need_room(sum(_own_bytes(n, p.shape, keys, weights, placing) for n, p in parameters), placing.device)
        for n, (name, parameter) in enumerate(parameters):
            yield Progress(n / len(parameters), "loading weights")
            value = _value(name, keys, weights, config, placing)
            if value.shape != parameter.shape:
                raise InputRefused(f"{name} has shape {tuple(value.shape)}, expected {tuple(parameter.shape)}")
            if placing.four_bit and four_bit.is_large(name, value.shape):
                four_bit.put(model, name, value.to(placing.language), placing.device)
            else:
                numbers = placing.visual if _is_visual(name) else placing.language
                _put(model, name, _aligned(value.to(placing.device, numbers)))
    _share_words(model)
    _fill_buffers(model, placing.device)
    yield Progress(1.0, "loading weights")
    return model.eval()


def match(keys: Mapping[str, Any], config: Reg2RGConfig) -> Keys:
    """Account for each key of a checkpoint; InputRefused names those that are missing or unknown.

    Both spellings of peft are known (with and without `.base_layer`), rotary tables of old transformers are dropped,
    and the table of words may be stored once or twice.
    """
    wanted = on_meta(config).state_dict()
    name_of, dropped, unknown = {}, [], []
    for key in keys:
        name = key if key in wanted else _modern(key)
        if key.endswith(".rotary_emb.inv_freq"):
            dropped.append(key)
        elif name in wanted:
            name_of[name] = key
        else:
            unknown.append(key)
    for one, other in ((WORDS_KEY, SHARED_KEY), (SHARED_KEY, WORDS_KEY)):
        if other in name_of:
            name_of.setdefault(one, name_of[other])
    missing = sorted(set(wanted) - set(name_of))
    for what, names in (("lacks", missing), ("holds unknown", unknown)):
        if names:
            raise InputRefused(
                f"the checkpoint {what} {len(names)} of {len(wanted)} keys, first {', '.join(names[:3])}"
            )
    return Keys(name_of, tuple(dropped))


def _modern(key: str) -> str:
    for part in ("q_proj", "v_proj"):
        if key.endswith(f".{part}.weight"):
            return f"{key.removesuffix('.weight')}.base_layer.weight"
    return key


def _value(name: str, keys: Keys, weights: Weights, config: Reg2RGConfig, placing: Placing) -> Tensor:
    """Return the tensor of the network called `name`; an adapted weight is merged in float32 if wished."""
    if not placing.merge or not name.startswith("lang_model."):
        return weights[keys.name_of[_words_first(name)]]()
    published = _ADAPTED + name.removeprefix("lang_model.")
    stem = published.removesuffix(".weight")
    if f"{stem}.base_layer.weight" not in keys.name_of:
        return weights[keys.name_of[published]]()
    base, low, high = (
        weights[keys.name_of[f"{stem}.{part}.weight"]]().float()
        for part in ("base_layer", "lora_A.default", "lora_B.default")
    )
    return torch.addmm(base, high, low, alpha=config.language.lora_scale)  # (4096, 8) · (8, 4096)


def _own_bytes(name: str, shape: torch.Size, keys: Keys, weights: Weights, placing: Placing) -> int:
    """Return what a tensor will take beyond the mapped file; nothing where it can stay a page of that."""
    numbers = placing.visual if _is_visual(name) else placing.language
    if placing.four_bit and four_bit.is_large(name, shape):
        return shape.numel() * 9 // 16  # half a byte each, and a float32 scale for every 64 of them
    stored = keys.name_of.get(_words_first(name)) or keys.name_of.get(_ADAPTED + name.removeprefix("lang_model."))
    if placing.device == "cpu" and stored is not None:
        value = weights[stored]()
        if value.dtype is numbers and _is_aligned(value):
            return 0
    return shape.numel() * numbers.itemsize


def _is_visual(name: str) -> bool:
    return name.startswith("embedding_layer.") and name != SHARED_KEY


def _words_first(name: str) -> str:
    return WORDS_KEY if name == SHARED_KEY else name


def _put(model: nn.Module, name: str, value: Tensor) -> None:
    parent, _, leaf = name.rpartition(".")
    module = model.get_submodule(parent)
    old = module.get_parameter(leaf)
    setattr(module, leaf, nn.Parameter(value, requires_grad=old.requires_grad and value.is_floating_point()))


def _aligned(value: Tensor) -> Tensor:
    """Return a tensor that kernels can read at full speed; safetensors files align to 8 bytes only."""
    return value if _is_aligned(value) else value.clone()


def _is_aligned(value: Tensor) -> bool:
    return value.data_ptr() % 64 == 0


def _language_of(model: Reg2RG) -> Any:
    adapted: Any = model.lang_model
    return adapted.get_base_model() if hasattr(adapted, "get_base_model") else adapted


def _share_words(model: Reg2RG) -> None:
    """Make the word table of the language model the very tensor of the embedding layer again."""
    model_words: Any = _language_of(model).get_input_embeddings()
    model_words.weight = model.embedding_layer.weight


def _fill_buffers(model: Reg2RG, device: str) -> None:
    """Compute what is not stored: the rotary table, always in float32."""
    inner: Any = _language_of(model).model
    inner.rotary_emb = LlamaRotaryEmbedding(config=inner.config).to(device)


def _files_of(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    for name in _FILES:
        file = path / name
        if file.is_file():
            return _shards(file) if file.suffix == ".json" else [file]
    raise NeedMissing(f"no Reg2RG weights at {path}: expected a file or a folder with one of {', '.join(_FILES)}")


def _shards(index: Path) -> list[Path]:
    names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    if any(Path(name).name != name for name in names):
        raise InputRefused(f"{index} names files outside its own folder")
    return [index.parent / name for name in names]


def _flat(state: Any, file: Path) -> list[str]:
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputRefused(f"{file} is no plain state dict of names and tensors")
    return list(state)


def _reader(get: Callable[[str], Tensor], key: str) -> Callable[[], Tensor]:
    return lambda: get(key)
