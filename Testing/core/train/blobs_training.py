"""A training of the tests' small network as a program of its own, to be launched, shared among processes and killed.

python blobs_training.py FOLDER [--workers N] [--no-dropout]
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conftest import Blobs, tiny_config

from RegionReportLib.progress import finish
from RegionReportLib.train.loop import Place, train
from RegionReportLib.train.recipe import Data, Recipe, Stage
from RegionReportLib.train.sources import Sources

RECIPE = Recipe(
    "shared",
    (
        Stage(
            "all",
            8,
            {
                "contrast": 1.0,
                "support": 1.0,
                "findings": 1.0,
                "places": 1.0,
                "writing": 1.0,
                "plan": 1.0,
                "boxes": 1.0,
            },
            batch=4,
            learning_rate=3e-3,
            warm_up=2,
            validate_every=4,
            save_every=2,
        ),
    ),
    data=Data(vocabulary_cases=4, validation_cases=4),
)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--no-dropout", action="store_true")
    given = parser.parse_args()
    config = tiny_config()
    if given.no_dropout:  # what is left out by chance differs with the number of processes
        still = {**config.structure.text.settings, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        text = replace(config.structure.text, settings=still)
        config = replace(config, structure=replace(config.structure, text=text))
    sources = Sources(Blobs(12), Blobs(4, first=500))
    finish(train(RECIPE, Place(given.folder, workers=given.workers), config=config, sources=sources))
