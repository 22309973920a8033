"""The training itself: stages in turn, over accelerate, on one device or many; it can be killed and taken up again."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed
from torch import Tensor

from ..anatomy.regions import region
from ..imaging.atomic import whole_file
from ..model import checkpoint
from ..model.build import build
from ..model.card import CARD
from ..model.config import ModelConfig
from ..model.network import RegionReporter
from ..progress import Progress, Work, part
from . import record
from .batches import Order, Share, batches
from .calibration import Calibrated, calibrate
from .example import Showing
from .finding_losses import labels_of
from .objective import Objective
from .recipe import Recipe, Stage
from .sources import Sources, Vocabulary, prepare, sources_of, vocabulary
from .state import Standing, keep_weights, last_state, save_state, take_weights

MODEL, CASES = "model", "cases"
_STORED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a training works: `folder` for its results, `cache` for its cases (None: in the folder), and how many
    `workers` make and read cases ahead (0: none)."""

    folder: Path
    cache: Path | None = None
    workers: int = 0

    @property
    def cases(self) -> Path:
        """The folder of the cases."""
        return self.cache or self.folder / CASES


def train(
    recipe: Recipe, place: Place, *, config: ModelConfig | None = None, sources: Sources | None = None
) -> Work[Path]:
    """Train what `recipe` says, or go on where the last run in the folder stopped; return the folder of the model.

    Under `accelerate launch` every process calls this. `config` and `sources` replace those of the recipe. InputRefused
    if the folder holds another training or a batch cannot be divided among the processes.
    """
    config = config or recipe.config
    accelerator = Accelerator(
        cpu=not torch.accelerator.is_available(),  # said, because else several processes on CPUs do not find each other
        mixed_precision=recipe.precision,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    place.folder.mkdir(parents=True, exist_ok=True)
    begun = last_state(place.folder, recipe.digest, accelerator.num_processes)
    sources = sources or sources_of(recipe, config, place.cases)
    share = Share(accelerator.process_index, accelerator.num_processes)
    yield from part(prepare(sources.train, recipe.data.vocabulary_cases, share, place.workers), 0.0, 0.08)
    yield from part(prepare(sources.validation, recipe.data.validation_cases, share, place.workers), 0.08, 0.1)
    accelerator.wait_for_everyone()
    words = yield from part(vocabulary(sources.train, recipe.data.vocabulary_cases), 0.1, 0.12)
    yield Progress(0.12, "building the network")
    set_seed(recipe.seed, device_specific=True)
    names = tuple(region(region_id).name for region_id in config.regions)  # each text begins with one
    labels = labels_of(words.sentences)
    config = replace(config, findings=labels.kinds)
    network = build(config, folders=recipe.folders, words=(*names, *words.texts), seed=recipe.seed)
    run = _Run(recipe, place, sources, words, accelerator, Objective(network, labels))
    yield from part(run.stages(begun), 0.12, 0.98)
    return (yield from part(run.finish(), 0.98, 1.0))


class _Run:
    """One process's part of a training."""

    def __init__(
        self,
        recipe: Recipe,
        place: Place,
        sources: Sources,
        words: Vocabulary,
        accelerator: Accelerator,
        objective: Objective,
    ) -> None:
        self.recipe, self.place, self.sources, self.words = recipe, place, sources, words
        self.accelerator: Any = accelerator
        self.objective = objective
        self.share = Share(accelerator.process_index, accelerator.num_processes)
        self.standing = Standing(recipe.digest, accelerator.num_processes)
        # What the network itself leaves free to learn: not what is frozen, nor the words beneath adapters.
        self.free = frozenset(name for name, weight in self.network.named_parameters() if weight.requires_grad)

    @property
    def network(self) -> RegionReporter:
        return self.objective.network

    def stages(self, begun: tuple[Path, Standing] | None) -> Work[None]:
        """Run all stages from where the training stands."""
        if begun is not None:
            self.standing = begun[1]
        if self.accelerator.is_main_process:
            record.cut_back(self.place.folder, self.standing.stage, self.standing.step)
        first, count = self.standing.stage, len(self.recipe.stages)
        for number in range(first, count):
            state = begun[0] if begun is not None and number == first else None
            yield from part(self._stage(number, state), number / count, (number + 1) / count)

    def _stage(self, number: int, state: Path | None) -> Work[None]:
        stage = self.recipe.stages[number]
        model, optimiser = self._ready(stage)
        if state is not None:
            self.accelerator.load_state(str(state))
        else:
            self.standing = replace(self.standing, stage=number, step=0, best=None)
        order = self._order(stage, number)
        steps = batches(order, self.standing.step, stage.steps, self.share, self.place.workers)
        yield Progress(self.standing.step / stage.steps, f"{stage.name}: reading the first cases")
        for examples in steps:
            start, step = time.perf_counter(), self.standing.step + 1
            losses = self._step(stage, model, optimiser, examples)
            self.standing = replace(self.standing, step=step)
            self._log(stage, "train", losses, seconds=time.perf_counter() - start)
            yield Progress(step / stage.steps, f"{stage.name}: step {step} of {stage.steps}, loss {losses['loss']:.3f}")
            last = step == stage.steps
            if last or step % stage.validate_every == 0:
                yield from self._validate(stage, number, model)
            if last or step % stage.save_every == 0:
                save_state(self.accelerator, self.place.folder, self.standing)
        self.accelerator.wait_for_everyone()  # until the best weights are written whole
        take_weights(self.network, self.place.folder / f"best-{stage.name}.safetensors")

    def _ready(self, stage: Stage) -> tuple[Any, Any]:
        """Return model and optimiser of a stage, wrapped for this and other processes."""
        for name, weight in self.network.named_parameters():
            weight.requires_grad_(name in self.free and name.startswith(stage.parts or ""))
        if self.objective.findings is not None:
            self.objective.findings.requires_grad_("findings" in stage.losses)
        learning = [weight for weight in self.objective.parameters() if weight.requires_grad]
        if not learning:
            raise ValueError(f"stage {stage.name!r} changes no weight: its parts are {stage.parts}")
        optimiser = torch.optim.AdamW(
            learning, lr=stage.learning_rate, betas=(0.9, 0.95), weight_decay=stage.weight_decay
        )
        self.accelerator.free_memory()
        model, prepared = self.accelerator.prepare(self.objective, optimiser)
        return model, prepared

    def _order(self, stage: Stage, number: int) -> Order:
        showing = Showing(True, stage.false_boxes, stage.hidden, stage.normals)
        return Order(self.sources.train, self.words.sentences, showing, stage.batch, (self.recipe.seed, number))

    def _step(self, stage: Stage, model: Any, optimiser: Any, examples: list[Any]) -> dict[str, float]:
        rate = learning_rate(stage, self.standing.step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        model.train()
        losses = model(examples, stage)
        total = weighted(losses, stage)
        self.accelerator.backward(total)
        self.accelerator.clip_grad_norm_(model.parameters(), stage.clip)
        optimiser.step()
        optimiser.zero_grad()
        return self._means({"loss": total, **losses})

    def _validate(self, stage: Stage, number: int, model: Any) -> Work[None]:
        """Look at the validation cases, record the mean losses, and keep the weights if they are the best so far."""
        showing = Showing(False, stage.false_boxes, normals=stage.normals)
        source = self.sources.validation
        order = Order(source, self.words.sentences, showing, stage.batch, (self.recipe.seed + 1, number))
        count = max(1, min(self.recipe.data.validation_cases, len(source)) // stage.batch)
        model.eval()
        sums: dict[str, float] = {}
        for step, examples in enumerate(batches(order, 0, count, self.share, workers=0)):  # they are made already
            yield Progress(self.standing.step / stage.steps, f"{stage.name}: validation {step + 1} of {count}")
            with torch.no_grad():
                losses = model(examples, stage)
                means = self._means({"loss": weighted(losses, stage), **losses})
            sums = {name: sums.get(name, 0.0) + value / count for name, value in means.items()}
        self._log(stage, "validation", sums)
        if self.standing.best is None or sums["loss"] < self.standing.best:
            self.standing = replace(self.standing, best=sums["loss"])
            if self.accelerator.is_main_process:
                keep_weights(self.network, self.place.folder / f"best-{stage.name}.safetensors")

    def _means(self, losses: dict[str, Tensor]) -> dict[str, float]:
        return {name: float(self.accelerator.reduce(x.detach().float(), "mean")) for name, x in losses.items()}

    def _log(self, stage: Stage, kind: str, losses: dict[str, float], **more: float) -> None:
        if self.accelerator.is_main_process:
            where = {"stage": stage.name, "stage_number": self.standing.stage, "step": self.standing.step, "kind": kind}
            record.append(self.place.folder, {**where, **losses, **more})

    def finish(self) -> Work[Path]:
        """Calibrate the support score, write the model with its card and return its folder."""
        folder = self.place.folder / MODEL
        if self.accelerator.is_main_process:
            calibrated = yield from self._calibrated()
            digest = checkpoint.save(self.network, folder, _STORED[self.recipe.stored])
            card = {
                "label": self.recipe.label,
                "recipe": self.recipe.name,
                "digest": digest,
                "trained_on": self.sources.train.name,
                "data": asdict(self.recipe.data),
                "validation": self._best_validations(),
                "support": asdict(calibrated) if calibrated is not None else None,
            }
            with whole_file(folder / CARD) as file:
                file.write((json.dumps(card, indent=1) + "\n").encode())
        self.accelerator.wait_for_everyone()
        return folder

    def _calibrated(self) -> Work[Calibrated | None]:
        """Calibrate the support score on the validation cases; None if it is not there or nobody knows what is true."""
        if self.network.support_score is None or not any(sentence.topics for sentence in self.words.sentences):
            return None
        count = min(self.recipe.data.validation_cases, len(self.sources.validation))
        cases = [self.sources.validation.case(number) for number in range(count)]
        return (yield from calibrate(self.network, cases, self.words.sentences, self.recipe.seed))

    def _best_validations(self) -> dict[str, Any]:
        best: dict[str, Any] = {}
        for look in (line for line in record.read(self.place.folder) if line["kind"] == "validation"):
            if look["stage"] not in best or look["loss"] < best[look["stage"]]["loss"]:
                best[look["stage"]] = look
        return best


def weighted(losses: dict[str, Tensor], stage: Stage) -> Tensor:
    """Return the sum of losses by the stage's weights."""
    return torch.stack([stage.losses[name] * loss for name, loss in losses.items()]).sum()


def learning_rate(stage: Stage, step: int) -> float:
    """Return the rate at a step, from 0: up in a line during the warm-up, then down to a tenth along a cosine."""
    if step < stage.warm_up:
        return stage.learning_rate * (step + 1) / stage.warm_up
    done = (step - stage.warm_up) / max(1, stage.steps - stage.warm_up)
    return stage.learning_rate * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2)
