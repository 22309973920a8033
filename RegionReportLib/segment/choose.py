"""Segmenters by the name a user chooses them with, what each of them lacks here, and which is best."""

from __future__ import annotations

import os
import sys

from ..errors import NeedMissing
from .backend import Segmenter

SEGMENTERS = ("classical", "totalsegmentator", "totalsegmentator-fast")
PYTHON_VARIABLE = "REGIONREPORT_TOTALSEGMENTATOR_PYTHON"
"""Names the Python that TotalSegmentator is installed in, if it is another one than this."""


def segmenter(name: str) -> Segmenter:
    """Return a segmenter by name; ValueError names the known ones."""
    if name == "classical":
        from .classical import ClassicalSegmenter

        return ClassicalSegmenter()
    if name in SEGMENTERS:
        from .total_segmentator import TotalSegmentator

        python = os.environ.get(PYTHON_VARIABLE) or sys.executable
        return TotalSegmentator(fast=name.endswith("-fast"), python=python)
    raise ValueError(f"unknown segmenter {name!r}, known are {', '.join(SEGMENTERS)}")


def lacking(name: str) -> str:
    """Return what keeps a segmenter from running on this machine, empty if nothing does."""
    chosen = segmenter(name)
    try:
        chosen.check()
    except NeedMissing as reason:
        return str(reason)
    return ""


def best(gpu: bool) -> str:
    """Return the name of the best segmenter that can run here; without a GPU the learned ones take many minutes."""
    learned = SEGMENTERS[1:] if gpu else ()
    return next((name for name in learned if not lacking(name)), "classical")
