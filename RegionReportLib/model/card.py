"""The card of a trained region-token model: what it may be called, and which weights it is. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing

CARD, CONFIG, WEIGHTS = "card.json", "config.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`name` of the network, `label` that must stand wherever it is chosen (empty: none), `digest` of its weights."""

    name: str
    label: str
    digest: str


def card_of(folder: Path) -> ModelCard:
    """Return the card of a model folder; a model without one has no label.

    NeedMissing if the folder holds no model, InputRefused for a file that is damaged.
    """
    if not (folder / CONFIG).is_file():
        raise NeedMissing(f"no region-token model in {folder}: expected {CONFIG}, {WEIGHTS} and tokenizer.json")
    content, card = _json(folder / CONFIG), _json(folder / CARD) if (folder / CARD).is_file() else {}
    try:
        digest = str(content["digests"][WEIGHTS])
        return ModelCard(str(content["config"]["name"]), str(card.get("label", "")), digest)
    except (KeyError, TypeError) as cause:
        raise InputRefused(f"{folder / CONFIG} is not that of a region-token model: {cause} is missing") from cause


def _json(path: Path) -> Any:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as cause:
        raise InputRefused(f"{path} is not JSON: {cause}") from cause
    if not isinstance(content, dict):
        raise InputRefused(f"{path} is not a table of names and values")
    return content
