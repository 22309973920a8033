"""Segmenters by the name a user chooses them with."""

from __future__ import annotations

from .backend import Segmenter

SEGMENTERS = ("classical",)


def segmenter(name: str) -> Segmenter:
    """Return a segmenter by name; ValueError names the known ones."""
    if name == "classical":
        from .classical import ClassicalSegmenter

        return ClassicalSegmenter()
    raise ValueError(f"unknown segmenter {name!r}, known are {', '.join(SEGMENTERS)}")
