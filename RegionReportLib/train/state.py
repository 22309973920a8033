"""Where a training stands, on disk: whole at any moment, so that a killed run goes on from its last save."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from ..errors import InputRefused
from ..imaging.atomic import whole_file
from ..model.checkpoint import stored_tensors
from ..model.network import RegionReporter

STATE, FILE = "state", "training.json"


@dataclass(frozen=True, slots=True)
class Standing:
    """The number of the stage, the steps of it that are done, and the lowest validation loss of it so far.

    `recipe` is the digest of what is trained, `processes` how many work on it: with another number the next steps
    would not be those that were planned.
    """

    recipe: str
    processes: int
    stage: int = 0
    step: int = 0
    best: float | None = None


def save_state(accelerator: Any, folder: Path, standing: Standing) -> None:
    """Save weights, optimiser and random numbers of all processes, then make them the ones to go on from."""
    fresh, last, gone = (folder / f"{STATE}{ending}" for ending in (".new", "", ".old"))
    if accelerator.is_main_process:
        shutil.rmtree(fresh, ignore_errors=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(fresh), safe_serialization=False)
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (fresh / FILE).write_text(json.dumps(asdict(standing)), encoding="utf-8")
        shutil.rmtree(gone, ignore_errors=True)
        if last.exists():
            last.rename(gone)
        fresh.rename(last)
        shutil.rmtree(gone, ignore_errors=True)
    accelerator.wait_for_everyone()


def last_state(folder: Path, recipe: str, processes: int) -> tuple[Path, Standing] | None:
    """Return where the run in `folder` can go on, None if it has not begun.

    InputRefused if it trains something else.
    """
    for path in (folder / STATE, folder / f"{STATE}.old"):  # killed between two renames, only the older one is there
        if (path / FILE).is_file():
            standing = Standing(**json.loads((path / FILE).read_text(encoding="utf-8")))
            if standing.recipe != recipe:
                raise InputRefused(f"{folder} holds the training of another recipe; choose another folder")
            if standing.processes != processes:
                raise InputRefused(
                    f"{folder} was begun by {standing.processes} processes and cannot go on with {processes}"
                )
            return path, standing
    return None


def keep_weights(network: RegionReporter, file: Path) -> None:
    """Write the weights that a checkpoint of the network would hold."""
    with whole_file(file) as opened:
        opened.write(save({name: value.cpu().contiguous() for name, value in stored_tensors(network).items()}))


@torch.no_grad()
def take_weights(network: RegionReporter, file: Path) -> None:
    """Give the network the weights of `keep_weights`."""
    kept = load_file(file)
    for name, value in stored_tensors(network).items():
        value.copy_(kept[name])
