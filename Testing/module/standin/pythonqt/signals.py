"""Connections by PythonQt's rules: signals named by strings, arguments cut to what the callable declares.

Stricter than PythonQt in two ways: a wrong signal raises (PythonQt prints and returns False), and an exception in a
slot is kept for the test (PythonQt prints and drops it).
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from . import problems

_qt_connect = QtCore.QObject.connect
_qt_disconnect = QtCore.QObject.disconnect


class Relay:
    """Calls a Python function for a signal."""

    def __init__(self, slot: Callable[..., Any]) -> None:
        self.slot = slot
        self._count = accepted(slot)

    def __call__(self, *arguments: Any) -> None:
        given = arguments if self._count is None else arguments[: self._count]
        try:
            self.slot(*(tuple(one) if isinstance(one, list) else one for one in given))
        except Exception as error:
            problems.record(error)


class Signal:
    """A signal of one object: `connect`, `disconnect`, `emit`, or call it."""

    def __init__(self, owner: Any, original: Any, name: str) -> None:
        self._owner, self._original, self._name = owner, original, name

    def connect(self, slot: Any, method: str | None = None) -> bool:
        """Connect to a callable; the overload with the most arguments counts, several raise."""
        return connect(self._owner, self._signature(), slot, *(() if method is None else (method,)))

    def disconnect(self, slot: Any = None) -> bool:
        return disconnect(self._owner, self._signature(), slot)

    def emit(self, *arguments: Any) -> None:
        signal = self._original.__get__(self._owner, type(self._owner))
        if arguments:
            signal = signal[self._signature().partition("(")[2][:-1]]
        signal.emit(*arguments)

    __call__ = emit

    def _signature(self) -> str:
        found = [one for one in signatures(self._owner) if one.partition("(")[0] == self._name]
        # Qt lists a signal with default arguments once for each number of them; they are one signal.
        longest = max(found, key=lambda one: one.count(",") + (not one.endswith("()")))
        stem = longest[:-1]
        if any(not stem.startswith(one[:-1]) for one in found):
            raise TypeError(f"{self._name} has overloads {found}: connect by its signature")
        return longest


class SignalAttribute:
    """A data descriptor over one signal; on the class it stays PySide6's."""

    def __init__(self, original: Any, name: str) -> None:
        self.original, self._name = original, name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self.original if instance is None else Signal(instance, self.original, self._name)

    def __set__(self, instance: Any, value: Any) -> None:
        if type(value) is QtCore.SignalInstance:
            return  # PySide6 wants to keep it on the object
        raise AttributeError(f"{self._name} is a signal of {type(instance).__name__}")


# owner (weak), signature, slot, relay
_CONNECTIONS: list[tuple[weakref.ref[Any], str, Any, Relay]] = []


def connect(owner: Any, signal: str, slot: Any, method: str | None = None) -> bool:
    """Connect `signal` such as "clicked(bool)" of `owner` to a callable, or to a slot "name(...)" of an object."""
    if isinstance(signal, QtCore.QObject):  # PySide6's own singleShot calls the static form by the timer
        return bool(_qt_connect(signal, slot, method))
    if isinstance(slot, QtCore.QObject) and isinstance(method, str):
        slot = getattr(slot, method.partition("(")[0])
    if not callable(slot):
        raise TypeError(f"{slot!r} cannot be called")
    python = _python_signals(owner)
    signature = _normalized(signal)
    if signature in python:
        relay = Relay(slot)
        python[signature].append(relay)
    else:
        if signature not in signatures(owner):
            raise ValueError(f"{_kind(owner)} has no signal {signal}; it has {sorted({*signatures(owner), *python})}")
        relay = Relay(slot)
        _qt_connect(owner, QtCore.SIGNAL(signature), relay)
    _CONNECTIONS[:] = [one for one in _CONNECTIONS if one[0]() is not None]
    _CONNECTIONS.append((weakref.ref(owner), signature, slot, relay))
    return True


def disconnect(owner: Any, signal: str | None = None, slot: Any = None, method: str | None = None) -> bool:
    """Undo `connect`; False if there was no such connection."""
    if isinstance(slot, QtCore.QObject) and isinstance(method, str):
        slot = getattr(slot, method.partition("(")[0])
    signature = None if signal is None else _normalized(signal)
    if signature is not None and signature not in _python_signals(owner) and signature not in signatures(owner):
        raise ValueError(f"{_kind(owner)} has no signal {signal}")
    found = [
        one
        for one in _CONNECTIONS
        if one[0]() is owner and signature in (None, one[1]) and (slot is None or one[2] == slot)
    ]
    for one in found:
        _CONNECTIONS.remove(one)
        if one[1] in _python_signals(owner):
            _python_signals(owner)[one[1]].remove(one[3])
        else:
            _qt_disconnect(owner, QtCore.SIGNAL(one[1]), one[3])
    return bool(found)


def connections(owner: Any) -> list[tuple[str, Any]]:
    """Return signal and callable of the connections that Python code made; for tests."""
    return [(signature, slot) for ref, signature, slot, _ in _CONNECTIONS if ref() is owner]


def emit(owner: Any, signature: str, *arguments: Any) -> None:
    """Emit a signal that exists in Python only, because its arguments are VTK objects."""
    for relay in tuple(_python_signals(owner)[_normalized(signature)]):
        relay(*arguments)


def signatures(owner: Any) -> set[str]:
    """Return the signatures of all signals of a Qt object."""
    meta = owner.metaObject()
    methods = (meta.method(n) for n in range(meta.methodCount()))
    kind = QtCore.QMetaMethod.MethodType.Signal
    return {bytes(one.methodSignature().data()).decode() for one in methods if one.methodType() == kind}


def accepted(slot: Callable[..., Any]) -> int | None:
    """Return how many arguments PythonQt would pass: parameters with defaults count; None for all of them."""
    if inspect.ismethod(slot):
        return None if _variadic(slot.__func__) else slot.__func__.__code__.co_argcount - 1
    if inspect.isfunction(slot):
        return None if _variadic(slot) else slot.__code__.co_argcount
    # Qt's own methods take what they declare; everything else (partial, callable objects) is given all.
    return 0 if inspect.isbuiltin(slot) else None


def _variadic(function: Any) -> bool:
    return bool(function.__code__.co_flags & inspect.CO_VARARGS)


def _python_signals(owner: Any) -> dict[str, list[Relay]]:
    names = getattr(type(owner), "PYTHON_SIGNALS", ())
    return owner.__dict__.setdefault("_signals", {_normalized(one): [] for one in names}) if names else {}


def _normalized(signal: str) -> str:
    return bytes(QtCore.QMetaObject.normalizedSignature(signal).data()).decode()


def _kind(owner: Any) -> str:
    return str(owner.metaObject().className())
