"""Messages as lines and back: one JSON object per line, checked field by field when it is read.

The form follows from the dataclasses of `messages`, so that file alone decides what crosses the border.
"""

from __future__ import annotations

import json
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from . import messages
from .messages import FromWorker, Message, ToWorker

_HINTS = {name: get_type_hints(kind) for name, kind in vars(messages).items() if is_dataclass(kind)}


class NotAMessage(ValueError):
    """A line is no message of this protocol; the text says why."""


def to_line(message: Message) -> bytes:
    """Return the message as one line with its end; ASCII, whatever the texts and paths hold."""
    return json.dumps(_plain(message), allow_nan=False).encode("ascii") + b"\n"


def from_worker(line: bytes) -> FromWorker:
    """Read a line that the worker wrote; NotAMessage says why it is none."""
    message = _read_line(line)
    if not isinstance(message, get_args(FromWorker)):
        raise NotAMessage(f"a {type(message).__name__} does not come from a worker")
    return message  # type: ignore[no-any-return]


def to_worker(line: bytes) -> ToWorker:
    """Read a line that a client wrote; NotAMessage says why it is none."""
    message = _read_line(line)
    if not isinstance(message, get_args(ToWorker)):
        raise NotAMessage(f"a {type(message).__name__} does not go to a worker")
    return message  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {"type": type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _read_line(line: bytes) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotAMessage(f"no JSON: {line[:80]!r}") from error
    name = value.get("type") if isinstance(value, dict) else None
    kinds = {kind.__name__: kind for kind in get_args(Message)}
    if not isinstance(name, str) or name not in kinds:
        raise NotAMessage(f"no known type of message: {line[:80]!r}")
    return _read(kinds[name], value, name)


def _read(hint: Any, value: Any, where: str) -> Any:
    """Return `value` as the type that `hint` asks for."""
    if hint is Any:
        return value
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return _read_one_of(parts, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(parts[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: _read(parts[1], item, f"{where}.{key}") for key, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return _read_fields(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum) and isinstance(value, str):
        return _read_enum(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise NotAMessage(f"{where} should be {getattr(hint, '__name__', hint)}, got {value!r:.80}")


def _read_one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    for kind in kinds:
        try:
            return _read(kind, value, where)
        except NotAMessage:
            continue
    raise NotAMessage(f"{where} is none of the kinds allowed there: {value!r:.80}")


def _read_fields(kind: type[Any], value: Any, where: str) -> Any:
    hints = _HINTS[kind.__name__]
    if not isinstance(value, dict) or value.get("type") != kind.__name__ or set(value) - {"type"} != set(hints):
        raise NotAMessage(f"{where} should be a {kind.__name__} with {', '.join(hints) or 'no fields'}")
    return kind(**{name: _read(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})


def _read_enum(kind: type[Enum], value: str, where: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        raise NotAMessage(f"{where} is none of {', '.join(str(k.value) for k in kind)}: {value!r:.80}") from error
