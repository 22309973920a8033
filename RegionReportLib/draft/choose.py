"""Writers by the name a user chooses them with."""

from __future__ import annotations

from .writer import Writer

WRITERS = ("measured",)


def writer(name: str) -> Writer:
    """Return a writer by name; ValueError names the known ones."""
    if name == "measured":
        from .measured_writer import MeasuredWriter

        return MeasuredWriter()
    raise ValueError(f"unknown writer {name!r}, known are {', '.join(WRITERS)}")
