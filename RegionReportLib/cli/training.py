"""The command that trains the region-token network: `regionreport train RECIPE`, alone or under `accelerate launch`."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import NeedMissing
from ..progress import finish
from .watch import run, tell


def train(arguments: argparse.Namespace) -> None:
    """Train what a recipe says, or go on with it, and name the folder of the model."""
    loop, recipes = _room("loop"), _room("recipe")
    recipe = recipes.read_recipe(arguments.recipe)
    place = loop.Place(arguments.output, arguments.cache, arguments.workers)
    alone = os.environ.get("RANK", "0") == "0"  # of several processes one speaks
    work = loop.train(recipe, place)
    folder: Path = run(work, arguments.json_progress) if alone else finish(work)
    if alone:
        tell(done=[str(folder)]) if arguments.json_progress else print(folder)


def _room(name: str) -> Any:
    """Return a module of the training room, whose packages are optional."""
    try:
        return import_module(f"RegionReportLib.train.{name}")
    except ModuleNotFoundError as cause:
        package = str(cause.name).partition(".")[0]
        raise NeedMissing(f"training needs the package {package}: pip install 'regionreport[model]'") from cause
