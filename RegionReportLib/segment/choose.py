"""Segmenters by the name a user chooses them with, what each of them lacks here, and which is best."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import RegionReportError
from ..places import models_home
from .backend import Segmenter

SEGMENTERS = ("classical", "totalsegmentator", "totalsegmentator-fast", "monai-bundle")
BUNDLE_VARIABLE = "REGIONREPORT_MONAI_BUNDLE"
"""Names the folder of the bundle that `monai-bundle` runs, if it is not `monai-bundle` in the models folder."""
PYTHON_VARIABLE = "REGIONREPORT_TOTALSEGMENTATOR_PYTHON"
"""Names the Python that TotalSegmentator is installed in, if it is another one than this."""


_BUNDLE = "monai-bundle"


def checked_name(name: str) -> str:
    """Return the name of a segmenter as it came; ValueError names the known ones. Nothing is imported for it."""
    if name in SEGMENTERS or (name.startswith(f"{_BUNDLE}:") and name != f"{_BUNDLE}:"):
        return name
    raise ValueError(f"unknown segmenter {name!r}, known are {', '.join(SEGMENTERS)}, {_BUNDLE}:FOLDER")


def segmenter(name: str) -> Segmenter:
    """Return a segmenter by name; ValueError names the known ones.

    `monai-bundle:FOLDER` is the bundle in that folder.
    """
    kind, _, folder = checked_name(name).partition(":")
    if kind == "classical":
        from .classical import ClassicalSegmenter

        return ClassicalSegmenter()
    if kind == _BUNDLE:
        from .monai_bundle import MonaiBundle

        chosen = folder or os.environ.get(BUNDLE_VARIABLE)
        return MonaiBundle(Path(chosen).expanduser() if chosen else models_home() / _BUNDLE)
    from .total_segmentator import TotalSegmentator

    python = os.environ.get(PYTHON_VARIABLE) or sys.executable
    return TotalSegmentator(fast=name.endswith("-fast"), python=python)


def lacking(name: str) -> str:
    """Return what keeps a segmenter from running on this machine, empty if nothing does."""
    chosen = segmenter(name)
    try:
        chosen.check()
    except RegionReportError as reason:
        return str(reason)
    return ""


def best(gpu: bool) -> str:
    """Return the name of the best segmenter that can run here; without a GPU the learned ones take many minutes."""
    learned = SEGMENTERS[1:] if gpu else ()
    return next((name for name in learned if not lacking(name)), "classical")
