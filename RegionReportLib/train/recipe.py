"""What to train and on what, as one frozen value read from a small TOML or JSON file.

A recipe, the version of the program and the number of processes give the same losses again. Stages run in their order;
each says which losses it follows and which parts of the network it changes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import InputRefused, NeedMissing
from ..model.build import Folders, config_of
from ..model.config import ModelConfig, Parts, SliceChoice

LOSSES = ("contrast", "support", "findings", "places", "writing", "plan", "boxes")


@dataclass(frozen=True, slots=True)
class Stage:
    """A run over `steps` batches of `batch` studies with the `losses`, each with its weight.

    `parts` are the beginnings of the names of the weights that learn, empty for all. The rate climbs for `warm_up`
    steps and falls to a tenth along a cosine. `false_boxes` is the share of studies into whose text a false sentence
    with a box is put, so that the box head learns to find nothing; only for stages without the loss of writing.
    `hidden` is the share of studies of which about half of the parts is hidden from the language model: it learns to
    write from any of them, so that one network shows what each is worth. What a report says of findings is little
    beside how it may be worded: `affirmed` is the weight of the words that affirm one, `normals` the share of the other
    sentences that is shown (at least one of each region).
    """

    name: str
    steps: int
    losses: dict[str, float]
    batch: int = 4
    learning_rate: float = 3e-4
    warm_up: int = 20
    parts: tuple[str, ...] = ()
    weight_decay: float = 0.01
    clip: float = 1.0
    box_weight: float = 2.0
    false_boxes: float = 0.0
    hidden: float = 0.0
    affirmed: float = 1.0
    normals: float = 1.0
    validate_every: int = 100
    save_every: int = 100

    def __post_init__(self) -> None:
        unknown = set(self.losses) - set(LOSSES)
        if unknown or not self.losses:
            raise ValueError(f"stage {self.name!r}: losses are {', '.join(LOSSES)}, got {sorted(self.losses)}")
        if min(self.steps, self.batch, self.validate_every, self.save_every) < 1:
            raise ValueError(f"stage {self.name!r}: steps, batch and the two intervals must be positive")
        if self.false_boxes and "writing" in self.losses:
            raise ValueError(f"stage {self.name!r}: a stage that learns to write must not be shown false sentences")


@dataclass(frozen=True, slots=True)
class Data:
    """Where cases come from: `phantoms` by seeds, or a `folder` of the layout of RadGenome-Chest CT.

    `train`, `validation` and `test` are, of phantoms, the first seed and the number of seeds. `validation_cases` bounds
    what is looked at while training. `wordings` is how many reports are kept of each phantom.
    """

    source: str = "phantoms"
    folder: str = ""
    train: tuple[int, int] = (1_000_000, 2000)
    validation: tuple[int, int] = (2_000_000, 64)
    test: tuple[int, int] = (3_000_000, 300)
    shape_kji: tuple[int, int, int] = (96, 128, 128)
    evenness: float = 0.5
    wordings: int = 4
    validation_cases: int = 32
    vocabulary_cases: int = 200

    def __post_init__(self) -> None:
        if self.source not in ("phantoms", "radgenome"):
            raise ValueError(f"source must be phantoms or radgenome, got {self.source!r}")
        if self.source == "radgenome" and not self.folder:
            raise ValueError("the source radgenome needs a folder")
        spans = sorted((self.train, self.validation, self.test))
        if any(first + count > following for (first, count), (following, _) in itertools.pairwise(spans)):
            raise ValueError(f"train, validation and test share seeds: {self.train}, {self.validation}, {self.test}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a training depends on.

    `preset` names the network, `without` the parts of it that are switched off (`even_slices` shows evenly spaced
    slices instead of R²). `vision`, `language` and `text` are local folders of pretrained networks. `precision` is
    that of accelerate (no, bf16, fp16), `stored` that of the finished model's weights (fp32, bf16, fp16). `label` is
    what a model trained so must be called wherever it is chosen.
    """

    name: str
    stages: tuple[Stage, ...]
    preset: str = "demo"
    seed: int = 0
    data: Data = field(default_factory=Data)
    without: tuple[str, ...] = ()
    vision: str = ""
    language: str = ""
    text: str = ""
    precision: str = "no"
    stored: str = "fp32"
    label: str = ""

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"a recipe needs stages with names of their own, got {names}")
        if self.precision not in ("no", "bf16", "fp16"):
            raise ValueError(f"precision must be no, bf16 or fp16, got {self.precision!r}")
        if self.stored not in ("fp32", "bf16", "fp16"):
            raise ValueError(f"stored must be fp32, bf16 or fp16, got {self.stored!r}")

    @property
    def config(self) -> ModelConfig:
        """The network's configuration, before pretrained folders change its widths."""
        config = config_of(self.preset)
        known = {f.name for f in fields(Parts)} - {"region_slices"} | {"even_slices", "region_slices", "boxes"}
        if set(self.without) - known:
            raise ValueError(f"without names {sorted(set(self.without) - known)}, known are {sorted(known)}")
        off: dict[str, Any] = {name: False for name in self.without if name not in _SPECIAL}
        if "region_slices" in self.without or "even_slices" in self.without:
            off["region_slices"] = SliceChoice.NONE if "region_slices" in self.without else SliceChoice.EVEN
        config = replace(config, parts=replace(config.parts, **off))
        return replace(config, box=None) if "boxes" in self.without else config

    @property
    def folders(self) -> Folders:
        """The folders of pretrained networks."""
        return Folders(*(Path(name) if name else None for name in (self.vision, self.language, self.text)))

    @property
    def digest(self) -> str:
        """What tells this recipe from any other."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


_SPECIAL = ("even_slices", "region_slices", "boxes")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a `.toml` or `.json` file.

    InputRefused names what is wrong in it; NeedMissing if this Python cannot read TOML.
    """
    try:
        content = _toml(path) if path.suffix == ".toml" else json.loads(path.read_text(encoding="utf-8"))
        return recipe_from(content)
    except (ValueError, TypeError) as cause:  # both readers' errors are ValueErrors
        raise InputRefused(f"{path}: {cause}") from cause


def _toml(path: Path) -> Any:
    if find_spec("tomllib") is None:
        raise NeedMissing("recipes in TOML need Python 3.11 or newer; write it as JSON with the same names")
    return import_module("tomllib").loads(path.read_text(encoding="utf-8"))


def recipe_from(content: Any) -> Recipe:
    """Return the recipe of plain values; ValueError names what is unknown, missing or out of range."""
    if not isinstance(content, dict):
        raise ValueError("a recipe is a table of names and values")
    given = dict(content)
    stages = tuple(_made(Stage, stage, "a stage") for stage in given.pop("stages", ()))
    data = _made(Data, given.pop("data", {}), "data")
    recipe: Recipe = _made(Recipe, {**given, "stages": stages, "data": data}, "a recipe")
    _ = recipe.config  # what cannot be built is refused before anything is read
    return recipe


def _made(kind: Any, content: Any, what: str) -> Any:
    names = {f.name for f in fields(kind)}
    if not isinstance(content, dict) or set(content) - names:
        unknown = sorted(set(content) - names) if isinstance(content, dict) else content
        raise ValueError(f"{what} does not know {unknown}; known are {', '.join(sorted(names))}")
    try:
        return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in content.items()})
    except TypeError as cause:
        raise ValueError(f"{what}: {cause}") from cause
