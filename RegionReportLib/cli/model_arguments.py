"""The words of `regionreport models` and what stands behind it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..model.catalogue import MODELS

Later = Callable[[str], Callable[[argparse.Namespace], None]]


def add_model_arguments(models: argparse.ArgumentParser, later: Later) -> None:
    """Add the acts of `models`; `later` imports their functions when one is called. Without an act it lists."""
    models.add_argument("--json", action="store_true", help="the list as JSON")
    acts = models.add_subparsers(title="what to do (default: list)", metavar="ACT")
    names = tuple(model.name for model in MODELS)

    fetch = acts.add_parser("fetch", help="fetch a model, after saying size, place and licence, and asking")
    fetch.add_argument("name", choices=names)
    fetch.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="take the files there, no network")
    fetch.add_argument("--yes", action="store_true", help="fetch without asking")
    fetch.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
    fetch.set_defaults(run=later("models:fetch"))

    check = acts.add_parser("check", help="look whether a folder holds a model that can be opened")
    check.add_argument("folder", type=Path, metavar="FOLDER")
    check.add_argument("--json-progress", action="store_true", help="progress as JSON lines on standard output")
    check.set_defaults(run=later("models:check"))

    remove = acts.add_parser("remove", help="delete a model from the models folder, after asking")
    remove.add_argument("name", choices=names)
    remove.add_argument("--yes", action="store_true", help="delete without asking")
    remove.set_defaults(run=later("models:remove"))
