"""Edits as JSON values and back, without loss; reading refuses what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias

from ..anatomy.regions import Side, Zone
from ..errors import InputRefused
from ..imaging.box import Box
from .edits import EDIT_KINDS, Edit, FlagKey
from .json_form import (
    Json,
    anchor_from_dict,
    anchor_to_dict,
    flag_from_dict,
    flag_to_dict,
    sentence_from_dict,
    sentence_to_dict,
)
from .phrase import Span
from .sentence import Polarity

_Way: TypeAlias = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def edit_to_dict(edit: Edit) -> Json:
    """Return an edit as JSON values; `kind` names it."""
    value: Json = {"kind": edit.kind}
    for field in fields(edit):
        write, _ = _WAYS[field.name]
        content = getattr(edit, field.name)
        value[_NAMES.get(field.name, field.name)] = None if content is None else write(content)
    return value


def edit_from_dict(value: object) -> Edit:
    """Read an edit from JSON values; InputRefused names what does not fit."""
    if not isinstance(value, dict) or not isinstance(kind := value.get("kind"), str) or kind not in EDIT_KINDS:
        raise InputRefused(f"not an edit: expected a kind of {', '.join(EDIT_KINDS)}, got {value!r:.80}")
    cls: type[Any] = EDIT_KINDS[kind]
    names = {_NAMES.get(field.name, field.name): field for field in fields(cls)}
    if set(value) != {"kind", *names}:
        raise InputRefused(f"edit {kind}: expected the keys {sorted(names)}, got {sorted(set(value) - {'kind'})}")
    try:
        found = {field.name: _read(field.name, value[name], str(field.type)) for name, field in names.items()}
        edit: Edit = cls(**found)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as cause:
        raise InputRefused(f"edit {kind} does not fit: {cause!r:.200}") from cause
    # What is read must be what was written: nothing added, dropped or turned into another type on the way.
    if edit_to_dict(edit) != value:
        raise InputRefused(f"edit {kind} does not fit its own form")
    return edit


def _read(name: str, content: object, annotation: str) -> Any:
    if content is None:
        if not annotation.endswith("| None"):
            raise ValueError(f"{name} must not be null")
        return None
    return _WAYS[name][1](content)


def _same(content: Any) -> Any:
    return content


def _text(content: object) -> str:
    if not isinstance(content, str):
        raise TypeError(f"expected text, got {content!r:.40}")
    return content


def _texts(content: list[object]) -> tuple[str, ...]:
    if not isinstance(content, list):
        raise TypeError(f"expected a list of texts, got {content!r:.40}")
    return tuple(_text(one) for one in content)


def _truth(content: object) -> bool:
    if not isinstance(content, bool):
        raise TypeError(f"expected true or false, got {content!r:.40}")
    return content


def _count(content: object) -> int:
    if not isinstance(content, int) or isinstance(content, bool):
        raise TypeError(f"expected a whole number, got {content!r:.40}")
    return content


def _span(content: list[object]) -> Span:
    start, stop = content
    return _count(start), _count(stop)


def _box(content: list[list[float]]) -> Box:
    (x0, y0, z0), (x1, y1, z1) = content
    return Box((x0, y0, z0), (x1, y1, z1))


def _flag_key(content: list[Any]) -> FlagKey:
    kind, message, sentence_ids, measurement_ids = content
    return _text(kind), _text(message), _texts(sentence_ids), _texts(measurement_ids)


def _name(content: Side | Zone | Polarity) -> str:
    return str(content.value)


def _each(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> _Way:
    return lambda many: [write(one) for one in many], lambda many: tuple(read(one) for one in many)


# How each field of an edit is written and read; the names mean the same in all edits.
_WAYS: dict[str, _Way] = {
    "sentence_id": (_same, _text),
    "new_id": (_same, _text),
    "before": (_same, _text),
    "text": (_same, _text),
    "reason": (_same, _text),
    "writer": (_same, _text),
    "model": (_same, _text),
    "seed": (_same, _count),
    "region_id": (_same, _text),
    "structure": (_same, _text),
    "sentence_ids": (list, _texts),
    "regions": (list, _texts),
    "order": (list, _texts),
    "at": (_same, _count),
    "keep": (_same, _truth),
    "key_phrase": (list, _span),
    "polarity": (_name, Polarity),
    "side": (_name, Side),
    "zone": (_name, Zone),
    "box": (lambda box: [list(box.min_mm), list(box.max_mm)], _box),
    "flag": (lambda key: [key[0], key[1], list(key[2]), list(key[3])], _flag_key),
    "anchors": _each(anchor_to_dict, anchor_from_dict),
    "sentences": _each(sentence_to_dict, sentence_from_dict),
    "flags": _each(flag_to_dict, flag_from_dict),
}
_NAMES = {"region_id": "region", "box": "box_ras_mm"}
