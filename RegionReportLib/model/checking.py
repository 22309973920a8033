"""Looks whether a folder holds a model that can be opened: names, shapes, digests; nothing is run."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

from ..errors import InputRefused, NeedMissing
from ..progress import Progress, Work, part
from .digests import WEIGHT_ENDINGS, digests_of, read_record

_RADBERT_FILE = "RadBertClassifier.pth"
_BUNDLE_FILE = Path("configs") / "metadata.json"
_VOXTELL_FILE = Path("voxtell_v1.1") / "plans.json"


def checked(folder: Path) -> Work[tuple[str, ...]]:
    """Return lines about the model in `folder`.

    NeedMissing says what is absent, InputRefused what is not as it should be, also against recorded digests.
    """
    if not folder.is_dir():
        raise NeedMissing(f"no folder at {folder}")
    is_bundle = (folder / _BUNDLE_FILE).is_file()
    is_voxtell = (folder / _VOXTELL_FILE).is_file()
    within = sorted((folder / "models").glob("*")) if is_bundle else sorted(folder.iterdir())
    within += sorted((folder / _VOXTELL_FILE.parent).rglob("*")) if is_voxtell else []
    files = [f for f in within if f.is_file() and f.suffix in WEIGHT_ENDINGS]
    if not files:
        raise NeedMissing(f"{folder} holds no weights (files ending in {', '.join(WEIGHT_ENDINGS)})")
    yield Progress(0.0, "looking at names and shapes")
    recorded = {name: entry["sha256"] for name, entry in read_record(folder).items()}
    if is_bundle:
        found = _bundle(folder)
    elif is_voxtell:
        found = ["VoxTell v1.1 and the language model that reads its phrases; whether they open, VoxTell itself says"]
    elif (folder / _RADBERT_FILE).is_file():
        found = _radbert(folder)
    elif (folder / "config.json").is_file() and not (folder / "pytorch_model.bin").is_file():
        found, own = _region_tokens(folder)
        recorded |= own
    else:
        found = _reg2rg(folder)
    digests = yield from part(digests_of(folder, files, trust=False), 0.1, 1.0)
    for name, digest in digests.items():
        if recorded.get(name, digest) != digest:
            raise InputRefused(f"{name} has changed since its digest was recorded: {recorded[name]}, now {digest}")
        found.append(f"{name}: SHA-256 {digest}" + (", as recorded" if name in recorded else ""))
    return tuple(found)


def _bundle(folder: Path) -> list[str]:
    """Return a line about a MONAI bundle; whether it can be run here, the segmenter itself says."""
    try:
        table = json.loads((folder / _BUNDLE_FILE).read_bytes())
        name, version = str(table["name"]), str(table["version"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise InputRefused(f"{folder / _BUNDLE_FILE} does not name a MONAI bundle: {cause}") from cause
    return [f"MONAI bundle {name!r:.80} {version:.20}"]


def _region_tokens(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return lines about a network trained here, and the digests that were saved with it."""
    from safetensors import safe_open

    from .checkpoint import WEIGHTS, read_content
    from .tokenizer import FILE_NAME

    content = read_content(folder)
    with safe_open(folder / WEIGHTS, framework="pt") as opened:
        shapes = [opened.get_slice(key).get_shape() for key in opened.keys()]  # noqa: SIM118 (no mapping)
    counted = sum(prod(shape) for shape in shapes)
    lines = [
        f"region-token network {content['config'].get('name', '')!r}",
        f"{counted / 1e6:.1f} million numbers in {len(shapes)} tensors",
    ]
    return lines, {name: digest for name, digest in content["digests"].items() if name != FILE_NAME}


def _reg2rg(folder: Path) -> list[str]:
    import torch

    from .reg2rg import on_meta
    from .reg2rg_checkpoint import Weights, match
    from .reg2rg_config import PUBLISHED, read_config
    from .reg2rg_prompt import Words

    config = read_config(folder)
    Words.read(folder, config)
    with Weights(folder) as weights:
        keys = match(weights, config)
        wanted = on_meta(config).state_dict()
        kinds: set[torch.dtype] = set()
        for name, key in keys.name_of.items():
            value = weights[key]()
            kinds.add(value.dtype)
            if value.shape != wanted[name].shape:
                raise InputRefused(f"{key} has shape {tuple(value.shape)}, expected {tuple(wanted[name].shape)}")
        number = len(weights)
    counted = sum(p.numel() for p in on_meta(config).parameters())
    numbers = ", ".join(sorted(str(k).removeprefix("torch.") for k in kinds))
    size = "the published size" if config == PUBLISHED else "another size than the published one (reg2rg.json)"
    return [
        f"Reg2RG of {size}",
        f"tokenizer.json: {config.image_open_id} words, and {config.added_tokens} tokens with the ids of the weights",
        f"weights: all {number} keys known ({len(keys.dropped)} not needed)",
        f"{counted / 1e6:.1f} million numbers in {numbers}",
        f"memory to run it: {2 * counted / 1e9:.1f} GB with 16-bit numbers, {4 * counted / 1e9:.1f} GB with float32",
    ]


def _radbert(folder: Path) -> list[str]:
    from .radbert import open_labeller

    labeller = open_labeller(folder)
    return [f"RadBERT labeller: {labeller.labels} labels, {labeller.numbers / 1e6:.1f} million numbers"]
