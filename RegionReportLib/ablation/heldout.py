"""Which patients are held out: their seeds, and that none of them taught the network."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputRefused
from ..model.card import CARD
from ..train.recipe import Data

_TRAINED_ON = re.compile(r"phantoms-(\d+)-")


def held_out(model: Path, first: int, count: int) -> Data:
    """Return how the test patients, the `count` seeds from `first` on, are to be made: as those of the training.

    The card of the model is believed: its `data` with the spans of seeds, shape and evenness, else the first seed in
    `trained_on` with the usual number; what it is silent about is as in a recipe that says nothing. InputRefused for
    seeds that were trained or validated on.
    """
    if count < 1 or first < 0:
        raise InputRefused(f"expected at least one patient and no negative seed, got {count} from {first}")
    told, usual = _card(model), Data()
    data = told["data"] if isinstance(told.get("data"), dict) else {}
    source = _TRAINED_ON.match(str(told.get("trained_on", "")))
    used = {
        "train": (int(source[1]), usual.train[1]) if source else usual.train,
        "validation": usual.validation,
    }
    used |= {name: (int(data[name][0]), int(data[name][1])) for name in used if name in data}
    for name, (start, length) in used.items():
        if start < first + count and first < start + length:
            raise InputRefused(
                f"seeds {first} to {first + count - 1} are not held out: {start} to {start + length - 1} are the seeds "
                f"of {name}"
            )
    shape = tuple(data.get("shape_kji", usual.shape_kji))
    return replace(usual, shape_kji=shape, evenness=float(data.get("evenness", usual.evenness)))


def _card(model: Path) -> dict[str, Any]:
    path = model / CARD
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as cause:
        raise InputRefused(f"{path} is not JSON: {cause}") from cause
    return content if isinstance(content, dict) else {}
